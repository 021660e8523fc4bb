//! A plain reading of a whole stream, to compare the tap with: no pieces, no state between frames but an announcement that waits
//! for its input. For tests and for fuzzing.

use tokio::io::ReadBuf;

use crate::net::transport::{
    packet::Parser,
    tap::{CANDIDATE_BYTES, Incoming},
};

/// The most bytes of a message. It is small, so that few bytes can be too many.
const MESSAGE_BYTES: usize = 2048;

/// The result of reading a stream: the inputs, and the bytes for the library.
type Sorted = (Vec<Vec<u8>>, Vec<u8>);

/// Compares the tap with a plain reading. `parser` is 0 for none, and the pieces have up to that many bytes.
pub(crate) fn compare(stream: &[u8], parser: u8, piece: usize) {
    let parser = [None, Some(Parser::MsgPack), Some(Parser::Default)][usize::from(parser % 3)];
    let (expected, rest) = plain(stream, parser);
    let (seen, is_broken) = tap(stream, parser, piece);
    // A stream that breaks a rule ends there, and a frame that goes to the library goes there in parts.
    if is_broken {
        assert!(expected.0.starts_with(&seen.0), "inputs {:?} are none of {:?}", seen.0, expected.0);
        assert!([expected.1, rest.to_vec()].concat().starts_with(&seen.1), "other bytes reach the library");
    } else {
        assert_eq!(seen.0, expected.0, "the inputs differ");
        assert!(seen.1.starts_with(&expected.1), "bytes do not reach the library");
        assert!(rest.starts_with(&seen.1[expected.1.len()..]), "other bytes reach the library");
    }
}

/// Runs a stream through the tap. Returns whether it broke a rule.
fn tap(stream: &[u8], parser: Option<Parser>, piece: usize) -> (Sorted, bool) {
    let (mut incoming, mut inputs, mut passed) = (Incoming::new(MESSAGE_BYTES), Vec::new(), Vec::new());
    let mut is_broken = false;
    for piece in stream.chunks(piece) {
        is_broken = incoming.take(piece, parser, &mut |input| inputs.push(input.to_vec())).is_err();
        let mut room = [0; 64];
        loop {
            let mut to = ReadBuf::new(&mut room);
            if !incoming.give(&mut to) {
                break;
            }
            passed.extend_from_slice(to.filled());
        }
        if is_broken {
            break;
        }
    }
    ((inputs, passed), is_broken)
}

/// A frame as RFC 6455 has it: its first byte, whether it is masked, its payload without the mask, and its bytes in all.
struct Frame {
    first: u8,
    is_masked: bool,
    payload: Vec<u8>,
    length: usize,
}

/// Reads one whole frame.
fn frame(bytes: &[u8]) -> Option<Frame> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (length, mut at) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
        length => (u64::from(length), 2),
    };
    let mut mask = [0; 4];
    let is_masked = second & 0x80 != 0;
    if is_masked {
        mask = *bytes.get(at..)?.first_chunk()?;
        at += 4;
    }
    let end = at.checked_add(usize::try_from(length).ok()?)?;
    let payload = bytes.get(at..end)?.iter().enumerate().map(|(n, byte)| byte ^ mask[n % 4]).collect();
    Some(Frame { first, is_masked, payload, length: end })
}

/// Reads the whole frames of a stream, as if none broke a rule. Returns what comes out of them, and the bytes behind them that may go
/// to the library: an announcement without its input comes before them, unless they begin a control frame, which overtakes it.
fn plain(mut stream: &[u8], parser: Option<Parser>) -> (Sorted, Vec<u8>) {
    let (mut inputs, mut passed, mut announced) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(Frame { first, is_masked, payload, length }) = frame(stream) {
        let (whole, rest) = stream.split_at(length);
        stream = rest;
        // A whole message: the last fragment, no reserved bits, and a mask.
        let kind = if first & 0xf0 == 0x80 && is_masked && payload.len() as u64 <= CANDIDATE_BYTES { first & 15 } else { 0 };
        match (parser, kind) {
            (Some(Parser::MsgPack), 2) if let Some(input) = Parser::input_of_msgpack(&payload) => inputs.push(input.to_vec()),
            (Some(Parser::Default), 1) if announced.is_empty() && payload == Parser::ANNOUNCED_INPUT => {
                announced.extend_from_slice(whole);
            }
            (Some(Parser::Default), 2) if !announced.is_empty() => {
                announced.clear();
                inputs.push(payload);
            }
            _ => {
                // A ping between an announcement and its input changes nothing.
                if first & 8 == 0 {
                    passed.append(&mut announced);
                }
                passed.extend_from_slice(whole);
            }
        }
    }
    if stream.first().is_some_and(|first| first & 8 != 0) {
        announced.clear();
    }
    announced.extend_from_slice(stream);
    ((inputs, passed), announced)
}
