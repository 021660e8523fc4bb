//! Large snapshots travel deflated: in place of the frame's array, one MessagePack `bin` that holds the raw deflate stream
//! (RFC 1951) of the frame.

use std::borrow::Cow;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{
    FrameError,
    wire::{MessagePackReader, bin_len, write_bin_head},
};

/// Frames of so many bytes travel as they are.
const LEAST: usize = 1024;

/// The most bytes of a frame that is deflated: a receiver makes no more of what it gets.
const MOST: usize = 4 << 20;

/// The fastest: higher levels take several times as long for a few per cent.
const LEVEL: u32 = 1;

/// A frame as it travels deflated; `None` if that is not shorter, or the frame is not of a size that is deflated.
pub(super) fn deflate(frame: &[u8]) -> Option<Vec<u8>> {
    if !(LEAST + 1..=MOST).contains(&frame.len()) {
        return None;
    }
    let mut stream = Vec::with_capacity(frame.len());
    let ended = Compress::new(Compression::new(LEVEL), false).compress_vec(frame, &mut stream, FlushCompress::Finish);
    if !matches!(ended, Ok(Status::StreamEnd)) || bin_len(stream.len()) >= frame.len() {
        return None;
    }
    let mut bytes = Vec::with_capacity(bin_len(stream.len()));
    write_bin_head(&mut bytes, stream.len());
    bytes.extend_from_slice(&stream);
    Some(bytes)
}

/// A frame as it was before it was deflated, or as it is if it is not.
///
/// # Errors
/// The bytes are a `bin` and not one whole deflate stream of at most 4 MiB.
pub fn inflate(frame: &[u8]) -> Result<Cow<'_, [u8]>, FrameError> {
    let mut from = MessagePackReader::new(frame);
    match from.bin()? {
        None => Ok(Cow::Borrowed(frame)),
        Some(stream) if from.is_empty() => inflate_stream(stream).map(Cow::Owned),
        Some(_) => Err(FrameError),
    }
}

fn inflate_stream(stream: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut state = Decompress::new(false);
    let mut frame: Vec<u8> = Vec::with_capacity((4 * stream.len()).clamp(LEAST, MOST));
    loop {
        let before = (state.total_in(), state.total_out());
        let rest = &stream[state.total_in() as usize..];
        let status = state.decompress_vec(rest, &mut frame, FlushDecompress::None).map_err(|_| FrameError)?;
        if status == Status::StreamEnd {
            let is_all = state.total_in() as usize == stream.len() && frame.len() <= MOST;
            return if is_all { Ok(frame) } else { Err(FrameError) };
        }
        if frame.len() > MOST {
            return Err(FrameError);
        }
        if frame.len() == frame.capacity() {
            // The byte beyond the most shows that there is more.
            frame.reserve_exact(frame.len().min(MOST + 1 - frame.len()));
        } else if before == (state.total_in(), state.total_out()) {
            return Err(FrameError);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn bin(stream: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_bin_head(&mut bytes, stream.len());
        bytes.extend_from_slice(stream);
        bytes
    }

    /// The deflate stream of so many zeros.
    fn zeros(len: usize) -> Vec<u8> {
        let mut stream = Vec::with_capacity(len / 100 + 100);
        Compress::new(Compression::best(), false).compress_vec(&vec![0; len], &mut stream, FlushCompress::Finish).unwrap();
        stream
    }

    #[test]
    fn what_is_small_or_does_not_get_shorter_stays() {
        assert_eq!(deflate(&[7; LEAST]), None);
        assert!(deflate(&[7; LEAST + 1]).is_some_and(|bytes| bytes.len() < 100));
        let noise: Vec<u8> = (0..2000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).rotate_left(n).to_le_bytes()).collect();
        assert_eq!(deflate(&noise), None);
        assert_eq!(deflate(&vec![0; MOST + 1]), None);
    }

    #[test]
    fn a_bomb_is_refused() {
        assert_eq!(inflate(&bin(&zeros(MOST))).map(|frame| frame.len()), Ok(MOST));
        assert_eq!(inflate(&bin(&zeros(MOST + 1))), Err(FrameError));
        assert_eq!(inflate(&bin(&zeros(100 * MOST))), Err(FrameError));
    }

    #[test]
    fn a_stream_that_is_cut_off_or_followed_by_something_is_refused() {
        let stream = zeros(3000);
        for len in 0..stream.len() {
            assert_eq!(inflate(&bin(&stream[..len])), Err(FrameError), "{len}");
        }
        assert_eq!(inflate(&bin(&[&stream[..], &[0]].concat())), Err(FrameError));
        assert_eq!(inflate(&[&bin(&stream)[..], &[0]].concat()), Err(FrameError));
    }

    proptest! {
        #[test]
        fn a_frame_comes_out_as_it_went_in(part in vec(0x80u8.., 1..300), times in 1usize..500) {
            let frame = part.repeat(times * 300 / part.len());
            let travels = deflate(&frame).unwrap_or_else(|| frame.clone());
            prop_assume!(!matches!(frame[0], 0xc4..=0xc6));
            prop_assert_eq!(&*inflate(&travels).unwrap(), &frame[..]);
        }

        #[test]
        fn any_stream_is_inflated_or_refused(stream: Vec<u8>) {
            let _ = inflate(&bin(&stream));
        }
    }
}
