//! Packed lists: a MessagePack `bin` of bits in place of an array of integers.
//!
//! ```text
//! ids     [k, code, code, ...]                   gaps, each in a Rice code; k = 0 makes it a bitmask
//! column  [k, code, code, ...]                   values in zigzag, each in a Rice code; k up to 30
//! column  [31, least, span, code, code, ...]     values less the least of them, each in 1 or more bits
//! ```
//!
//! The first elements are a byte and varints. The codes are bits, the lowest bit of a byte first. A Rice code copes with a few large
//! values; the other form is short where values are spread evenly. Every code takes at least one bit, so the length of a list is
//! bounded by its bytes.

use super::wire::{Malformed, bin_len, write_bin_head};

/// The first byte of a column that is not in Rice codes.
const SPREAD: u8 = 31;

/// The most leading zeros of a Rice code. A value with more is escaped.
const MAX_ZEROS: u64 = 16;

/// The bits of an escaped value.
const ESCAPED_BITS: u32 = 32;

/// The largest Rice parameter that is tried. Beyond it the other form is as short.
const MAX_TRIED: u32 = 16;

/// The largest `span` of the other form; the smallest is 1.
const MAX_SPAN: u64 = (1 << 31) - 1;

/// The most bytes of a varint.
const VARINT_BYTES: u32 = 5;

/// Appends packed ids if that takes fewer than `plain` bytes. The ids must be ascending.
pub(super) fn pack_ids(to: &mut Vec<u8>, ids: &[u32], plain: usize) -> bool {
    // Each code takes at least one bit, and runs may be shorter than that.
    if bin_len(1 + ids.len().div_ceil(8)) >= plain {
        return false;
    }
    let gaps = || ids.iter().scan(0u32, |next, &id| Some(u64::from(id - std::mem::replace(next, id.wrapping_add(1)))));
    let (parameter, bits) = best_parameter(gaps);
    let len = 1 + bits.div_ceil(8);
    if bin_len(len) >= plain {
        return false;
    }
    write_bin_head(to, len);
    to.push(parameter as u8);
    let mut bits = BitWriter::new(to);
    gaps().for_each(|gap| bits.rice(gap, parameter));
    bits.finish();
    true
}

/// Appends a packed column if that takes fewer than `plain` bytes.
pub(super) fn pack_column(to: &mut Vec<u8>, values: &[i64], plain: usize) -> bool {
    let spread = Spread::of(values);
    let rice = values.iter().fold(0, |any, &value| any | zigzag(value)) < 1 << ESCAPED_BITS;
    let rice = rice.then(|| best_parameter(|| values.iter().map(|&value| zigzag(value))));
    let rice_len = rice.map_or(usize::MAX, |(_, bits)| 1 + bits.div_ceil(8));
    let spread_len = spread.as_ref().map_or(usize::MAX, |spread| spread.len(values));
    let len = rice_len.min(spread_len);
    if len >= plain || bin_len(len) >= plain {
        return false;
    }
    write_bin_head(to, len);
    match (spread, rice) {
        (Some(spread), _) if spread_len <= rice_len => spread.write(to, values),
        (_, Some((parameter, _))) => {
            to.push(parameter as u8);
            let mut bits = BitWriter::new(to);
            values.iter().for_each(|&value| bits.rice(zigzag(value), parameter));
            bits.finish();
        }
        _ => unreachable!("a length came from one of the two"),
    }
    true
}

/// Reads packed ids. They are ascending.
pub(super) fn unpack_ids(packed: &[u8]) -> Result<Vec<u32>, Malformed> {
    let (&parameter, codes) = packed.split_first().ok_or(Malformed)?;
    if parameter >= SPREAD {
        return Err(Malformed);
    }
    let mut bits = BitReader::new(codes);
    let mut ids = Vec::new();
    let mut next = 0u64;
    while !bits.at_end() {
        let id = u32::try_from(next + bits.rice(parameter.into())?).map_err(|_| Malformed)?;
        next = u64::from(id) + 1;
        ids.push(id);
    }
    Ok(ids)
}

/// Appends the `count` values of a packed column.
pub(super) fn unpack_column(packed: &[u8], count: usize, values: &mut Vec<i64>) -> Result<(), Malformed> {
    let (&form, mut codes) = packed.split_first().ok_or(Malformed)?;
    if form < SPREAD {
        let mut bits = BitReader::new(codes);
        for _ in 0..count {
            values.push(unzigzag(bits.rice(form.into())?));
        }
        return if bits.at_end() { Ok(()) } else { Err(Malformed) };
    }
    if form != SPREAD {
        return Err(Malformed);
    }
    let least = unzigzag(read_varint(&mut codes)?);
    let spread = Spread::new(least, read_varint(&mut codes)?).ok_or(Malformed)?;
    let mut bits = BitReader::new(codes);
    for _ in 0..count {
        values.push(spread.read(&mut bits)?);
    }
    if bits.at_end() { Ok(()) } else { Err(Malformed) }
}

/// Checks both directions with bytes that come from anywhere: the first is a number of values, the others are a list.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn check(bytes: &[u8]) {
    let Some((&count, list)) = bytes.split_first() else { return };
    let bin = |packed: &[u8]| super::wire::MessagePackReader::new(packed).bin().ok().flatten().map(<[u8]>::to_vec);
    if let Ok(ids) = unpack_ids(list) {
        assert!(ids.is_sorted_by(|a, b| a < b), "the ids are not ascending: {ids:?}");
        let mut packed = Vec::new();
        if pack_ids(&mut packed, &ids, usize::MAX) {
            let again = bin(&packed).map(|packed| unpack_ids(&packed));
            assert!(matches!(&again, Some(Ok(again)) if *again == ids), "{ids:?} are read as {again:?}");
        }
    }
    let read = |packed: &[u8], count| {
        let mut values = Vec::new();
        unpack_column(packed, count, &mut values).map(|()| values).ok()
    };
    // The values that were read, and the bytes themselves as values.
    let whole = list.as_chunks().0.iter().map(|bytes| i64::from(i32::from_le_bytes(*bytes)) << (count % 32)).collect();
    for values in read(list, count.into()).into_iter().chain([whole]) {
        let mut packed = Vec::new();
        if pack_column(&mut packed, &values, usize::MAX) {
            let again = bin(&packed).and_then(|packed| read(&packed, values.len()));
            assert_eq!(again.as_ref(), Some(&values), "a column changes as it is packed and unpacked");
        }
    }
}

/// Truncated binary codes, for values that are spread evenly between the least and the greatest.
struct Spread {
    least: i64,
    span: u64,
    /// The bits of a short code.
    width: u32,
    /// The number of values with a short code. The others take one bit more.
    short: u64,
}

impl Spread {
    fn of(values: &[i64]) -> Option<Self> {
        let (&least, &most) = (values.iter().min()?, values.iter().max()?);
        let fits = zigzag(least) < 1 << (7 * VARINT_BYTES);
        Self::new(least, most.checked_sub(least)?.unsigned_abs().max(1)).filter(|_| fits)
    }

    fn new(least: i64, span: u64) -> Option<Self> {
        if !(1..=MAX_SPAN).contains(&span) {
            return None;
        }
        let width = (span + 1).ilog2();
        Some(Self { least, span, width, short: (2 << width) - (span + 1) })
    }

    /// Returns the bytes of the whole list.
    fn len(&self, values: &[i64]) -> usize {
        let long = values.iter().filter(|&&value| (value - self.least) as u64 >= self.short).count();
        let bits = values.len() * self.width as usize + long;
        1 + varint_len(zigzag(self.least)) + varint_len(self.span) + bits.div_ceil(8)
    }

    fn write(&self, to: &mut Vec<u8>, values: &[i64]) {
        to.push(SPREAD);
        write_varint(to, zigzag(self.least));
        write_varint(to, self.span);
        let mut bits = BitWriter::new(to);
        for &value in values {
            let above = (value - self.least) as u64;
            if above < self.short {
                bits.put(above, self.width);
            } else {
                let code = above + self.short;
                bits.put(code >> 1 | (code & 1) << self.width, self.width + 1);
            }
        }
        bits.finish();
    }

    fn read(&self, bits: &mut BitReader<'_>) -> Result<i64, Malformed> {
        let mut above = bits.take(self.width)?;
        if above >= self.short {
            above = 2 * above + bits.take(1)? - self.short;
        }
        Ok(self.least + above as i64)
    }
}

/// Returns the Rice parameter that takes the fewest bits for these values, and those bits.
fn best_parameter<I: Iterator<Item = u64>>(values: impl Fn() -> I) -> (u32, usize) {
    let cost = |parameter: u32| {
        let bits = values().map(|value| match value >> parameter {
            zeros @ 0..MAX_ZEROS => zeros + 1 + u64::from(parameter),
            _ => MAX_ZEROS + u64::from(ESCAPED_BITS),
        });
        bits.sum::<u64>() as usize
    };
    let most = values().max().unwrap_or(0).checked_ilog2().unwrap_or(0).min(MAX_TRIED);
    (0..=most).map(|parameter| (parameter, cost(parameter))).min_by_key(|&(_, bits)| bits).expect("0 is tried")
}

/// Appends bits behind the bytes that are there, the lowest bit of a byte first.
struct BitWriter<'a> {
    to: &'a mut Vec<u8>,
    held: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    fn new(to: &'a mut Vec<u8>) -> Self {
        Self { to, held: 0, count: 0 }
    }

    /// Appends the low `count` bits, at most 32. The bits above must be 0.
    #[inline]
    fn put(&mut self, bits: u64, count: u32) {
        self.held |= bits << self.count;
        self.count += count;
        if self.count >= 32 {
            self.to.extend_from_slice(&(self.held as u32).to_le_bytes());
            self.held >>= 32;
            self.count -= 32;
        }
    }

    #[inline]
    fn rice(&mut self, value: u64, parameter: u32) {
        let zeros = value >> parameter;
        if zeros < MAX_ZEROS {
            self.put(1 << zeros, zeros as u32 + 1);
            self.put(value & ((1 << parameter) - 1), parameter);
        } else {
            self.put(0, MAX_ZEROS as u32);
            self.put(value, ESCAPED_BITS);
        }
    }

    fn finish(self) {
        let bytes = self.count.div_ceil(8) as usize;
        self.to.extend_from_slice(&self.held.to_le_bytes()[..bytes]);
    }
}

struct BitReader<'a> {
    bytes: &'a [u8],
    /// The position in bits.
    at: usize,
}

impl<'a> BitReader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Reads the next `count` bits, at most 32.
    #[inline]
    fn take(&mut self, count: u32) -> Result<u64, Malformed> {
        let end = self.at + count as usize;
        if end > 8 * self.bytes.len() {
            return Err(Malformed);
        }
        let bytes = self.bytes[self.at / 8..end.div_ceil(8)].iter().rev();
        let whole = bytes.fold(0u64, |whole, &byte| whole << 8 | u64::from(byte));
        let bits = (whole >> (self.at % 8)) & ((1 << count) - 1);
        self.at = end;
        Ok(bits)
    }

    #[inline]
    fn rice(&mut self, parameter: u32) -> Result<u64, Malformed> {
        let mut zeros = 0;
        while zeros < MAX_ZEROS && self.take(1)? == 0 {
            zeros += 1;
        }
        if zeros == MAX_ZEROS { self.take(ESCAPED_BITS) } else { Ok(zeros << parameter | self.take(parameter)?) }
    }

    /// Returns whether nothing is left but the zeros that fill the last byte.
    fn at_end(&self) -> bool {
        let left = 8 * self.bytes.len() - self.at;
        left == 0 || left < 8 && self.bytes[self.bytes.len() - 1] >> (8 - left) == 0
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn varint_len(value: u64) -> usize {
    (value | 1).ilog2() as usize / 7 + 1
}

fn write_varint(to: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn read_varint(from: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for at in 0..VARINT_BYTES {
        let (&byte, rest) = from.split_first().ok_or(Malformed)?;
        *from = rest;
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::{
        collection::{btree_set, vec},
        prelude::*,
    };

    use super::*;
    use crate::protocol::wire::MessagePackReader;

    fn bits_of(bytes: &[u8]) -> String {
        bytes.iter().flat_map(|byte| (0..8).map(move |bit| char::from(b'0' + (byte >> bit & 1)))).collect()
    }

    fn from_bits(bits: &str) -> Vec<u8> {
        let byte = |bits: &[u8]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | (bit - b'0'));
        bits.as_bytes().chunks(8).map(byte).collect()
    }

    /// The codes of docs/PROTOCOL.md, as text.
    fn rice(value: u64, parameter: u32) -> String {
        let number = |value: u64, bits: u32| (0..bits).map(|bit| char::from(b'0' + (value >> bit & 1) as u8)).collect::<String>();
        match value >> parameter {
            zeros @ 0..16 => "0".repeat(zeros as usize) + "1" + &number(value, parameter),
            _ => "0".repeat(16) + &number(value, 32),
        }
    }

    fn packed_ids(ids: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        assert!(pack_ids(&mut bytes, ids, usize::MAX));
        MessagePackReader::new(&bytes).bin().unwrap().unwrap().to_vec()
    }

    fn packed_column(values: &[i64]) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        pack_column(&mut bytes, values, usize::MAX).then(|| MessagePackReader::new(&bytes).bin().unwrap().unwrap().to_vec())
    }

    fn column(packed: &[u8], count: usize) -> Result<Vec<i64>, Malformed> {
        let mut values = Vec::new();
        unpack_column(packed, count, &mut values).map(|()| values)
    }

    #[test]
    fn dense_ids_are_a_bitmask() {
        assert_eq!(packed_ids(&[0, 1, 3, 4, 5, 8, 9]), [0, 0b0011_1011, 0b11]);
        assert_eq!(unpack_ids(&[0]), Ok(vec![]));
    }

    #[test]
    fn evenly_spread_values_have_codes_of_two_lengths() {
        // Seven values: one of 2 bits, six of 3.
        let values = [-3, -2, 3, 0, -3, 3, 3, 3];
        let mut packed = Vec::new();
        Spread::of(&values).unwrap().write(&mut packed, &values);
        assert_eq!(packed, [&[31, 5, 6][..], &from_bits("0010011101000111111111")].concat());
        assert_eq!(packed, [0x1f, 5, 6, 0xe4, 0xe2, 0x3f], "the example of docs/PROTOCOL.md");
        assert_eq!(column(&packed, 8), Ok(values.to_vec()));
    }

    #[test]
    fn one_value_far_away_costs_little() {
        let mut values: Vec<i64> = (0..100).map(|n| n % 2).collect();
        values[50] = 1_000_000;
        let packed = packed_column(&values).unwrap();
        assert!(packed.len() <= 1 + (50 + 49 * 3 + 48usize).div_ceil(8), "{}", packed.len());
        assert_eq!(column(&packed, 100), Ok(values));
    }

    #[test]
    fn values_that_cannot_be_packed_stay_plain() {
        assert_eq!(packed_column(&[0, 1 << 40]), None);
        assert_eq!(packed_column(&[i64::MIN, i64::MAX]), None);
        assert_eq!(packed_column(&[i64::MAX; 3]), None);
        let wide = [0, 1 << 31];
        assert_eq!(column(&packed_column(&wide).unwrap_or_default(), 2), Err(Malformed), "beyond a span and beyond zigzag");
    }

    #[test]
    fn malformed_lists_are_refused() {
        for (note, packed, count) in [
            ("nothing", &[][..], 0),
            ("an unknown form", &[32], 0),
            ("no codes", &[0], 1),
            ("a code that is cut off", &[8, 1], 1),
            ("an escape that is cut off", &[0, 0, 0, 1, 0], 1),
            ("one value more", &[0, 0b11], 1),
            ("a byte too many", &[0, 1, 0], 1),
            ("no least", &[31], 0),
            ("no span", &[31, 0], 0),
            ("an endless least", &[31, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 1, 0], 1),
            ("values of no bits", &[31, 0, 0], 1_000_000),
            ("a span beyond 31 bits", &[31, 0, 0x80, 0x80, 0x80, 0x80, 8, 0, 0, 0, 0, 0], 1),
            ("a short code that is cut off", &[31, 0, 3, 0b1001_1100], 5),
        ] {
            assert_eq!(column(packed, count), Err(Malformed), "{note}");
        }
        assert_eq!(unpack_ids(&[]), Err(Malformed));
        assert_eq!(unpack_ids(&[31, 1]), Err(Malformed));
        assert_eq!(unpack_ids(&[0, 1, 0]), Err(Malformed), "a byte too many");
        assert_eq!(unpack_ids(&[0, 0, 0, 0xff, 0xff, 0xff, 0xff]), Ok(vec![u32::MAX]));
        assert_eq!(unpack_ids(&[0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1]), Err(Malformed), "an id beyond 32 bits");
    }

    proptest! {
        #[test]
        fn ids_are_gaps_in_a_rice_code(ids in btree_set(prop_oneof![0u32..2000, any::<u32>()], 0..200)) {
            let ids: Vec<u32> = ids.into_iter().collect();
            let packed = packed_ids(&ids);
            prop_assert_eq!(unpack_ids(&packed), Ok(ids.clone()));
            let mut next = 0;
            let codes: Vec<String> = ids.iter().map(|&id| {
                let code = rice(u64::from(id) - next, packed[0].into());
                next = u64::from(id) + 1;
                code
            }).collect();
            prop_assert_eq!(&packed[1..], from_bits(&codes.concat()));
        }

        #[test]
        fn a_column_is_unpacked_as_it_was_packed(
            values in vec(prop_oneof![4 => -16i64..=16, 1 => -5000i64..5000, 1 => any::<i32>().prop_map(i64::from)], 1..200),
            shift in prop_oneof![Just(0), -5_000_000_000i64..5_000_000_000],
        ) {
            let values: Vec<i64> = values.iter().map(|value| value + shift).collect();
            let Some(packed) = packed_column(&values) else {
                prop_assert!(values.iter().any(|&value| !(-(1 << 31)..1 << 31).contains(&value)));
                return Ok(());
            };
            prop_assert_eq!(column(&packed, values.len()), Ok(values.clone()));
            if packed[0] < SPREAD {
                let codes: String = values.iter().map(|&value| rice(zigzag(value), packed[0].into())).collect();
                prop_assert_eq!(&packed[1..], from_bits(&codes));
            }
            for count in [values.len() - 1, values.len() + 1, 8 * packed.len() + 1] {
                if let Ok(others) = column(&packed, count) {
                    prop_assert!(bits_of(&packed).ends_with('0'), "only the bits that fill the last byte may differ: {others:?}");
                }
            }
        }

        #[test]
        fn any_bytes_are_a_list_or_refused(bytes: Vec<u8>, count in 0usize..1 << 20) {
            if let Ok(ids) = unpack_ids(&bytes) {
                prop_assert!(ids.is_sorted() && ids.len() <= 8 * bytes.len());
            }
            let mut values = Vec::new();
            let _ = unpack_column(&bytes, count, &mut values);
            prop_assert!(values.len() <= 8 * bytes.len());
        }
    }
}
