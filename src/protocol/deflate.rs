//! Deflates large snapshots. In place of the frame's array, one MessagePack `bin` holds the raw deflate stream (RFC 1951) of the
//! frame.

use std::borrow::Cow;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{
    FrameError,
    wire::{MessagePackReader, bin_len, write_bin_head},
};

/// Frames of at most this many bytes are not deflated.
const MIN_BYTES: usize = 1024;

/// The most bytes of a frame that is deflated. Receivers refuse a stream that inflates to more.
const MAX_BYTES: usize = 4 << 20;

/// The fastest level. Higher levels take several times as long to save a few per cent.
const LEVEL: u32 = 1;

/// Deflates a frame. `None` if that is not shorter, or the frame is too small or too large.
pub(super) fn deflate(frame: &[u8]) -> Option<Vec<u8>> {
    if !(MIN_BYTES + 1..=MAX_BYTES).contains(&frame.len()) {
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

/// Inflates a frame. Returns the bytes unchanged if they are not deflated.
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
    let mut frame: Vec<u8> = Vec::with_capacity((4 * stream.len()).clamp(MIN_BYTES, MAX_BYTES));
    loop {
        let before = (state.total_in(), state.total_out());
        let rest = &stream[state.total_in() as usize..];
        let status = state.decompress_vec(rest, &mut frame, FlushDecompress::None).map_err(|_| FrameError)?;
        if status == Status::StreamEnd {
            let is_all = state.total_in() as usize == stream.len() && frame.len() <= MAX_BYTES;
            return if is_all { Ok(frame) } else { Err(FrameError) };
        }
        if frame.len() > MAX_BYTES {
            return Err(FrameError);
        }
        if frame.len() == frame.capacity() {
            // One byte beyond the limit shows that there is more.
            frame.reserve_exact(frame.len().min(MAX_BYTES + 1 - frame.len()));
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

    /// Returns the deflate stream of so many zeros.
    fn zeros(len: usize) -> Vec<u8> {
        let mut stream = Vec::with_capacity(len / 100 + 100);
        Compress::new(Compression::best(), false).compress_vec(&vec![0; len], &mut stream, FlushCompress::Finish).unwrap();
        stream
    }

    #[test]
    fn small_or_incompressible_frames_are_not_deflated() {
        assert_eq!(deflate(&[7; MIN_BYTES]), None);
        assert!(deflate(&[7; MIN_BYTES + 1]).is_some_and(|bytes| bytes.len() < 100));
        let noise: Vec<u8> = (0..2000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).rotate_left(n).to_le_bytes()).collect();
        assert_eq!(deflate(&noise), None);
        assert_eq!(deflate(&vec![0; MAX_BYTES + 1]), None);
    }

    #[test]
    fn a_bomb_is_refused() {
        assert_eq!(inflate(&bin(&zeros(MAX_BYTES))).map(|frame| frame.len()), Ok(MAX_BYTES));
        assert_eq!(inflate(&bin(&zeros(MAX_BYTES + 1))), Err(FrameError));
        assert_eq!(inflate(&bin(&zeros(100 * MAX_BYTES))), Err(FrameError));
    }

    #[test]
    fn a_stream_with_too_few_or_too_many_bytes_is_refused() {
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
