//! CPU time, memory and descriptors of the process, read from `/proc/self` on Linux, where other systems have no such figures, and the
//! tasks of its runtime.

use std::fs;

/// Linux reports times to user space in hundredths of a second on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system time of this process, in seconds.
pub(super) fn cpu_seconds() -> Option<f64> {
    cpu_seconds_of(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// Resident memory of this process, in bytes.
pub(super) fn resident_bytes() -> Option<f64> {
    resident_bytes_of(&fs::read_to_string("/proc/self/status").ok()?)
}

/// Open file descriptors of this process.
pub(super) fn open_descriptors() -> Option<f64> {
    // One of them is that of the folder that is read.
    let descriptors = fs::read_dir("/proc/self/fd").ok()?.count().checked_sub(1)?;
    Some(descriptors as f64)
}

/// Tasks of the runtime that have not ended.
pub(super) fn alive_tasks() -> Option<f64> {
    let runtime = tokio::runtime::Handle::try_current().ok()?;
    Some(runtime.metrics().num_alive_tasks() as f64)
}

/// Counts fields after the program's name, which is in parentheses and may hold spaces and parentheses itself.
fn cpu_seconds_of(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn resident_bytes_of(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_after_any_program_name() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 900 0 1 0 250 50 0 0 20 0 3 0 100 1000 200";
        assert_eq!(cpu_seconds_of(stat), Some(3.0));
        assert_eq!(cpu_seconds_of("42 (cut"), None);
    }

    #[test]
    fn memory_is_reported_in_bytes() {
        assert_eq!(resident_bytes_of("Name:\tx\nVmRSS:\t    2048 kB\nThreads: 1\n"), Some(2_097_152.0));
        assert_eq!(resident_bytes_of("Name:\tx\n"), None);
    }
}
