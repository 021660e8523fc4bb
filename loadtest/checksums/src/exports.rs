//! The functions of the module, for a driver that has nothing but numbers.

#![expect(unsafe_code, reason = "functions of a module are exported by their names")]

use std::cell::RefCell;

use crate::{SUBJECTS, Subject};

thread_local! {
    static RUNNING: RefCell<Option<Box<dyn Subject>>> = const { RefCell::new(None) };
}

/// Begins the subject with this index.
#[unsafe(no_mangle)]
pub extern "C" fn begin(subject: u32, seed: u64) {
    let (_, begin) = SUBJECTS[subject as usize];
    RUNNING.set(Some(begin(seed)));
}

/// Runs some ticks, and returns the digest.
#[unsafe(no_mangle)]
pub extern "C" fn run(ticks: u32) -> u64 {
    RUNNING.with_borrow_mut(|running| {
        let subject = running.as_mut().expect("the driver calls `begin` first");
        subject.run(ticks);
        subject.digest()
    })
}
