//! Counts the bytes of heap that this process uses, once it is asked to.
//!
//! Resident memory tells what the system gave, which is never less than the allocator has kept. A leak shows earlier and without
//! noise in the bytes that the program has asked for and not given back.

#![expect(unsafe_code, reason = "an allocator is unsafe to write, and this one leaves the work to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

#[global_allocator]
static COUNTING: Counting = Counting;

/// Off by default, because this binary also runs servers whose speed is measured.
static COUNTS: AtomicBool = AtomicBool::new(false);

static IN_USE: AtomicIsize = AtomicIsize::new(0);

struct Counting;

/// Begins to count.
pub(crate) fn count() {
    COUNTS.store(true, Ordering::Relaxed);
}

/// Returns the bytes that were allocated and not freed since the count began. Bytes from before that are freed now count as less
/// than nothing.
pub(crate) fn bytes_in_use() -> f64 {
    IN_USE.load(Ordering::Relaxed) as f64
}

fn add(bytes: isize) {
    if COUNTS.load(Ordering::Relaxed) {
        IN_USE.fetch_add(bytes, Ordering::Relaxed);
    }
}

// SAFETY: each method passes its arguments to the system's allocator as they are, and returns what that returns.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        add(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }

    // Without these two, zeroed memory would be written, and a buffer that grows would always be copied.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size as isize - layout.size() as isize);
        unsafe { System.realloc(pointer, layout, size) }
    }
}
