//! The key of guests' tokens, kept in a file so that guests stay the same after a restart.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::identity::GuestKey;

/// Why the key cannot be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read or created.
    #[error("cannot keep the guests' key in {path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The file does not hold a key.
    #[error("{0} is not a key of 32 bytes; if it is deleted, a new key is made and all guests become new guests")]
    Length(PathBuf),
}

/// Loads the key from `guest.key` in a folder, or creates it.
///
/// # Errors
///
/// If the file cannot be read or written, or does not hold 32 bytes.
pub fn load_guest_key(folder: &Path) -> Result<GuestKey, KeyFileError> {
    let path = folder.join("guest.key");
    let failed = |error| KeyFileError::File { path: path.clone(), error };
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(folder, &path).map_err(failed)?,
        read => read.map_err(failed)?,
    };
    let key: [u8; 32] = bytes.try_into().map_err(|_| KeyFileError::Length(path))?;
    Ok(GuestKey::new(&key))
}

fn make(folder: &Path, path: &Path) -> io::Result<Vec<u8>> {
    let key: [u8; 32] = rand::random();
    // The rename is atomic, so a crash never leaves half a key.
    let draft = folder.join(format!("guest.key.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    Ok(key.to_vec())
}
