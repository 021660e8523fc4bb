//! How the threads of rooms share the CPU, where the system lets that be told and changed: Linux.

use std::{cell::Cell, time::Duration};

/// A thread, as the system knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ThreadId {
    #[cfg(target_os = "linux")]
    id: rustix::thread::Pid,
}

impl ThreadId {
    /// The calling thread.
    pub(super) fn current() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            id: rustix::thread::gettid(),
        }
    }

    /// Returns how long the thread has waited for a CPU since it began. Zero where the system does not tell.
    pub(super) fn waited(self) -> Duration {
        #[cfg(target_os = "linux")]
        {
            read(&format!("/proc/self/task/{}/schedstat", self.id.as_raw_nonzero()))
        }
        #[cfg(not(target_os = "linux"))]
        {
            Duration::ZERO
        }
    }

    /// Lets the thread run only while no other wants the CPU, or nearly so. It cannot be undone.
    pub(super) fn lower_priority(self) {
        #[cfg(target_os = "linux")]
        {
            // On Linux a priority belongs to a thread. The lowest one may always be chosen.
            let _ = rustix::process::setpriority_process(Some(self.id), 19);
        }
    }
}

thread_local! {
    /// How long this thread had waited for a CPU when that was last looked up.
    static WAITED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Returns how long the calling thread has waited for a CPU since the last call, at most. Zero where the system does not tell.
pub(super) fn waited_lately() -> Duration {
    let waited = read("/proc/thread-self/schedstat");
    waited.saturating_sub(WAITED.replace(waited))
}

/// Reads how long a thread has waited. Systems other than Linux have no such file.
fn read(path: &str) -> Duration {
    std::fs::read_to_string(path).ok().and_then(|text| waited(&text)).unwrap_or_default()
}

/// Reads the time in the queue of a CPU, in nanoseconds: the second figure.
fn waited(schedstat: &str) -> Option<Duration> {
    schedstat.split_ascii_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_for_a_cpu_is_read_from_the_second_figure() {
        assert_eq!(waited("323111 2226681 2\n"), Some(Duration::from_nanos(2_226_681)));
        assert_eq!(waited("323111"), None);
    }
}
