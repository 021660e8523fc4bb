//! The server that hosts every bundled game and its web page.

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

fn main() -> anyhow::Result<()> {
    tickcast::serve().game::<arena::Arena>().pages(PAGES).client_bundle(CLIENT_BUNDLE).run()
}
