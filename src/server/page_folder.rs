//! Serves the files of a folder as pages.

use std::path::PathBuf;

use super::builder::ServerBuilder;

impl ServerBuilder {
    /// Serves the files in a folder, and in the folders below it, as pages. `index.html` is served for its folder, too.
    ///
    /// A file is read when it is asked for, and again once it has changed, so a page can be built anew while the server runs. Files
    /// that were read stay in memory. [`pages`](Self::pages) and the server's own paths come first. Paths are of letters, digits and
    /// `-_.~`; names that begin with a dot are not served. The path of a folder with an `index.html` leads to the same path with `/`.
    ///
    /// A folder that cannot be read is an error at start. Calls accumulate: the first folder that has a file serves it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn program<Race: tickcast::prelude::Game>() -> tickcast::anyhow::Result<()> {
    /// tickcast::server().game::<Race>().page_folder("web/dist").run()
    /// # }
    /// ```
    pub fn page_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.additions.folder(String::new(), folder.into());
        self
    }

    /// Serves the files in a folder as [`page_folder`](Self::page_folder) does, below a path like `/docs`.
    ///
    /// A path that is not of plain segments, or is one of the server's own, is an error at start. Calls accumulate.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn program<Race: tickcast::prelude::Game>() -> tickcast::anyhow::Result<()> {
    /// tickcast::server().game::<Race>().page_folder_at("/help", "help/book").run()
    /// # }
    /// ```
    pub fn page_folder_at(mut self, path: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        self.additions.folder(path.into(), folder.into());
        self
    }
}
