//! Frames of state, event `s`:
//!
//! ```text
//! [kind, tick, age, ack, margin, section, section, ...]
//!
//! [-3, ids]                                      despawn
//! [-2, component, ids]                           remove a component
//! [-1, mask, ids, value, value, ...]             spawn, row after row
//! [component, columns, ids, [v, ...], [v, ...]]  change, column by column
//! [-4, component, sum, component, sum, ...]      checksums
//! [-5, id]                                       the seat's avatar
//! ```
//!
//! Each seat has a head of its own. The sections are encoded once for all seats that see the same. In games that ask for it, ids and the
//! columns of a change may be *packed*: a `bin` in place of an array. A large snapshot is deflated as a whole.

use std::borrow::Borrow;

use super::{
    Block, Blocks, FrameError, Id, MAX_COMPONENT, Schema, Tick,
    deflate::{deflate, inflate},
    ids::{read_ids, write_ids, write_ids_packed},
    packed::{pack_column, unpack_column},
    wire::{MessagePackReader, array_len, int_len, write_array, write_int},
};
use bytes::{BufMut, Bytes, BytesMut};

const DESPAWN: i64 = -3;
const REMOVE: i64 = -2;
const SPAWN: i64 = -1;
const CHECKSUMS: i64 = -4;
const AVATAR: i64 = -5;

/// The number of integers in front of a frame's sections.
const HEAD_ELEMENTS: u32 = 5;

/// The kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everything that the seat sees.
    Snapshot,
    /// The changes since the base, as differences.
    Diff,
    /// The changes since the base, as values, for a seat that fell behind.
    Merged,
}

/// The part of a frame that belongs to one seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The kind of the frame.
    pub kind: Kind,
    /// The tick whose state a mirror holds after the frame.
    pub tick: Tick,
    /// The tick that the frame starts from; 0 for a snapshot.
    pub base: Tick,
    /// The low 16 bits of the number of the newest input taken.
    pub ack: u16,
    /// The ticks by which that input came before its own tick.
    pub margin: i8,
}

/// One seat's frame as it travels: a head of its own and shared blocks, or one block that is the frame deflated. `B` is how the
/// blocks are held.
#[derive(Debug, Clone, Copy)]
pub struct Frame<B = Blocks> {
    head: Head,
    /// Bytes of the head; none if it is in the deflated block.
    head_bytes: u8,
    blocks: B,
}

/// A decoded section. Ids are ascending. `values` are as in the frame: differences or values, by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the layout above")]
pub enum Section {
    /// These entities are gone.
    Despawn { ids: Vec<u32> },
    /// These entities no longer have the component.
    Remove { component: u8, ids: Vec<u32> },
    /// These entities are new; for each in turn, the columns of each component in turn.
    Spawn { components: Vec<u8>, ids: Vec<u32>, values: Vec<i64> },
    /// For each column named (ascending), a value for each id in turn.
    Change { component: u8, columns: Vec<usize>, ids: Vec<u32>, values: Vec<i64> },
    /// Components and the checksums of their columns.
    Checksums { sums: Vec<(u8, u32)> },
    /// The seat's avatar; `None` if it has none any more.
    Avatar { id: Option<Id> },
}

impl Frame {
    /// Puts a frame together; a large snapshot is deflated.
    pub fn new(head: Head, blocks: impl Into<Blocks>) -> Self {
        let blocks = blocks.into();
        if let Some(block) = deflated(&head, &blocks) {
            return Self { head, head_bytes: 0, blocks: [block].into() };
        }
        let own = Frame::plain(head, &blocks).hold(());
        own.hold(blocks)
    }

    /// The same frame, to look at.
    pub fn by_ref(&self) -> Frame<&Blocks> {
        self.hold(&self.blocks)
    }

    /// Takes it apart: what is its own, and the blocks.
    pub fn split(self) -> (Frame<()>, Blocks) {
        (self.hold(()), self.blocks)
    }
}

impl<'a> Frame<&'a Blocks> {
    /// A frame that is not deflated.
    pub fn plain(head: Head, blocks: &'a Blocks) -> Self {
        Self { head, head_bytes: head_bytes(&head, blocks.sections()), blocks }
    }
}

impl<B> Frame<B> {
    /// The same with its blocks held in another way.
    pub fn hold<C>(&self, blocks: C) -> Frame<C> {
        Frame { head: self.head, head_bytes: self.head_bytes, blocks }
    }

    /// How its blocks are held.
    pub fn held(&self) -> &B {
        &self.blocks
    }

    /// The tick whose state a mirror holds after the frame.
    pub fn tick(&self) -> Tick {
        self.head.tick
    }

    /// The seat's own part.
    pub fn head(&self) -> &Head {
        &self.head
    }
}

impl<B: Borrow<Blocks>> Frame<B> {
    /// The frame's length in bytes.
    #[allow(clippy::len_without_is_empty, reason = "a frame has a head at least")]
    pub fn len(&self) -> usize {
        usize::from(self.head_bytes) + self.blocks.borrow().len()
    }

    /// The frame as it travels.
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.len());
        self.write_to(&mut bytes);
        bytes.freeze()
    }

    /// Appends the frame as it travels.
    pub fn write_to(&self, to: &mut impl BufMut) {
        let blocks = self.blocks.borrow();
        if self.head_bytes > 0 {
            to.put_slice(encode_head(&self.head, blocks.sections()).as_slice());
        }
        blocks.iter().for_each(|block| to.put_slice(&block.bytes));
    }
}

/// A snapshot in one block, if it is large enough to be worth it.
fn deflated(head: &Head, blocks: &Blocks) -> Option<Block> {
    if head.kind != Kind::Snapshot {
        return None;
    }
    let bytes = deflate(&Frame::plain(*head, blocks).to_bytes())?;
    Some(Block { sections: blocks.sections(), bytes: bytes.into() })
}

/// The integers of a head between its length and its margin.
fn head_integers(head: &Head) -> [u32; 4] {
    let (kind, age) = match head.kind {
        Kind::Snapshot => (0, 0),
        Kind::Diff => (1, head.tick.since(head.base)),
        Kind::Merged => (2, head.tick.since(head.base)),
    };
    [kind, head.tick.0, age, u32::from(head.ack)]
}

/// How many bytes [`encode_head`] makes.
fn head_bytes(head: &Head, sections: u32) -> u8 {
    const MARGIN: u8 = 1;
    let length = if HEAD_ELEMENTS + sections <= 15 { 1 } else { 3 };
    let integer = |value: u32| match value {
        0..=0x7f => 1,
        0x80..=0xff => 2,
        0x100..=0xffff => 3,
        _ => 5,
    };
    length + head_integers(head).into_iter().map(integer).sum::<u8>() + MARGIN
}

/// The most bytes of a head.
const MAX_HEAD: usize = 3 + 4 * 5 + 1;

/// The bytes of a head. A frame for each seat and tick begins with them, so they are written without a look at a capacity.
struct HeadBytes {
    bytes: [u8; MAX_HEAD],
    length: usize,
}

impl HeadBytes {
    #[inline]
    fn push<const N: usize>(&mut self, part: [u8; N]) {
        self.bytes[self.length..self.length + N].copy_from_slice(&part);
        self.length += N;
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

fn encode_head(head: &Head, sections: u32) -> HeadBytes {
    let mut to = HeadBytes { bytes: [0; MAX_HEAD], length: 0 };
    match HEAD_ELEMENTS + sections {
        elements @ 0..=15 => to.push([0x90 | elements as u8]),
        elements => {
            let [high, low] = (elements as u16).to_be_bytes();
            to.push([0xdc, high, low]);
        }
    }
    for value in head_integers(head) {
        let [a, b, c, d] = value.to_be_bytes();
        match value {
            0..=0x7f => to.push([d]),
            0x80..=0xff => to.push([0xcc, d]),
            0x100..=0xffff => to.push([0xcd, c, d]),
            _ => to.push([0xce, a, b, c, d]),
        }
    }
    // -32..=127 is one byte in MessagePack, and the same as in two's complement.
    to.push([head.margin.max(-32) as u8]);
    debug_assert_eq!(to.length, usize::from(head_bytes(head, sections)), "the length is foreseen");
    to
}

/// Encodes sections one after the other into a [`Block`].
#[derive(Debug, Default)]
pub struct SectionWriter {
    packed: bool,
    sections: u32,
    bytes: Vec<u8>,
    /// A column before it is packed.
    column: Vec<i64>,
}

impl SectionWriter {
    /// A writer for a game that packs its lists, or for one that does not.
    pub fn new(packed: bool) -> Self {
        Self { packed, ..Self::default() }
    }

    /// Entities are gone. Nothing is written for no ids.
    pub fn despawn(&mut self, ids: &[u32]) {
        if !ids.is_empty() {
            self.open(2, DESPAWN);
            self.ids(ids);
        }
    }

    /// A component is gone from entities. Nothing is written for no ids.
    pub fn remove(&mut self, component: u8, ids: &[u32]) {
        if !ids.is_empty() {
            self.open(3, REMOVE);
            write_int(&mut self.bytes, i64::from(component));
            self.ids(ids);
        }
    }

    /// Entities with the components in `mask` are new; `values` row after row.
    pub fn spawn(&mut self, mask: u64, ids: &[u32], values: &[i64]) {
        self.open(3 + values.len(), SPAWN);
        write_int(&mut self.bytes, mask as i64);
        self.ids(ids);
        values.iter().for_each(|&value| write_int(&mut self.bytes, value));
    }

    /// A component of entities changed in the columns of `mask`; `column` gives the values of one for all ids in turn.
    pub fn change<'a>(&mut self, component: u8, mask: u64, ids: &[u32], column: impl Fn(usize) -> &'a [i64]) {
        self.open(3 + mask.count_ones() as usize, i64::from(component));
        write_int(&mut self.bytes, mask as i64);
        self.ids(ids);
        for at in bits(mask) {
            let values = column(at);
            // The gather by id keeps the caller's columns where they are.
            let values = ids.iter().map(|&id| values[id as usize]);
            if self.packed {
                self.column.clear();
                self.column.extend(values);
                let plain = array_len(ids.len()) + self.column.iter().map(|&value| int_len(value)).sum::<usize>();
                if !pack_column(&mut self.bytes, &self.column, plain) {
                    write_column(&mut self.bytes, self.column.iter().copied());
                }
            } else {
                write_column(&mut self.bytes, values);
            }
        }
    }

    /// Components and the checksums of their columns. Nothing is written for none.
    pub fn checksums(&mut self, sums: &[(u8, u32)]) {
        if !sums.is_empty() {
            self.open(1 + 2 * sums.len(), CHECKSUMS);
            for &(component, sum) in sums {
                write_int(&mut self.bytes, i64::from(component));
                write_int(&mut self.bytes, i64::from(sum));
            }
        }
    }

    /// The seat's avatar is another entity from now on.
    pub fn avatar(&mut self, id: Option<Id>) {
        self.open(1 + usize::from(id.is_some()), AVATAR);
        if let Some(Id(id)) = id {
            write_int(&mut self.bytes, i64::from(id));
        }
    }

    /// The block of all that was written since the last one.
    pub fn finish(&mut self) -> Block {
        let block = Block { sections: self.sections, bytes: self.bytes.as_slice().into() };
        self.sections = 0;
        self.bytes.clear();
        block
    }

    fn ids(&mut self, ids: &[u32]) {
        if self.packed {
            write_ids_packed(&mut self.bytes, ids);
        } else {
            write_ids(&mut self.bytes, ids);
        }
    }

    fn open(&mut self, elements: usize, code: i64) {
        self.sections += 1;
        write_array(&mut self.bytes, elements);
        write_int(&mut self.bytes, code);
    }
}

fn write_column(to: &mut Vec<u8>, values: impl ExactSizeIterator<Item = i64>) {
    write_array(to, values.len());
    values.for_each(|value| write_int(to, value));
}

/// Returns an entity's part in the checksum of a component: FNV-1a over its id and columns as 32-bit words. The checksum is the sum of
/// all parts, so that the order does not matter.
#[inline]
pub fn term(id: Id, columns: impl IntoIterator<Item = i64>) -> u32 {
    let mix = |hash: u32, word: u32| (hash ^ word).wrapping_mul(16_777_619);
    columns.into_iter().fold(mix(2_166_136_261, id.0), |hash, value| mix(hash, value as u32))
}

/// Decodes a frame. Everything is checked against the schema; unknown sections are left out.
///
/// # Errors
/// The bytes are not one whole frame of the schema.
pub fn decode_frame(schema: &Schema, bytes: &[u8]) -> Result<(Head, Vec<Section>), FrameError> {
    let frame = inflate(bytes)?;
    let mut from = MessagePackReader::new(&frame);
    let elements = from.array()?;
    let sections = elements.checked_sub(HEAD_ELEMENTS as usize).ok_or(FrameError)?;
    let kind = match from.int()? {
        0 => Kind::Snapshot,
        1 => Kind::Diff,
        2 => Kind::Merged,
        _ => return Err(FrameError),
    };
    let tick = from.int_in(0..=i64::from(u32::MAX))? as u32;
    let age = from.int_in(0..=i64::from(tick))? as u32;
    let ack = from.int_in(0..=i64::from(u16::MAX))? as u16;
    let margin = from.int_in(-32..=127)? as i8;
    let base = if kind == Kind::Snapshot { Tick(0) } else { Tick(tick - age) };
    let mut decoded = Vec::with_capacity(sections.min(64));
    for _ in 0..sections {
        decoded.extend(decode_section(schema, &mut from)?);
    }
    if from.is_empty() { Ok((Head { kind, tick: Tick(tick), base, ack, margin }, decoded)) } else { Err(FrameError) }
}

fn decode_section(schema: &Schema, from: &mut MessagePackReader<'_>) -> Result<Option<Section>, FrameError> {
    let elements = from.array()?;
    let code = if elements == 0 { return Err(FrameError) } else { from.int()? };
    let rest = elements - 1;
    let section = match code {
        DESPAWN if rest == 1 => Section::Despawn { ids: read_ids(from)? },
        REMOVE if rest == 2 => Section::Remove { component: known(schema, from.int()?)?.0, ids: read_ids(from)? },
        SPAWN if rest >= 2 => decode_spawn(schema, from, rest - 2)?,
        CHECKSUMS if rest % 2 == 0 => {
            let mut sums = Vec::new();
            for _ in 0..rest / 2 {
                sums.push((known(schema, from.int()?)?.0, from.int_in(0..=i64::from(u32::MAX))? as u32));
            }
            Section::Checksums { sums }
        }
        AVATAR if rest == 0 => Section::Avatar { id: None },
        AVATAR if rest == 1 => Section::Avatar { id: Some(Id(from.int_in(0..=i64::from(u32::MAX))? as u32)) },
        0.. if known(schema, code).is_ok() && rest >= 2 => decode_change(schema, code as u8, from, rest - 2)?,
        DESPAWN | REMOVE | SPAWN | CHECKSUMS | AVATAR | 0.. => return Err(FrameError),
        _ => {
            for _ in 0..rest {
                from.skip()?;
            }
            return Ok(None);
        }
    };
    Ok(Some(section))
}

fn decode_spawn(schema: &Schema, from: &mut MessagePackReader<'_>, values: usize) -> Result<Section, FrameError> {
    let mask = from.int_in(0..=(1 << (MAX_COMPONENT + 1)) - 1)? as u64;
    let mut components = Vec::new();
    let mut width = 0;
    for component in bits(mask) {
        let (component, columns) = known(schema, component as i64)?;
        width += columns;
        components.push(component);
    }
    let ids = read_ids(from)?;
    if width * ids.len() != values {
        return Err(FrameError);
    }
    let values = (0..values).map(|_| from.int()).collect::<Result<_, _>>()?;
    Ok(Section::Spawn { components, ids, values })
}

fn decode_change(schema: &Schema, component: u8, from: &mut MessagePackReader<'_>, arrays: usize) -> Result<Section, FrameError> {
    let (_, width) = known(schema, i64::from(component))?;
    let mask = from.int_in(0..=(1 << width) - 1)? as u64;
    let columns: Vec<usize> = bits(mask).collect();
    let ids = read_ids(from)?;
    if columns.len() != arrays {
        return Err(FrameError);
    }
    let mut values = Vec::new();
    for _ in 0..arrays {
        if let Some(packed) = from.bin()? {
            unpack_column(packed, ids.len(), &mut values)?;
            continue;
        }
        if from.array()? != ids.len() {
            return Err(FrameError);
        }
        for _ in 0..ids.len() {
            values.push(from.int()?);
        }
    }
    Ok(Section::Change { component, columns, ids, values })
}

/// A component of the schema and how many columns it has.
fn known(schema: &Schema, component: i64) -> Result<(u8, usize), FrameError> {
    let component = u8::try_from(component).map_err(|_| FrameError)?;
    schema.component(component).map(|columns| (component, columns.len())).ok_or(FrameError)
}

/// Returns the positions of the bits of a mask, ascending.
pub(crate) fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (at < 64).then_some(at)
    })
}
