//! Lists of ids as gaps and runs: a gap `g ≥ 0` names the id `next + g`, a run `−n` names the `n` ids from `next`.

use super::{
    packed::{pack_ids, unpack_ids},
    wire::{Malformed, MessagePackReader, array_len, int_len, write_array, write_int},
};

/// The most ids in one list. No match has as many entities.
const MAX_IDS: usize = 1 << 20;

/// Appends a list of ids, which must be ascending.
pub(crate) fn write_ids(to: &mut Vec<u8>, ids: &[u32]) {
    let mut elements = 0;
    for_each_element(ids, |_| elements += 1);
    write_array(to, elements);
    for_each_element(ids, |element| write_int(to, element));
}

/// Appends a list of ids, which must be ascending. Packs it where that is shorter.
pub(crate) fn write_ids_packed(to: &mut Vec<u8>, ids: &[u32]) {
    let (mut elements, mut bytes) = (0, 0);
    for_each_element(ids, |element| {
        elements += 1;
        bytes += int_len(element);
    });
    if !pack_ids(to, ids, array_len(elements) + bytes) {
        write_ids(to, ids);
    }
}

/// Reads a list of ids, packed or not. They are ascending.
pub(crate) fn read_ids(from: &mut MessagePackReader<'_>) -> Result<Vec<u32>, Malformed> {
    if let Some(packed) = from.bin()? {
        return unpack_ids(packed);
    }
    let mut ids = Vec::new();
    let mut next = 0u32;
    for _ in 0..from.array()? {
        let element = from.int()?;
        let (gap, run) = if element < 0 { (0, element.unsigned_abs()) } else { (element as u64, 1) };
        let first = u32::try_from(u64::from(next) + gap).map_err(|_| Malformed)?;
        let end = u32::try_from(run).ok().and_then(|run| first.checked_add(run)).ok_or(Malformed)?;
        if ids.len() + run as usize > MAX_IDS {
            return Err(Malformed);
        }
        ids.extend(first..end);
        next = end;
    }
    Ok(ids)
}

/// Returns the elements of a list: a run of two or more neighbours is one element, and any other id is a gap.
#[inline]
fn for_each_element(ids: &[u32], mut element: impl FnMut(i64)) {
    let (mut next, mut at) = (0, 0);
    while at < ids.len() {
        if ids[at] == next {
            let run = ids[at..].iter().zip(next..).take_while(|(id, expected)| *id == expected).count();
            element(if run == 1 { 0 } else { -(run as i64) });
            at += run;
        } else {
            element(i64::from(ids[at] - next));
            at += 1;
        }
        next = ids[at - 1] + 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_set, prelude::*};

    use super::*;

    fn written(ids: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_ids(&mut bytes, ids);
        bytes
    }

    #[test]
    fn neighbours_are_runs() {
        assert_eq!(written(&[0, 1, 2, 3]), [0x91, 0xfc]);
        assert_eq!(written(&[3, 4, 6]), [0x93, 3, 0, 1]);
        assert_eq!(written(&[3, 4, 5, 7]), [0x93, 3, 0xfe, 1]);
    }

    #[test]
    fn a_run_that_is_too_long_is_refused() {
        let mut bytes = vec![0x91];
        write_int(&mut bytes, i64::MIN);
        assert_eq!(read_ids(&mut MessagePackReader::new(&bytes)), Err(Malformed));
    }

    proptest! {
        #[test]
        fn ids_are_read_as_they_were_written(ids in btree_set(0u32..500, 0..200)) {
            let ids: Vec<u32> = ids.into_iter().collect();
            prop_assert_eq!(read_ids(&mut MessagePackReader::new(&written(&ids))), Ok(ids));
        }
    }
}
