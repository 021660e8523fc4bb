//! Hosts the game in the guide.

fn main() -> anyhow::Result<()> {
    tickcast::server().game::<coins::Coins>().run()
}
