//! The log of the server under attack: how many lines it gains, and those that must not be there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::tally::locked;

/// A text that attackers send where tokens do not belong. It must not be logged.
pub(crate) const SECRET: &str = "kR8wQz3TnV5x";

/// The lines that are kept to explain the end of the server.
const LAST: usize = 10;

/// The bad lines that are kept.
const BAD: usize = 3;

/// Follows the standard error of the server.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    logged: Logged,
    last: VecDeque<String>,
}

/// The lines that the log has gained.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Logged {
    pub(crate) lines: u64,
    /// Lines about a panic, and lines with the secret.
    pub(crate) bad: Vec<String>,
}

impl Log {
    /// Reads until the server ends.
    pub(crate) async fn follow(self, from: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(from).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            self.note(String::from_utf8_lossy(&line).into_owned());
        }
    }

    fn note(&self, line: String) {
        let mut seen = locked(&self.0);
        seen.logged.lines += 1;
        if seen.logged.bad.len() < BAD
            && [SECRET, "panicked", "overflow", "memory allocation"].iter().any(|bad| line.contains(bad))
        {
            seen.logged.bad.push(line.clone());
        }
        if seen.last.len() == LAST {
            seen.last.pop_front();
        }
        seen.last.push_back(line);
    }

    /// Returns what has come since the last call.
    pub(crate) fn take(&self) -> Logged {
        std::mem::take(&mut locked(&self.0).logged)
    }

    /// Returns the last lines.
    pub(crate) fn last(&self) -> String {
        locked(&self.0).last.iter().cloned().collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_counted_and_bad_ones_are_kept() {
        let log = Log::default();
        let text = format!("room opened\nthread 'x' panicked at y\nGET /?token={SECRET}\nroom closed");
        log.clone().follow(text.as_bytes()).await;
        let Logged { lines, bad } = log.take();
        assert_eq!(lines, 4);
        assert_eq!(bad, ["thread 'x' panicked at y".to_owned(), format!("GET /?token={SECRET}")]);
        assert_eq!(log.take(), Logged::default());
        assert!(log.last().ends_with("room closed"));
    }
}
