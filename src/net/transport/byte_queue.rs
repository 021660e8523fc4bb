//! Bytes that wait to be written, in about as much memory as there are bytes.

use std::collections::VecDeque;

/// The least capacity of a chunk, so that many short messages share one.
const CHUNK_BYTES: usize = 4 * 1024;

/// A queue of bytes. It holds at most a chunk more memory than it has bytes, and gives memory back as bytes leave.
#[derive(Debug, Default)]
pub(crate) struct ByteQueue {
    chunks: VecDeque<Vec<u8>>,
    /// The bytes of the first chunk that have left.
    gone: usize,
    length: usize,
}

impl ByteQueue {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Appends a copy of these bytes.
    pub(crate) fn extend(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len();
        if let Some(last) = self.chunks.back_mut() {
            let spare = bytes.len().min(last.capacity() - last.len());
            last.extend_from_slice(&bytes[..spare]);
            bytes = &bytes[spare..];
        }
        if !bytes.is_empty() {
            let mut chunk = Vec::with_capacity(bytes.len().max(CHUNK_BYTES));
            chunk.extend_from_slice(bytes);
            self.chunks.push_back(chunk);
        }
    }

    /// Appends these bytes without a copy.
    pub(crate) fn push(&mut self, bytes: Vec<u8>) {
        self.length += bytes.len();
        if !bytes.is_empty() {
            self.chunks.push_back(bytes);
        }
    }

    /// Returns the first bytes; empty if there are none.
    pub(crate) fn front(&self) -> &[u8] {
        self.chunks.front().map_or(&[], |chunk| &chunk[self.gone..])
    }

    /// Removes so many of the first bytes, at most those of [`front`](Self::front).
    pub(crate) fn advance(&mut self, count: usize) {
        self.length -= count;
        self.gone += count;
        if self.chunks.front().is_some_and(|chunk| chunk.len() == self.gone) {
            self.chunks.pop_front();
            self.gone = 0;
        }
        if self.chunks.is_empty() {
            // A client that was slow once need not cost memory for long.
            self.chunks = VecDeque::new();
        }
    }

    /// Removes all bytes.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn memory(queue: &ByteQueue) -> usize {
        queue.chunks.iter().map(Vec::capacity).sum()
    }

    #[test]
    fn many_short_messages_take_about_their_length() {
        let mut queue = ByteQueue::default();
        (0..10_000).for_each(|_| queue.extend(b"pong"));
        assert_eq!(queue.len(), 40_000);
        assert!(memory(&queue) <= 40_000 + CHUNK_BYTES, "{}", memory(&queue));
        while !queue.is_empty() {
            queue.advance(queue.front().len());
        }
        assert_eq!(memory(&queue), 0);
    }

    proptest! {
        #[test]
        fn bytes_leave_in_the_order_in_which_they_came(
            steps in vec((vec(any::<u8>(), 0..6_000), any::<bool>(), 0..9_000_usize), 0..30),
        ) {
            let (mut queue, mut expected) = (ByteQueue::default(), VecDeque::new());
            for (bytes, copied, leave) in steps {
                expected.extend(&bytes);
                if copied { queue.extend(&bytes) } else { queue.push(bytes) }
                let count = leave.min(queue.front().len());
                let left: Vec<u8> = queue.front()[..count].to_vec();
                queue.advance(count);
                prop_assert_eq!(left, expected.drain(..count).collect::<Vec<u8>>());
                prop_assert_eq!(queue.len(), expected.len());
            }
        }
    }
}
