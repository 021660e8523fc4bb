//! The checks of the fuzz targets in `fuzz/`. Each takes arbitrary bytes, and panics if a guarantee is broken.
//!
//! The promises: nothing panics, what was read and is written again is read as the same, and the tap does what a plain reading of
//! the whole stream does. The tests replay the bytes that are kept in `fuzz/corpus`.

mod social;

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

pub use self::social::lobby;
use crate::{
    protocol::{
        AckOrInput, Frame, Head, Id, Kind, Schema, Tick, check_packed, decode_command, decode_events, decode_frame, decode_input,
        encode_ack, encode_command, encode_input,
    },
    replication::Mirror,
};

/// A target's name and what it checks.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, by the names that they have in `fuzz/`.
pub const TARGETS: &[Target] = &[
    ("input", input),
    ("command", command),
    ("frame", frame),
    ("packed", packed),
    ("lobby", lobby),
    #[cfg(feature = "server")]
    ("tap", tap),
    #[cfg(feature = "server")]
    ("pass", pass),
];

/// The schemas of the golden frames, plain and packed.
static SCHEMAS: LazyLock<[Arc<Schema>; 2]> = LazyLock::new(|| {
    [include_str!("../../assets/wire/meadow.json"), include_str!("../../assets/wire/packed-meadow.json")].map(|golden| {
        #[derive(serde::Deserialize)]
        struct Golden {
            schema: Schema,
        }
        let golden: Golden = serde_json::from_str(golden).expect("the golden frames have a schema");
        Arc::new(golden.schema)
    })
});

/// The most entities of a mirror that is compared. Few bytes can name a million.
const COMPARED: usize = 200;

/// An input of a match.
pub fn input(bytes: &[u8]) {
    let schema = &SCHEMAS[0];
    let Ok(read) = decode_input(schema, bytes) else { return };
    let mut written = Vec::new();
    match &read {
        AckOrInput::Ack { ack } => encode_ack(&mut written, *ack),
        AckOrInput::Input { head, columns } => encode_input(&mut written, *head, columns),
    }
    let again = decode_input(schema, &written).expect("what is written can be read");
    assert_eq!(format!("{read:?}"), format!("{again:?}"), "an input changes as it is written and read");
}

/// A schema with commands of every kind of field.
static COMMANDS: LazyLock<Schema> = LazyLock::new(|| {
    let text = r#"{"game":"scribble","protocol":1,"hz":30,"components":[],"events":[],"commands":[
        {"id":1,"name":"Guess","shape":"struct","fields":[{"name":"word","type":"text","max":12}]},
        {"id":2,"name":"Stroke","shape":"struct","fields":[
            {"name":"from","type":"vec2","step":0.5,"min":0,"max":100},
            {"name":"pen","type":"choice","values":["Thin","Thick"]},
            {"name":"points","type":"bytes","max":64},
            {"name":"closed","type":"bool"},
            {"name":"turn","type":"angle","steps":256}]},
        {"id":3,"name":"Undo","shape":"unit","fields":[]}],
        "input":{"name":"Pad","shape":"struct","fields":[]}}"#;
    serde_json::from_str(text).expect("this is a schema")
});

/// A command of a match.
pub fn command(bytes: &[u8]) {
    let Ok(read) = decode_command(&COMMANDS, bytes) else { return };
    let mut written = Vec::new();
    encode_command(&mut written, &read);
    assert_eq!(decode_command(&COMMANDS, &written), Ok(read), "a command changes as it is written and read");
}

/// A sequence of frames: each has its length in a byte before it, or all that is left. The first byte chooses the schema.
pub fn frame(bytes: &[u8]) {
    let Some((choice, mut rest)) = bytes.split_first() else { return };
    let schema = &SCHEMAS[usize::from(choice % 2)];
    let mut mirror = Mirror::new(Arc::clone(schema));
    while let Some((length, left)) = rest.split_first() {
        let length = if *length == u8::MAX { left.len() } else { left.len().min(usize::from(*length)) };
        let (frame, left) = left.split_at(length);
        rest = left;
        let _ = decode_events(schema, frame);
        // A frame that does not fit is refused as a whole, and decoding does not depend on what the mirror holds.
        let is_frame = decode_frame(schema, frame).is_ok();
        if mirror.apply(frame).is_ok() {
            assert!(is_frame, "a mirror takes what is no frame");
            compare(schema, &mirror);
        }
    }
}

/// Checks that a snapshot of what a mirror holds says the same.
fn compare(schema: &Arc<Schema>, mirror: &Mirror) {
    if mirror.entities().nth(COMPARED).is_some() {
        return;
    }
    // An entity without components has no place in a snapshot.
    let state = |mirror: &Mirror| -> BTreeMap<Id, _> {
        let whole = mirror.entities().filter(|(_, components)| !components.is_empty());
        whole.map(|(id, components)| (id, components.clone())).collect()
    };
    let tick = mirror.tick();
    let head = Head { kind: Kind::Snapshot, tick, base: Tick(0), ack: 0, margin: 0 };
    let blocks = [mirror.encode()].into();
    let mut again = Mirror::new(Arc::clone(schema));
    again.apply(&Frame::plain(head, &blocks).to_bytes()).expect("a mirror's snapshot is a frame");
    assert_eq!(state(&again), state(mirror), "a snapshot says something else than the mirror holds");
}

/// A packed list.
pub fn packed(bytes: &[u8]) {
    check_packed(bytes);
}

/// The stream of a WebSocket's client. The first byte chooses the parser, the second how the stream is cut into pieces.
#[cfg(feature = "server")]
pub fn tap(bytes: &[u8]) {
    let Some((&[parser, piece], stream)) = bytes.split_first_chunk() else { return };
    crate::net::compare_taps(stream, parser, usize::from(piece) + 1);
}

/// A ticket or a resume token.
#[cfg(feature = "server")]
pub fn pass(bytes: &[u8]) {
    crate::host::check_pass(bytes);
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn the_corpora_of_the_fuzz_targets_break_no_promise() {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        for (name, check) in TARGETS {
            let files = fs::read_dir(corpora.join(name)).unwrap_or_else(|error| panic!("no corpus for {name}: {error}"));
            let mut count = 0;
            for file in files {
                let path = file.unwrap().path();
                println!("{}", path.display());
                check(&fs::read(path).unwrap());
                count += 1;
            }
            assert!(count > 0, "the corpus for {name} is empty");
        }
    }
}
