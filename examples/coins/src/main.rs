//! Hosts the game in the guide.

fn main() -> tickcast::anyhow::Result<()> {
    tickcast::server().game::<coins::Coins>().run()
}
