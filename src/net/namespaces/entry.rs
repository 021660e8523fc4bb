//! How far one client has come in a namespace. The library tells of a client's entry and of its end from different threads, in any
//! order, and may tell of the end alone.

use std::sync::atomic::{AtomicU8, Ordering};

const ADMITTED: u8 = 0;
const ENTERED: u8 = 1;
const ENDED: u8 = 2;

/// The state of one client in one namespace. It begins as admitted.
#[derive(Default)]
pub(crate) struct Entry(AtomicU8);

impl Entry {
    /// Notes that the client has entered. Returns whether it has: a client whose connection has ended does not enter any more.
    pub(crate) fn enter(&self) -> bool {
        self.0.compare_exchange(ADMITTED, ENTERED, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Notes that the client has gone. Returns whether it had entered before.
    pub(crate) fn end(&self) -> bool {
        self.0.swap(ENDED, Ordering::SeqCst) == ENTERED
    }

    /// Returns whether the client has gone.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.load(Ordering::SeqCst) == ENDED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_and_its_end_are_told_once() {
        let entry = Entry::default();
        assert!(!entry.has_ended());
        assert!(entry.enter());
        assert!(!entry.enter(), "the client is inside already");
        assert!(entry.end());
        assert!(!entry.end(), "the client has gone already");
        assert!(entry.has_ended());
    }

    #[test]
    fn a_client_that_goes_before_it_enters_was_never_inside() {
        let entry = Entry::default();
        assert!(!entry.end());
        assert!(!entry.enter());
        assert!(!entry.end());
    }
}
