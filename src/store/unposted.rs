//! Results that wait on disk for the webhook's receiver, from the end of their match until they are taken or given up.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::line_file::LineFile;
use crate::host::MatchResult;

/// The file in the folder for data.
const NAME: &str = "unposted.jsonl";

/// A copy of what waits, while the file is written anew.
const COPY: &str = "unposted.new.jsonl";

/// The bytes of lines that are done above which the file is written anew, if they are more than those of lines that wait.
const MOST_DONE: u64 = 1024 * 1024;

/// A line of the file. A result that is done is not taken out at once: a line says so.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line<R> {
    Done { done: String },
    Waiting(R),
}

/// The results on disk. A process that is killed leaves each one that is not done, and perhaps some whose end was not written yet.
pub(super) struct Unposted {
    folder: PathBuf,
    file: LineFile,
    /// The results that are not done, the oldest first, and the bytes of their lines.
    waiting: Vec<(Arc<MatchResult>, u64)>,
}

impl Unposted {
    /// Opens the file, with the results that an earlier process left.
    ///
    /// # Errors
    ///
    /// The system's error, or that another process uses the file.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let (file, _) = LineFile::open(&folder.join(NAME))?;
        let mut unposted = Self { folder: folder.to_owned(), file, waiting: Vec::new() };
        let copy = unposted.copy();
        if copy.exists() {
            let (file, _) = LineFile::open(&copy)?;
            unposted.take_in(&file.read(0, file.len())?);
        }
        let lines = unposted.file.read(0, unposted.file.len())?;
        unposted.take_in(&lines);
        unposted.write_anew()?;
        Ok(unposted)
    }

    /// The results that are not done, the oldest first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Arc<MatchResult>> {
        self.waiting.iter().map(|(result, _)| result)
    }

    /// Adds a result, unless it is there.
    ///
    /// # Errors
    ///
    /// The disk does not take it.
    pub(super) fn add(&mut self, result: &Arc<MatchResult>) -> io::Result<()> {
        if self.waiting().any(|other| other.id == result.id) {
            return Ok(());
        }
        let line = encode(&Line::Waiting(&**result));
        self.file.append(&line)?;
        self.waiting.push((result.clone(), length(&line)));
        Ok(())
    }

    /// Notes that a result is taken or given up. If the disk does not take that, the result is posted again after the next start.
    pub(super) fn end(&mut self, id: &str) -> io::Result<()> {
        let before = self.waiting.len();
        self.waiting.retain(|(result, _)| result.id != id);
        if self.waiting.len() == before {
            return Ok(());
        }
        let waiting: u64 = self.waiting.iter().map(|(_, bytes)| bytes).sum();
        if self.waiting.is_empty() {
            self.file.clear()
        } else if self.file.len() > 2 * waiting + MOST_DONE {
            self.write_anew()
        } else {
            self.file.append(&encode(&Line::Done { done: id.to_owned() }))
        }
    }

    /// Takes lines of a file in, in their order.
    fn take_in(&mut self, lines: &[Vec<u8>]) {
        for line in lines {
            match serde_json::from_slice::<Line<MatchResult>>(line) {
                Ok(Line::Done { done }) => self.waiting.retain(|(result, _)| result.id != done),
                Ok(Line::Waiting(result)) if self.waiting().any(|other| other.id == result.id) => {}
                Ok(Line::Waiting(result)) => self.waiting.push((Arc::new(result), length(line))),
                Err(error) => tracing::error!(%error, "a result in {NAME} cannot be read"),
            }
        }
    }

    /// Writes the file without what is done. A copy has all of it until the file is whole again.
    fn write_anew(&mut self) -> io::Result<()> {
        let lines: Vec<_> = self.waiting().map(|result| encode(&Line::Waiting(&**result))).collect();
        let copy = self.copy();
        if !lines.is_empty() {
            let (mut file, _) = LineFile::open(&copy)?;
            file.clear()?;
            lines.iter().try_for_each(|line| file.append(line))?;
        }
        self.file.clear()?;
        lines.iter().try_for_each(|line| self.file.append(line))?;
        if copy.exists() { fs::remove_file(copy) } else { Ok(()) }
    }

    fn copy(&self) -> PathBuf {
        self.folder.join(COPY)
    }
}

fn encode(line: &Line<&MatchResult>) -> Vec<u8> {
    serde_json::to_vec(line).expect("text and numbers always encode")
}

/// The bytes of a line in the file.
fn length(line: &[u8]) -> u64 {
    line.len() as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lobby::RoomId;

    fn ids(unposted: &Unposted) -> Vec<&str> {
        unposted.waiting().map(|result| &*result.id).collect()
    }

    fn result(id: &str) -> Arc<MatchResult> {
        Arc::new(MatchResult::new(id, RoomId::named("room"), "duel"))
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("tickcast unposted {name} {}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_result_waits_until_it_is_done() {
        let folder = folder("waits");
        let mut unposted = Unposted::open(&folder).unwrap();
        for id in ["one", "two", "three", "two"] {
            unposted.add(&result(id)).unwrap();
        }
        unposted.end("two").unwrap();
        unposted.end("two").unwrap();
        assert!(Unposted::open(&folder).is_err(), "another one has the file");
        drop(unposted);
        let mut unposted = Unposted::open(&folder).unwrap();
        assert_eq!(ids(&unposted), ["one", "three"]);
        assert_eq!(unposted.file.len(), unposted.waiting.iter().map(|(_, bytes)| bytes).sum::<u64>());
        ["three", "one"].into_iter().for_each(|id| unposted.end(id).unwrap());
        assert_eq!(unposted.file.len(), 0);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_process_that_ends_while_it_writes_anew_loses_nothing() {
        let folder = folder("anew");
        let mut unposted = Unposted::open(&folder).unwrap();
        for id in ["one", "two", "three"] {
            unposted.add(&result(id)).unwrap();
        }
        drop(unposted);
        let whole = fs::read_to_string(folder.join(NAME)).unwrap();
        let first = whole.find('\n').unwrap() + 1;
        // The lengths of the copy and the file at the moments between two writes.
        for (copy, file) in [(first, whole.len()), (whole.len(), whole.len()), (whole.len(), 0), (whole.len(), first)] {
            fs::write(folder.join(COPY), &whole[..copy]).unwrap();
            fs::write(folder.join(NAME), &whole[..file]).unwrap();
            assert_eq!(ids(&Unposted::open(&folder).unwrap()), ["one", "two", "three"], "{copy} {file}");
            assert!(!folder.join(COPY).exists());
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_file_does_not_grow_while_one_result_waits() {
        let folder = folder("grows");
        let mut unposted = Unposted::open(&folder).unwrap();
        unposted.add(&result("stuck")).unwrap();
        let mut most = 0;
        for number in 0..20_000 {
            let id = number.to_string();
            unposted.add(&result(&id)).unwrap();
            unposted.end(&id).unwrap();
            most = most.max(unposted.file.len());
        }
        assert!((MOST_DONE..MOST_DONE + 4096).contains(&most), "{most}");
        assert_eq!(ids(&unposted), ["stuck"]);
        fs::remove_dir_all(folder).unwrap();
    }
}
