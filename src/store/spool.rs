//! Records that wait on disk for the database, in order.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
};

use super::line_file::LineFile;

/// The file in the folder for data.
const NAME: &str = "unwritten.jsonl";

/// Bytes that are read at a time.
const READ_BYTES: u64 = 64 * 1024;

/// A queue of lines in a file. It has no file until something must wait, or if there is no folder for data.
///
/// A line that was taken stays in the file until all of them are, so a process that is killed does some of them again.
pub(super) struct Spool {
    path: Option<PathBuf>,
    file: Option<LineFile>,
    /// The most bytes of the file.
    most_bytes: u64,
    /// The position of the first line that was not taken.
    position: u64,
    /// Lines from there on that have been read.
    ahead: VecDeque<Vec<u8>>,
    /// Lines from there on.
    waiting: usize,
}

impl Spool {
    /// Makes a queue with the lines that an earlier process left in the folder.
    pub(super) fn new(folder: Option<&Path>, most_bytes: usize) -> Self {
        let path = folder.map(|folder| folder.join(NAME));
        let most_bytes = most_bytes as u64;
        let mut spool = Self { path, file: None, most_bytes, position: 0, ahead: VecDeque::new(), waiting: 0 };
        if spool.path.as_ref().is_some_and(|path| path.exists())
            && let Err(error) = spool.file()
        {
            tracing::warn!(%error, "the records that wait in {NAME} cannot be read");
        }
        spool
    }

    /// The number of lines.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    /// Appends a line.
    ///
    /// # Errors
    ///
    /// There is no folder, or the file is full, cannot be written or belongs to another process.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let most = self.most_bytes;
        let file = self.file()?;
        if file.len() + line.len() as u64 + 1 > most {
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "it is as large as it may be"));
        }
        file.append(line)?;
        self.waiting += 1;
        Ok(())
    }

    /// Returns the first line.
    ///
    /// # Errors
    ///
    /// The file cannot be read. It is left as it is for the next start, and this queue is empty.
    pub(super) fn front(&mut self) -> io::Result<Option<Vec<u8>>> {
        if let (true, Some(file)) = (self.ahead.is_empty() && self.waiting > 0, &self.file) {
            match file.read(self.position, READ_BYTES) {
                Ok(lines) => self.ahead = lines.into(),
                Err(error) => {
                    (self.path, self.file, self.waiting) = (None, None, 0);
                    return Err(error);
                }
            }
        }
        Ok(self.ahead.front().cloned())
    }

    /// Removes the first line, which [`front`](Self::front) returned.
    pub(super) fn pop(&mut self) {
        let Some(line) = self.ahead.pop_front() else { return };
        self.position += line.len() as u64 + 1;
        self.waiting = self.waiting.saturating_sub(1);
        if let (0, Some(file)) = (self.waiting, &mut self.file) {
            // If that fails the lines are done again after the next start, which changes nothing.
            let _ = file.clear();
            self.position = 0;
        }
    }

    /// Lets another queue have the file.
    pub(super) fn close(&mut self) {
        (self.path, self.file) = (None, None);
    }

    fn file(&mut self) -> io::Result<&mut LineFile> {
        if self.file.is_none() {
            let path =
                self.path.as_ref().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no folder for data"))?;
            let (file, lines) = LineFile::open(path)?;
            (self.file, self.waiting) = (Some(file), lines);
        }
        Ok(self.file.as_mut().expect("it was just opened"))
    }
}
