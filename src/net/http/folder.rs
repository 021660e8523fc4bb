//! A folder of pages: its files as they are on the disk at the moment, so that a page that is built anew needs no new start.

use std::{collections::HashMap, fs, path::PathBuf, sync::Arc, time::SystemTime};

use parking_lot::Mutex;

use super::file::File;

/// The content types by the extension of a file.
const TYPES: [(&str, &str); 22] = [
    ("css", "text/css; charset=utf-8"),
    ("gif", "image/gif"),
    ("gltf", "model/gltf+json"),
    ("glb", "model/gltf-binary"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("mp3", "audio/mpeg"),
    ("ogg", "audio/ogg"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff2", "font/woff2"),
];

/// A folder whose files are served. Nothing outside of it is, and nothing that is hidden.
pub(crate) struct Folder {
    /// The path that the folder is served at: empty for the root, else like `/docs`.
    at: String,
    root: PathBuf,
    /// The files that were asked for, by their paths, as they were then.
    known: Mutex<HashMap<String, Known>>,
}

/// A file, with what tells whether it is still the same on the disk.
struct Known {
    changed: Option<SystemTime>,
    length: u64,
    file: Arc<File>,
}

impl Folder {
    pub(crate) fn new(at: String, root: PathBuf) -> Self {
        Self { at, root, known: Mutex::default() }
    }

    /// Returns whether the path of a request is that of a folder with an `index.html`, without the `/` at its end. Waits for the disk.
    pub(crate) fn is_folder(&self, path: &str) -> bool {
        self.on_disk(&format!("{path}/index.html")).is_some_and(|index| index.is_file())
    }

    /// Returns the file at the path of a request, like `/app.js`. `None` if there is none. Waits for the disk.
    pub(crate) fn file(&self, path: &str) -> Option<Arc<File>> {
        let on_disk = self.on_disk(path)?;
        let found = fs::metadata(&on_disk).ok().filter(|found| found.is_file())?;
        let (changed, length) = (found.modified().ok(), found.len());
        if let Some(known) = self.known.lock().get(path).filter(|known| (known.changed, known.length) == (changed, length)) {
            return Some(known.file.clone());
        }
        let file = Arc::new(File::new(path, content_type(path), fs::read(&on_disk).ok()?.into()));
        self.known.lock().insert(path.to_owned(), Known { changed, length, file: file.clone() });
        Some(file)
    }

    /// Returns where the file at the path of a request would be. `None` if no file could have this path.
    fn on_disk(&self, path: &str) -> Option<PathBuf> {
        let inside = path.strip_prefix(&self.at)?.strip_prefix('/')?;
        inside.split('/').all(is_name).then(|| self.root.join(inside))
    }
}

/// Returns whether a part of a path is a plain name. Names that begin with a dot are hidden, and `..` would lead out of the folder.
fn is_name(part: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.~".contains(letter);
    !part.is_empty() && !part.starts_with('.') && part.chars().all(plain)
}

fn content_type(path: &str) -> &'static str {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    let known = TYPES.into_iter().find(|(known, _)| extension.eq_ignore_ascii_case(known));
    known.map_or("application/octet-stream", |(_, content_type)| content_type)
}
