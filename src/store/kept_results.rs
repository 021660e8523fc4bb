//! Results that wait on disk from one run of the server to the next.

use std::{io, path::Path};

use super::line_file::LineFile;
use crate::host::MatchResult;

/// Takes the results out of a file; none if there is no file.
///
/// # Errors
///
/// The system's error, or that another process uses the file.
pub(crate) fn take_results(path: &Path) -> io::Result<Vec<MatchResult>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let (mut file, _) = LineFile::open(path)?;
    let lines = file.read(0, file.len())?;
    let read = |line: &Vec<u8>| {
        let result = serde_json::from_slice(line);
        result.inspect_err(|error| tracing::error!(%error, file = %path.display(), "a result that waited cannot be read")).ok()
    };
    let results = lines.iter().filter_map(read).collect();
    file.clear()?;
    Ok(results)
}

/// Appends results to a file.
///
/// # Errors
///
/// The system's error, or that another process uses the file. Results before the one that failed are kept.
pub(crate) fn keep_results<'r>(path: &Path, results: impl IntoIterator<Item = &'r MatchResult>) -> io::Result<()> {
    let mut results = results.into_iter().peekable();
    if results.peek().is_none() {
        return Ok(());
    }
    let (mut file, _) = LineFile::open(path)?;
    results.try_for_each(|result| file.append(&serde_json::to_vec(result).expect("text and numbers always encode")))
}
