//! Pins the server and the clients to a core each, so that neither slows down the other.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;

/// The cores of the server and of the clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) load: usize,
}

/// The cores, or the reason why processes cannot be pinned.
#[derive(Debug)]
pub(crate) struct Pinning(Result<Cores, String>);

impl Pinning {
    /// Pins this process to the second core that it may use. The first one is for servers.
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

    /// Returns a command that starts a program on the server's core. `taskset` becomes the program, so the process id is the
    /// program's.
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
    let status = std::fs::read_to_string("/proc/self/status").map_err(|_| "pinning works on Linux only".to_owned())?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let allowed = list.and_then(core_list).ok_or("the kernel does not say which cores may be used")?;
    let [server, load, ..] = allowed[..] else {
        return Err("there is only one core".to_owned());
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

/// Parses a list of cores: `0-2,5` is 0, 1, 2 and 5.
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
