//! Hosts My game, with its page.

fn main() -> tickcast::anyhow::Result<()> {
    tickcast::server()
        .game::<my_game::Rules>()
        .page_folder("web/dist")
        .run()
}
