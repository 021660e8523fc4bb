//! Fetches memory into the CPU's caches before it is needed.
//!
//! A server with many rooms touches each of them once a tick. By then the caches have forgotten it, and each look at a part of it waits
//! for the main memory. To ask for all parts first and to use them later takes about as long as one of these waits.

/// The bytes that a CPU fetches at once.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Begins to fetch a value into the caches, and does not wait for it. What the value points to is not fetched. Does nothing on CPUs
/// other than x86-64.
#[inline]
pub(crate) fn prefetch<T: ?Sized>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

        let start = std::ptr::from_ref(value).cast::<i8>();
        let before = start.addr() % LINE;
        for offset in (0..before + size_of_val(value)).step_by(LINE) {
            let line = start.wrapping_sub(before).wrapping_add(offset);
            #[expect(
                unsafe_code,
                reason = "the intrinsic takes a pointer, but it reads nothing that the program sees, and never faults"
            )]
            // SAFETY: a prefetch of any address is allowed.
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(line);
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
