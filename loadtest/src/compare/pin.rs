//! Giving the server and the clients a core each, so that neither's work is counted, or waited for, as the other's.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;

/// Which core is whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) load: usize,
}

/// Whether this process is pinned, and servers that it starts can be.
#[derive(Debug)]
pub(crate) struct Pinning(Result<Cores, String>);

impl Pinning {
    /// Pins this process to the second of the cores that it may use, and keeps the first one for servers.
    pub(crate) fn of_this_process() -> Self {
        Self(pin())
    }

    #[cfg(test)]
    pub(crate) fn not(why: &str) -> Self {
        Self(Err(why.to_owned()))
    }

    pub(crate) fn cores(&self) -> Option<Cores> {
        self.0.as_ref().ok().copied()
    }

    pub(crate) fn why_not(&self) -> Option<&str> {
        self.0.as_ref().err().map(String::as_str)
    }

    /// A command that starts `program` on the server's core. It becomes the program: its process id stays the same.
    pub(crate) fn command(&self, program: &Path) -> tokio::process::Command {
        match self.cores() {
            Some(Cores { server, .. }) => {
                let mut command = tokio::process::Command::new("taskset");
                command.args(["-c", &server.to_string()]).arg(program);
                command
            }
            None => tokio::process::Command::new(program),
        }
    }
}

fn pin() -> Result<Cores, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|_| "it works on Linux alone".to_owned())?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let allowed = list.and_then(core_list).ok_or("the kernel does not say which cores may be used")?;
    let [server, load, ..] = allowed[..] else {
        return Err("there is one core alone".to_owned());
    };
    let output = Command::new("taskset")
        .args(["-a", "-c", "-p", &load.to_string(), &std::process::id().to_string()])
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("taskset: {e}"))?;
    match output.status.success() {
        true => Ok(Cores { server, load }),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

/// `0-2,5` is 0, 1, 2 and 5.
fn core_list(list: &str) -> Option<Vec<usize>> {
    let mut cores = Vec::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        cores.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    Some(cores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_lists_are_read() {
        assert_eq!(core_list("\t0-1"), Some(vec![0, 1]));
        assert_eq!(core_list("3,5-7"), Some(vec![3, 5, 6, 7]));
        assert_eq!(core_list("none"), None);
    }
}
