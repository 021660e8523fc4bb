//! The key of guests' tokens, kept in a file so that guests survive a restart.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::identity::GuestKey;

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// The file cannot be read or made.
    #[error("cannot keep the guests' key in {path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file holds something else.
    #[error("{0} is no key of 32 bytes; remove it, and all guests are new")]
    Length(PathBuf),
}

/// The key in `guest.key` of a folder; a new one is made if it is not there.
///
/// # Errors
///
/// If the file cannot be read or written, or holds something else.
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
    // Never half a key under its name, whatever happens in between.
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
