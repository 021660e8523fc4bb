//! The server that hosts every bundled game and its web page.

use tickcast::net::Page;

// `PAGES` and `CLIENT_BUNDLE`, as the build script found them.
include!(concat!(env!("OUT_DIR"), "/pages.rs"));

fn main() -> anyhow::Result<()> {
    let pages = PAGES.map(|(path, content_type, bytes)| Page { path: path.into(), content_type, bytes: bytes.into() });
    let mut server = tickcast::serve().game::<arena::Arena>().pages(pages);
    if let Some(bundle) = CLIENT_BUNDLE {
        server = server.client_bundle(bundle);
    }
    server.run()
}
