//! A file of lines in the folder for data: what waits there survives the process. Lines are appended, and read from the front.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
};

/// A file of lines, which no other process may use at the same time.
pub(super) struct LineFile {
    file: File,
    /// The bytes of whole lines.
    length: u64,
    /// Whether the file may have a part of a line behind its whole lines.
    is_torn: bool,
}

impl LineFile {
    /// Opens a file, or creates it for nobody but its owner. A last line that is not whole is cut off: the process ended while it
    /// wrote it. Returns the number of lines, too.
    ///
    /// # Errors
    ///
    /// The system's error, or `WouldBlock` if another process has the file.
    pub(super) fn open(path: &Path) -> io::Result<(Self, usize)> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::new(io::ErrorKind::WouldBlock, "another process uses it"),
            TryLockError::Error(error) => error,
        })?;
        let (mut lines, mut length) = (0, 0);
        let (mut reader, mut line) = (BufReader::new(&file), Vec::new());
        while reader.read_until(b'\n', &mut line)? > 0 {
            if line.ends_with(b"\n") {
                lines += 1;
                length += line.len() as u64;
            }
            line.clear();
        }
        file.set_len(length)?;
        Ok((Self { file, length, is_torn: false }, lines))
    }

    /// The length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// Appends a line, or nothing: a disk that becomes full leaves no part of it.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if std::mem::take(&mut self.is_torn) {
            self.cut()?;
        }
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
        if let Err(error) = self.file.write_all(&bytes) {
            // Making a file shorter takes no space.
            let _ = self.cut();
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Reads whole lines, without their ends, from a position that is the start of a line: at least one if there is one, and about
    /// `bytes` of them.
    pub(super) fn read(&self, from: u64, bytes: u64) -> io::Result<Vec<Vec<u8>>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(from))?;
        let mut reader = BufReader::new(file.take(self.length.saturating_sub(from)));
        let (mut lines, mut read, mut line) = (Vec::new(), 0, Vec::new());
        while read < bytes && reader.read_until(b'\n', &mut line)? > 0 {
            read += line.len() as u64;
            line.pop();
            lines.push(std::mem::take(&mut line));
        }
        Ok(lines)
    }

    /// Removes all lines.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.length = 0;
        self.cut()
    }

    fn cut(&mut self) -> io::Result<()> {
        self.is_torn = true;
        self.file.set_len(self.length)?;
        self.is_torn = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_not_finished_is_cut_off() {
        let path = std::env::temp_dir().join(format!("tickcast lines {}", std::process::id()));
        std::fs::write(&path, "one\ntwo\nthr").unwrap();
        let (mut file, lines) = LineFile::open(&path).unwrap();
        assert_eq!((lines, file.len()), (2, 8));
        file.append(b"three").unwrap();
        assert_eq!(file.read(0, 1).unwrap(), [b"one"]);
        assert_eq!(file.read(4, 1000).unwrap(), [&b"two"[..], b"three"]);
        assert_eq!(LineFile::open(&path).err().map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
        file.clear().unwrap();
        assert_eq!((file.read(0, 1000).unwrap().len(), std::fs::metadata(&path).unwrap().len()), (0, 0));
        drop(file);
        std::fs::remove_file(path).unwrap();
    }
}
