//! The parts of frames: MessagePack integers, array headers and binaries.

use rmp::{Marker, encode};
use thiserror::Error;

/// Appends an integer in its shortest form.
#[inline]
pub(crate) fn write_int(to: &mut Vec<u8>, value: i64) {
    if (-32..128).contains(&value) {
        to.push(value as u8);
    } else {
        encode::write_sint(to, value).expect("writing to a Vec cannot fail");
    }
}

/// Appends an array's header in its shortest form.
#[inline]
pub(crate) fn write_array(to: &mut Vec<u8>, len: usize) {
    encode::write_array_len(to, len as u32).expect("writing to a Vec cannot fail");
}

/// Returns the bytes of an integer in its shortest form.
#[inline]
pub(crate) fn int_len(value: i64) -> usize {
    match value {
        -0x20..=0x7f => 1,
        -0x80..=0xff => 2,
        -0x8000..=0xffff => 3,
        -0x8000_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

/// Returns the bytes of an array's header in its shortest form.
pub(crate) fn array_len(len: usize) -> usize {
    match len {
        0..=0xf => 1,
        0x10..=0xffff => 3,
        _ => 5,
    }
}

/// Returns the bytes of a `bin` with so many bytes in it.
pub(crate) fn bin_len(len: usize) -> usize {
    len + if len < 1 << 8 {
        2
    } else if len < 1 << 16 {
        3
    } else {
        5
    }
}

/// Appends a `bin`'s header in its shortest form.
pub(crate) fn write_bin_head(to: &mut Vec<u8>, len: usize) {
    encode::write_bin_len(to, len as u32).expect("writing to a Vec cannot fail");
}

/// Appends a `bin` in its shortest form.
pub(crate) fn write_bin(to: &mut Vec<u8>, bytes: &[u8]) {
    write_bin_head(to, bytes.len());
    to.extend_from_slice(bytes);
}

/// Appends a text in its shortest form.
pub(crate) fn write_text(to: &mut Vec<u8>, text: &str) {
    encode::write_str(to, text).expect("writing to a Vec cannot fail");
}

/// The bytes are not what was expected, or too few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Bytes that are not a frame of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a frame of this game's schema")]
pub struct FrameError;

impl From<Malformed> for FrameError {
    fn from(_: Malformed) -> Self {
        Self
    }
}

/// Reads MessagePack bytes that came from the network. It never panics, and never allocates by a length that it read.
pub(crate) struct MessagePackReader<'a> {
    bytes: &'a [u8],
}

impl<'a> MessagePackReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Reads an integer of any width. Floats are refused, even whole ones, and so are numbers that do not fit an `i64`.
    #[inline]
    pub(crate) fn int(&mut self) -> Result<i64, Malformed> {
        // Most integers are one byte, which is the same as in two's complement.
        match *self.bytes {
            [byte @ (0..=0x7f | 0xe0..), ref rest @ ..] => {
                self.bytes = rest;
                Ok(i64::from(byte as i8))
            }
            _ => self.long_int(),
        }
    }

    fn long_int(&mut self) -> Result<i64, Malformed> {
        match Marker::from_u8(self.take::<1>()?[0]) {
            Marker::FixPos(value) => Ok(i64::from(value)),
            Marker::FixNeg(value) => Ok(i64::from(value)),
            Marker::U8 => Ok(i64::from(self.take::<1>()?[0])),
            Marker::U16 => Ok(i64::from(u16::from_be_bytes(self.take()?))),
            Marker::U32 => Ok(i64::from(u32::from_be_bytes(self.take()?))),
            Marker::U64 => i64::try_from(u64::from_be_bytes(self.take()?)).map_err(|_| Malformed),
            Marker::I8 => Ok(i64::from(i8::from_be_bytes(self.take()?))),
            Marker::I16 => Ok(i64::from(i16::from_be_bytes(self.take()?))),
            Marker::I32 => Ok(i64::from(i32::from_be_bytes(self.take()?))),
            Marker::I64 => Ok(i64::from_be_bytes(self.take()?)),
            _ => Err(Malformed),
        }
    }

    /// Reads an integer within a range.
    pub(crate) fn int_in(&mut self, range: std::ops::RangeInclusive<i64>) -> Result<i64, Malformed> {
        self.int().and_then(|value| if range.contains(&value) { Ok(value) } else { Err(Malformed) })
    }

    /// Reads an array's header. Every element takes at least one byte, so a length beyond the bytes that are left is refused.
    pub(crate) fn array(&mut self) -> Result<usize, Malformed> {
        let len = match Marker::from_u8(self.take::<1>()?[0]) {
            Marker::FixArray(len) => usize::from(len),
            Marker::Array16 => usize::from(u16::from_be_bytes(self.take()?)),
            Marker::Array32 => u32::from_be_bytes(self.take()?) as usize,
            _ => return Err(Malformed),
        };
        if len <= self.bytes.len() { Ok(len) } else { Err(Malformed) }
    }

    /// Reads a text. Returns `None` and reads nothing if something else comes next.
    pub(crate) fn text(&mut self) -> Result<Option<&'a str>, Malformed> {
        let Some(&first) = self.bytes.first() else { return Err(Malformed) };
        let marker = Marker::from_u8(first);
        if !matches!(marker, Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32) {
            return Ok(None);
        }
        self.take::<1>()?;
        let len = match marker {
            Marker::FixStr(len) => usize::from(len),
            Marker::Str8 => usize::from(self.take::<1>()?[0]),
            Marker::Str16 => usize::from(u16::from_be_bytes(self.take()?)),
            _ => u32::from_be_bytes(self.take()?) as usize,
        };
        let (bytes, rest) = self.bytes.split_at_checked(len).ok_or(Malformed)?;
        self.bytes = rest;
        std::str::from_utf8(bytes).map(Some).map_err(|_| Malformed)
    }

    /// Reads the bytes of a `bin`. Returns `None` and reads nothing if something else comes next.
    pub(crate) fn bin(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let Some(&first) = self.bytes.first() else { return Err(Malformed) };
        let marker = Marker::from_u8(first);
        if !matches!(marker, Marker::Bin8 | Marker::Bin16 | Marker::Bin32) {
            return Ok(None);
        }
        self.take::<1>()?;
        let len = match marker {
            Marker::Bin8 => usize::from(self.take::<1>()?[0]),
            Marker::Bin16 => usize::from(u16::from_be_bytes(self.take()?)),
            _ => u32::from_be_bytes(self.take()?) as usize,
        };
        let (bytes, rest) = self.bytes.split_at_checked(len).ok_or(Malformed)?;
        self.bytes = rest;
        Ok(Some(bytes))
    }

    /// Skips one value of any kind. It is iterative, so that deep nesting costs no stack.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        let mut left: u64 = 1;
        while left > 0 {
            left -= 1;
            let (bytes, elements): (u64, u64) = match Marker::from_u8(self.take::<1>()?[0]) {
                Marker::FixPos(_) | Marker::FixNeg(_) | Marker::Null | Marker::True | Marker::False => (0, 0),
                Marker::U8 | Marker::I8 => (1, 0),
                Marker::U16 | Marker::I16 => (2, 0),
                Marker::U32 | Marker::I32 | Marker::F32 => (4, 0),
                Marker::U64 | Marker::I64 | Marker::F64 => (8, 0),
                Marker::FixStr(len) => (u64::from(len), 0),
                Marker::Str8 | Marker::Bin8 => (u64::from(self.take::<1>()?[0]), 0),
                Marker::Str16 | Marker::Bin16 => (u64::from(u16::from_be_bytes(self.take()?)), 0),
                Marker::Str32 | Marker::Bin32 => (u64::from(u32::from_be_bytes(self.take()?)), 0),
                Marker::FixArray(len) => (0, u64::from(len)),
                Marker::Array16 => (0, u64::from(u16::from_be_bytes(self.take()?))),
                Marker::Array32 => (0, u64::from(u32::from_be_bytes(self.take()?))),
                Marker::FixMap(len) => (0, 2 * u64::from(len)),
                Marker::Map16 => (0, 2 * u64::from(u16::from_be_bytes(self.take()?))),
                Marker::Map32 => (0, 2 * u64::from(u32::from_be_bytes(self.take()?))),
                Marker::FixExt1 => (2, 0),
                Marker::FixExt2 => (3, 0),
                Marker::FixExt4 => (5, 0),
                Marker::FixExt8 => (9, 0),
                Marker::FixExt16 => (17, 0),
                Marker::Ext8 => (1 + u64::from(self.take::<1>()?[0]), 0),
                Marker::Ext16 => (1 + u64::from(u16::from_be_bytes(self.take()?)), 0),
                Marker::Ext32 => (1 + u64::from(u32::from_be_bytes(self.take()?)), 0),
                Marker::Reserved => return Err(Malformed),
            };
            let bytes = usize::try_from(bytes).map_err(|_| Malformed)?;
            self.bytes = self.bytes.get(bytes..).ok_or(Malformed)?;
            left += elements;
        }
        Ok(())
    }

    #[inline]
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self.bytes.split_first_chunk::<N>().ok_or(Malformed)?;
        self.bytes = rest;
        Ok(*bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_integer_is_read_as_it_was_written(value: i64) {
            let mut bytes = Vec::new();
            write_int(&mut bytes, value);
            let mut reader = MessagePackReader::new(&bytes);
            prop_assert_eq!(reader.int(), Ok(value));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn the_length_of_an_integer_is_known_before_it_is_written(value: i64, shift in 0..64) {
            let mut bytes = Vec::new();
            write_int(&mut bytes, value >> shift);
            prop_assert_eq!(bytes.len(), int_len(value >> shift));
        }

        #[test]
        fn any_bytes_are_skipped_or_refused(bytes: Vec<u8>) {
            let _ = MessagePackReader::new(&bytes).skip();
        }
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        assert_eq!(MessagePackReader::new(&[0x91; 1_000_000]).skip(), Err(Malformed));
    }
}
