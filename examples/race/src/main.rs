//! Hosts the game in the README.

fn main() -> tickcast::anyhow::Result<()> {
    tickcast::server().game::<race::Race>().run()
}
