//! Encoded sections that several seats share.

use std::{borrow::Cow, sync::Arc};

use smallvec::SmallVec;

/// Encoded sections, shared by all seats that see the same.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub(super) sections: u32,
    pub(super) bytes: Arc<[u8]>,
}

/// The blocks of one frame, in order. It is one pointer large, and a clone costs a reference count.
#[derive(Debug, Clone, Default)]
pub struct Blocks(Option<Arc<Chain>>);

#[derive(Debug)]
struct Chain {
    blocks: SmallVec<[Block; 4]>,
    sections: u32,
    bytes: u32,
}

impl Block {
    /// Returns whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.sections == 0
    }

    /// Returns its length in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }
}

impl FromIterator<Block> for Blocks {
    /// Empty blocks are left out.
    fn from_iter<I: IntoIterator<Item = Block>>(blocks: I) -> Self {
        let blocks: SmallVec<[Block; 4]> = blocks.into_iter().filter(|block| !block.is_empty()).collect();
        let sections = blocks.iter().map(|block| block.sections).sum();
        let bytes = blocks.iter().map(Block::len).sum::<usize>() as u32;
        Self((!blocks.is_empty()).then(|| Arc::new(Chain { blocks, sections, bytes })))
    }
}

impl<const N: usize> From<[Block; N]> for Blocks {
    fn from(blocks: [Block; N]) -> Self {
        blocks.into_iter().collect()
    }
}

impl From<Cow<'_, Self>> for Blocks {
    fn from(blocks: Cow<'_, Self>) -> Self {
        blocks.into_owned()
    }
}

impl Blocks {
    /// Returns whether both are the same allocation, not only equal.
    pub fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        }
    }

    /// Returns whether they have no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns their length in bytes.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |chain| chain.bytes as usize)
    }

    /// Iterates over the blocks.
    pub fn iter(&self) -> impl Iterator<Item = &Block> {
        self.0.iter().flat_map(|chain| chain.blocks.iter())
    }

    pub(super) fn sections(&self) -> u32 {
        self.0.as_ref().map_or(0, |chain| chain.sections)
    }

    /// Returns these blocks with others behind them.
    pub fn with(&self, more: &Self) -> Self {
        self.iter().chain(more.iter()).cloned().collect()
    }
}
