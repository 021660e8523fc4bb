//! Additions of a host to the server: pages, HTTP routes and namespaces of its own.

use std::{fs, io, path::PathBuf};

use axum::Router;
use bytes::Bytes;
use socketioxide::SocketIo;
use thiserror::Error;

use crate::host::Host;

/// The paths that the server itself answers, together with all paths below them.
const OWN_PATHS: [&str; 7] = ["/healthz", "/readyz", "/metrics", "/schema", "/rules", "/socket.io", "/socket.io-msgpack"];

type AddNamespaces = Box<dyn Fn(&SocketIo, &Host) + Send>;
type MakeRoutes = Box<dyn FnOnce(&Host) -> Router + Send>;

/// A file that the server serves.
///
/// Text is compressed for browsers that take it. A page whose path has `.br` or `.gz` behind that of another page is the other's
/// compressed form, and served in its place. Browsers ask whether their copy is still good, but keep for a year a page whose name ends
/// in a hash of its content, at least 16 hexadecimal digits: `/app-3f2a9c1b8d7e6f50.js`.
#[derive(Debug, Clone)]
pub struct Page {
    /// The path, like `/index.html`. A page that ends in `/index.html` is served for its folder, too.
    pub path: String,
    /// The content type, like `text/html; charset=utf-8`.
    pub content_type: &'static str,
    /// The content.
    pub bytes: Bytes,
}

/// The reason why something of a host's own cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AdditionError {
    /// The server has a namespace with that name.
    #[error("the namespace {0} is the server's own, choose another name")]
    Namespace(&'static str),
    /// No client could name this namespace.
    #[error("the namespace \"{0}\" must begin with /, like /shop")]
    NamespaceName(String),
    /// No request could name this page.
    #[error("the page \"{0}\" must have a path that begins with /, like /index.html")]
    Page(String),
    /// The server itself answers at this page's path.
    #[error("the page {path} would never be served: {own} is the server's own")]
    HiddenPage {
        /// The page's path.
        path: String,
        /// The server's own path that hides it.
        own: &'static str,
    },
    /// Two pages have this path.
    #[error("two pages have the path {0}")]
    SamePage(String),
    /// A folder of pages cannot be put at this path.
    #[error("a folder of pages cannot be put at \"{0}\": give a path of plain segments, like /docs")]
    FolderPath(String),
    /// The server itself answers at the path of a folder of pages.
    #[error("the folder of pages at {path} would never be served: {own} is the server's own")]
    HiddenFolder {
        /// The folder's path.
        path: String,
        /// The server's own path that hides it.
        own: &'static str,
    },
    /// A folder of pages cannot be read.
    #[error("cannot read the folder {folder} of pages: {reason}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's error.
        reason: String,
    },
    /// Routes cannot be put at this path.
    #[error("routes cannot be put at \"{0}\": give a path of plain segments, like /shop")]
    Path(String),
    /// Something else is served at, above or below this path.
    #[error("routes at {path} clash with {other}")]
    Clash {
        /// The path of the routes.
        path: String,
        /// The other path.
        other: String,
    },
}

/// Everything that a host adds to its server.
#[derive(Default)]
pub(crate) struct Additions {
    namespaces: Vec<AddNamespaces>,
    routes: Vec<(String, MakeRoutes)>,
    /// Folders of pages, each with the path that it is served at: empty for the root.
    folders: Vec<(String, PathBuf)>,
}

impl Additions {
    pub(crate) fn namespaces(&mut self, add: impl Fn(&SocketIo, &Host) + Send + 'static) {
        self.namespaces.push(Box::new(add));
    }

    pub(crate) fn routes(&mut self, path: String, make: impl FnOnce(&Host) -> Router + Send + 'static) {
        self.routes.push((path, Box::new(make)));
    }

    /// Adds a folder of pages at a path, which is empty for the root.
    pub(crate) fn folder(&mut self, path: String, folder: PathBuf) {
        self.folders.push((path, folder));
    }

    pub(crate) fn folders(&self) -> &[(String, PathBuf)] {
        &self.folders
    }

    /// Checks that every folder of pages can be reached and read.
    pub(crate) fn check_folders(&self) -> Result<(), AdditionError> {
        self.folders.iter().try_for_each(|(path, folder)| {
            if !path.is_empty() && !is_plain(path) {
                return Err(AdditionError::FolderPath(path.clone()));
            }
            if let Some(own) = OWN_PATHS.into_iter().find(|own| is_within(path, own)) {
                return Err(AdditionError::HiddenFolder { path: path.clone(), own });
            }
            let failed = |error: io::Error| AdditionError::Folder { folder: folder.clone(), reason: error.to_string() };
            fs::read_dir(folder).map(drop).map_err(failed)
        })
    }

    /// Checks that every page can be reached.
    pub(crate) fn check_pages(pages: &[Page]) -> Result<(), AdditionError> {
        for (at, Page { path, .. }) in pages.iter().enumerate() {
            if pages[..at].iter().any(|other| other.path == *path) {
                return Err(AdditionError::SamePage(path.clone()));
            }
            if !path.starts_with('/') {
                return Err(AdditionError::Page(path.clone()));
            }
            if let Some(own) = OWN_PATHS.into_iter().find(|own| is_within(path, own)) {
                return Err(AdditionError::HiddenPage { path: path.clone(), own });
            }
        }
        Ok(())
    }

    /// Checks that every route can be reached, and that axum will not panic at one.
    pub(crate) fn check_routes(&self, pages: &[Page]) -> Result<(), AdditionError> {
        for (at, (path, _)) in self.routes.iter().enumerate() {
            if !is_plain(path) {
                return Err(AdditionError::Path(path.clone()));
            }
            let others = self.routes[..at].iter().map(|(other, _)| other.as_str());
            let mut others = others.chain(OWN_PATHS).chain(pages.iter().map(|page| page.path.as_str()));
            if let Some(other) = others.find(|other| is_within(path, other) || is_within(other, path)) {
                return Err(AdditionError::Clash { path: path.clone(), other: other.to_owned() });
            }
        }
        Ok(())
    }

    /// Adds the namespaces to one endpoint. The server's own must be added later, so that a clash is found here.
    pub(crate) fn add_namespaces(&self, io: &SocketIo, host: &Host, own: &[&'static str]) -> Result<(), AdditionError> {
        for add in &self.namespaces {
            add(io, host);
        }
        if let Some(name) = io.nsps().iter().map(|added| added.ns_path()).find(|path| !path.starts_with('/')) {
            return Err(AdditionError::NamespaceName(name.to_owned()));
        }
        own.iter().find(|path| io.of(path).is_some()).map_or(Ok(()), |path| Err(AdditionError::Namespace(path)))
    }

    /// Puts the routes beside those of the server.
    pub(crate) fn add_routes(self, router: Router, host: &Host) -> Router {
        self.routes.into_iter().fold(router, |router, (path, make)| router.nest(&path, make(host)))
    }
}

/// Returns whether a path consists of plain segments: none is empty, and none is a pattern.
fn is_plain(path: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.~".contains(letter);
    let is_segment = |segment: &str| !segment.is_empty() && segment.chars().all(plain);
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment))
}

/// Returns whether a path is the same as another or below it.
fn is_within(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn checked(paths: &[&str]) -> Result<(), AdditionError> {
        let mut additions = Additions::default();
        for path in paths {
            additions.routes((*path).to_owned(), |_| Router::new());
        }
        let page = |path: &str| Page { path: path.to_owned(), content_type: "text/html", bytes: Bytes::new() };
        additions.check_routes(&[page("/index.html"), page("/help/index.html")])
    }

    #[test]
    fn routes_need_plain_paths() {
        for path in ["/shop", "/shop/v2", "/.well-known", "/a-b_c~d"] {
            assert_eq!(checked(&[path]), Ok(()), "{path}");
        }
        for path in ["", "/", "shop", "/shop/", "//shop", "/{id}", "/*rest", "/:id", "/a b", "/ä", "/a?b"] {
            assert_eq!(checked(&[path]), Err(AdditionError::Path(path.to_owned())), "{path}");
        }
    }

    #[test]
    fn pages_need_paths_that_are_served() {
        let checked = |path: &str| {
            let page = Page { path: path.to_owned(), content_type: "text/html", bytes: Bytes::new() };
            Additions::check_pages(&[page])
        };
        for path in ["/", "/index.html", "/help/index.html", "/metrics.html", "/schemas"] {
            assert_eq!(checked(path), Ok(()), "{path}");
        }
        for path in ["", "b.html"] {
            assert_eq!(checked(path), Err(AdditionError::Page(path.to_owned())));
        }
        for (path, own) in [("/metrics", "/metrics"), ("/schema/coins.d.ts", "/schema"), ("/rules/coins.wasm", "/rules")] {
            assert_eq!(checked(path), Err(AdditionError::HiddenPage { path: path.to_owned(), own }));
        }
    }

    #[test]
    fn routes_clash_with_paths_at_above_or_below_theirs() {
        for (paths, other) in [
            (&["/metrics"][..], "/metrics"),
            (&["/schema/shop"], "/schema"),
            (&["/socket.io/shop"], "/socket.io"),
            (&["/index.html"], "/index.html"),
            (&["/help"], "/help/index.html"),
            (&["/shop", "/shop"], "/shop"),
            (&["/shop", "/shop/v2"], "/shop"),
            (&["/shop/v2", "/shop"], "/shop/v2"),
        ] {
            let path = paths[paths.len() - 1].to_owned();
            assert_eq!(checked(paths), Err(AdditionError::Clash { path, other: other.to_owned() }));
        }
        assert_eq!(checked(&["/shop", "/shopping", "/metrics2", "/socket.io2"]), Ok(()));
    }
}
