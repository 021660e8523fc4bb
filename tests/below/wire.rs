//! Golden frames in `assets/wire`: what Rust writes is what they hold, and what the mirror reads is what they say. The
//! TypeScript tests read the same files. `TICKCAST_BLESS=1` writes them anew, after a change of the protocol.

#![expect(clippy::approx_constant, reason = "an angle just below a full turn")]

use std::{fs, path::PathBuf};

use crate::meadow::*;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::{Value, json};
use tickcast::{
    game::GameDef,
    prelude::*,
    protocol::{AckOrInput, Columns, Fields, InputHead, Schema, ValueReader, Values, decode_events, decode_input, encode_input},
    replication::Mirror,
    room::Message,
};

fn path(game: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("assets/wire/{game}.json"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn state(mirror: &Mirror) -> Value {
    let entities = mirror.entities().map(|(id, components)| {
        let components = components.iter().map(|(component, columns)| (component.to_string(), json!(columns)));
        (id.0.to_string(), Value::Object(components.collect()))
    });
    json!({ "tick": mirror.tick().0, "entities": Value::Object(entities.collect()) })
}

/// Plays a match in which everything that a frame can say is said, and notes what the first seat is sent.
struct Recorder<G: Game> {
    table: TestRoom<G>,
    mirror: Mirror,
    frames: Vec<Value>,
    events: Vec<Value>,
}

impl<G: Game> Recorder<G> {
    fn new() -> Self {
        let mirror = Mirror::new(GameDef::new::<G>().unwrap().schema().clone());
        Self { table: TestRoom::new(5).seats(2), mirror, frames: Vec::new(), events: Vec::new() }
    }

    fn tick(&mut self, note: &str) {
        let seat = self.table.seat(0);
        let schema = self.table.room().schema().clone();
        let out = self.table.room().tick();
        for (_, message) in out.messages.into_iter().filter(|(to, _)| *to == seat) {
            let Message::Events(bytes) = message else { continue };
            let (tick, events) = decode_events(&schema, &bytes).unwrap();
            let named = |(id, values): &(u8, Values)| {
                let values = &mut ValueReader::new(values);
                match id {
                    1 => {
                        let Fired { at, by } = Fired::read(values).unwrap();
                        json!({ "name": "Fired", "value": { "at": { "x": at.x, "y": at.y }, "by": by } })
                    }
                    2 => json!({ "name": "Click", "value": {} }),
                    _ => {
                        let FirstShot { by, sound, smoke } = FirstShot::read(values).unwrap();
                        json!({ "name": "FirstShot", "value": { "by": by, "sound": &*sound, "smoke": { "hex": hex(&smoke) } } })
                    }
                }
            };
            let events: Vec<Value> = events.iter().map(named).collect();
            self.events.push(json!({ "hex": hex(&bytes), "value": { "tick": tick.0, "events": events } }));
        }
        if let Some(frame) = out.frames.of(seat) {
            let (bytes, before) = (frame.to_bytes(), self.mirror.avatar());
            assert_eq!(self.mirror.apply(&bytes).unwrap().desync, None);
            self.frames.push(json!({ "note": note, "ok": true, "hex": hex(&bytes), "state": state(&self.mirror) }));
            if self.mirror.avatar() != before {
                self.frames.last_mut().unwrap()["avatar"] = json!(self.mirror.avatar());
            }
        }
    }

    fn refused(&mut self, note: &str, bytes: &[u8]) {
        assert!(self.mirror.clone().apply(bytes).is_err(), "{note}");
        self.frames.push(json!({ "note": note, "ok": false, "hex": hex(bytes), "state": state(&self.mirror) }));
    }
}

impl<G: Game> Recorder<G> {
    /// Bytes that are no packed list and no deflated snapshot.
    fn refused_lists(&mut self, deflated: &[u8]) {
        let tick = self.mirror.tick().0 as u8;
        let change = |ids: &[u8], column: &[u8]| [&[0x96, 1, tick + 1, 1, 0, 0, 0x94, 2, 1][..], ids, column].concat();
        let bin = |bytes: &[u8]| [&[0xc4, bytes.len() as u8][..], bytes].concat();
        self.refused("packed ids without a parameter", &change(&bin(&[]), &[0x90]));
        self.refused("packed ids of an unknown form", &change(&bin(&[31, 1]), &[0x91, 0]));
        self.refused("packed ids that are cut off", &change(&bin(&[8, 1]), &[0x91, 0]));
        self.refused("packed ids with a byte too many", &change(&bin(&[0, 1, 0]), &[0x91, 0]));
        self.refused("a packed id beyond 32 bits", &change(&bin(&[0, 0, 0, 255, 255, 255, 255, 1]), &[0x92, 0, 0]));
        self.refused("a packed column of an unknown form", &change(&[0x91, 0], &bin(&[32, 0])));
        self.refused("a packed column that is cut off", &change(&[0x91, 0xfe], &bin(&[7, 1])));
        self.refused("a packed column with a value too many", &change(&[0x91, 0], &bin(&[0, 3])));
        self.refused("a packed column with a byte too many", &change(&[0x91, 0], &bin(&[0, 1, 0])));
        self.refused("an escape that is cut off", &change(&[0x91, 0], &bin(&[0, 0, 0, 255, 255, 255])));
        self.refused("values of no bits", &change(&[0x91, 0xd2, 0xff, 0xf0, 0, 0], &bin(&[31, 0, 0])));
        self.refused("a span beyond 31 bits", &change(&[0x91, 0], &bin(&[31, 0, 0x80, 0x80, 0x80, 0x80, 8, 0, 0, 0, 0, 0])));
        self.refused("an endless varint", &change(&[0x91, 0], &bin(&[31, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 1, 0])));
        self.refused("a column of text", &change(&[0x91, 0], &[0xa1, b'x']));

        let (head, stream) = deflated.split_at(if deflated[0] == 0xc4 { 2 } else { 3 });
        let framed = |stream: &[u8]| [&[0xc5, (stream.len() >> 8) as u8, stream.len() as u8][..], stream].concat();
        // One stored block, which a deflate stream may be made of.
        let stored = |bytes: &[u8]| framed(&[&[1, bytes.len() as u8, 0, !bytes.len() as u8, 255][..], bytes].concat());
        self.refused("a deflated snapshot that is cut off", &framed(&stream[..stream.len() - 1]));
        self.refused("a deflated snapshot shorter than it says", &[head, &stream[..stream.len() - 1]].concat());
        self.refused("something after a deflated snapshot", &[deflated, &[0]].concat());
        self.refused("a stream of nothing", &framed(&[]));
        self.refused("a stream that is none", &framed(&[7; 20]));
        self.refused("a snapshot deflated twice", &stored(&stored(&[0x95, 0, tick + 1, 0, 0, 0])));
        self.refused("a bomb", &framed(&zeros(5 << 20)));
    }
}

/// The deflate stream of so many zeros.
fn zeros(len: usize) -> Vec<u8> {
    let mut stream = Vec::with_capacity(len / 100);
    let mut state = flate2::Compress::new(flate2::Compression::best(), false);
    state.compress_vec(&vec![0; len], &mut stream, flate2::FlushCompress::Finish).unwrap();
    stream
}

fn record() -> Value {
    let mut r = Recorder::<Meadow>::new();
    r.refused("a diff before any snapshot", &[0x95, 1, 1, 1, 0, 0]);
    r.tick("the snapshot");
    r.table.press(0, Pad { dir: Dir8::NE, aim: 6.2, fire: true });
    r.tick("a move, a turn backwards over zero, a shot, an owner's ammunition, a spawn");
    r.table.press(0, Pad { dir: Dir8::W, aim: 0.1, fire: false });
    r.tick("a turn forwards over zero");
    let rock = r.table.world().spawn((Hp(200), Shield)).id();
    r.table.world().spawn_batch((0..5u8).map(|n| (Pos { at: Vec2::splat(f32::from(n) * 300.0) }, Hp(n))));
    r.tick("spawns of two kinds, numbers of several widths, a component without columns");
    r.table.world().entity_mut(rock).remove::<Shield>().insert((Seat(1), Ammo(7), Plan { goal: -1_000_000, kind: Kind::Hide }));
    r.tick("a component goes, others come, one entity changes hands; a plan without a team is nobody's");
    r.table.world().entity_mut(rock).insert(Team(1));
    r.tick("a team's plan arrives");
    r.table.world().entity_mut(rock).insert(Team(0));
    r.tick("and goes to the other team");
    r.table.world().despawn(rock);
    r.tick("a despawn");
    for _ in 0..40 {
        r.tick("on the way to a frame with checksums");
    }
    let seat = r.table.seat(0);
    r.table.press(0, Pad { dir: Dir8::S, aim: 3.0, fire: true });
    let lost = r.table.room().tick();
    assert!(lost.frames.of(seat).is_some());
    r.table.room().missed(seat);
    for _ in 0..3 {
        r.tick("a merged diff after a lost frame");
    }
    r.table.room().resync(seat);
    r.tick("a snapshot that was asked for");
    let world = r.table.world();
    let mut avatars = world.query_filtered::<(Entity, &Seat), With<Intent<Pad>>>();
    let (avatar, _) = avatars.iter(world).find(|(_, owner)| **owner == seat).unwrap();
    world.despawn(avatar);
    r.tick("the avatar is gone");
    r.table.world().spawn_avatar(seat, (Pos { at: Vec2::ONE }, Hp(100)));
    r.tick("another avatar");

    let tick = r.mirror.tick().0;
    let head = |kind: u8, age: u8, sections: &[u8]| {
        [&[0x95 + u8::from(!sections.is_empty()), kind, tick as u8 + 1, age, 0, 0][..], sections].concat()
    };
    r.refused("nothing", &[]);
    r.refused("not MessagePack", &[0xc1]);
    r.refused("a map", &[0x80]);
    r.refused("an unknown kind", &head(3, 1, &[]));
    r.refused("a base that is not held", &head(1, 2, &[]));
    r.refused("a section that is no array", &head(1, 1, &[0]));
    r.refused("an unknown component", &head(1, 1, &[0x93, 50, 0, 0x90]));
    r.refused("a column that the component does not have", &head(1, 1, &[0x94, 2, 2, 0x91, 0, 0x91, 1]));
    r.refused("a column shorter than the ids", &head(1, 1, &[0x94, 2, 1, 0x91, 0xfe, 0x91, 1]));
    r.refused("a number that is no integer", &head(1, 1, &[0x94, 2, 1, 0x91, 0, 0x91, 0xca, 0x3f, 0, 0, 0]));
    r.refused("an endless run of ids", &head(1, 1, &[0x92, 0xfd, 0x91, 0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0]));
    r.refused("something after the end", &[&head(1, 1, &[])[..], &[0]].concat());
    let unknown = head(1, 1, &[0x93, 0xf7, 0x92, 1, 0xa1, b'x', 0xc0]);
    r.mirror.apply(&unknown).unwrap();
    let after = state(&r.mirror);
    r.frames
        .push(json!({ "note": "a section of a later version is left out", "ok": true, "hex": hex(&unknown), "state": after }));

    let inputs = [
        ((0, 1, 0, None), json!({ "dir": "None", "aim": 0.0, "fire": false }), Pad::default()),
        (
            (65535, 70_000, 100_000, None),
            json!({ "dir": "SE", "aim": 3.15, "fire": true }),
            Pad { dir: Dir8::SE, aim: 3.15, fire: true },
        ),
        ((200, 3, 130, None), json!({ "dir": "E", "aim": 6.28, "fire": false }), Pad { dir: Dir8::E, aim: 6.28, fire: false }),
        ((200, 4, 131, Some(45)), json!({ "dir": "N", "aim": 0.0, "fire": true }), Pad { dir: Dir8::N, aim: 0.0, fire: true }),
        (
            (7, 5, 9, Some(300)),
            json!({ "dir": "None", "aim": 1.0, "fire": false }),
            Pad { dir: Dir8::None, aim: 1.0, fire: false },
        ),
    ];
    let inputs: Vec<Value> = inputs
        .into_iter()
        .map(|((ack, seq, tick, behind), input, pad)| {
            let mut columns = vec![0; Pad::WIDTH];
            pad.quantise(&mut columns);
            let mut bytes = Vec::new();
            encode_input(&mut bytes, InputHead { ack, seq, tick: Tick(tick), behind }, &columns);
            let mut golden = json!({ "input": input, "ack": ack, "seq": seq, "tick": tick, "hex": hex(&bytes) });
            if behind.is_some() {
                golden["behind"] = json!(behind);
            }
            golden
        })
        .collect();
    json!({ "schema": &**r.table.room().schema(), "frames": r.frames, "events": r.events, "inputs": inputs })
}

/// Plays a match whose lists are packed, with lists of every form and with a snapshot that is deflated. Another version of
/// the compressor may deflate it to other bytes that say the same.
fn record_packed() -> Value {
    let mut r = Recorder::<PackedMeadow>::new();
    r.tick("the snapshot, small and plain");
    let rocks: Vec<Entity> =
        r.table.world().spawn_batch((0..60u8).map(|n| (Pos { at: Vec2::new(f32::from(n), 9.0) }, Hp(n), Facing(0.0)))).collect();
    r.tick("spawns");
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut stir = |table: &mut TestRoom<PackedMeadow>, every: usize, stride: i32| {
        for &rock in rocks.iter().step_by(every) {
            let by = Vec2::new(rng.random_range(-stride..=stride) as f32, rng.random_range(-stride..=stride) as f32) / 32.0;
            table.world().get_mut::<Pos>(rock).unwrap().at += by;
        }
    };
    stir(&mut r.table, 1, 3);
    r.tick("columns spread evenly, most ids");
    stir(&mut r.table, 3, 16);
    r.tick("a third of the ids");
    rocks.iter().for_each(|&rock| r.table.world().get_mut::<Pos>(rock).unwrap().at.x += 0.5);
    r.table.world().get_mut::<Pos>(rocks[7]).unwrap().at = Vec2::new(50_000.0, -1.0);
    r.tick("one goes far: an escaped value, and zeros");
    rocks.iter().for_each(|&rock| r.table.world().get_mut::<Hp>(rock).unwrap().0 += 1);
    rocks[..9].iter().for_each(|&rock| r.table.world().get_mut::<Facing>(rock).unwrap().0 = 6.2);
    r.tick("one value for all, and few entities");
    let seat = r.table.seat(0);
    stir(&mut r.table, 2, 40_000_000);
    r.table.room().tick();
    r.table.room().missed(seat);
    for _ in 0..3 {
        r.tick("a merged diff with values of many bits");
    }
    rocks.iter().step_by(2).for_each(|&rock| assert!(r.table.world().despawn(rock)));
    r.tick("every other one is gone");
    let crowd =
        r.table.world().spawn_batch((0..120u8).map(|n| (Pos { at: Vec2::new(f32::from(n), 9.0) }, Hp(n)))).collect::<Vec<_>>();
    r.table.room().resync(seat);
    r.tick("a deflated snapshot");
    let deflated = unhex(r.frames.last().unwrap()["hex"].as_str().unwrap());
    assert!(matches!(deflated[0], 0xc4 | 0xc5), "{} bytes", deflated.len());
    rocks.iter().skip(1).step_by(2).chain(&crowd).for_each(|&entity| assert!(r.table.world().despawn(entity)));
    r.tick("a diff after it");
    r.refused_lists(&deflated);
    json!({ "schema": &**r.table.room().schema(), "frames": r.frames, "events": r.events, "inputs": [] })
}

/// JSON with a line for each frame, so that a change of one is a change of one line.
fn lines(golden: &Value) -> String {
    let group = |name: &str| {
        let items: Vec<String> = golden[name].as_array().unwrap().iter().map(Value::to_string).collect();
        format!("\"{name}\": [\n{}\n]", items.join(",\n"))
    };
    format!("{{\n\"schema\": {},\n{},\n{},\n{}\n}}\n", golden["schema"], group("frames"), group("events"), group("inputs"))
}

fn compare_with_golden(game: &str, recorded: &Value) {
    let text = lines(recorded);
    if std::env::var_os("TICKCAST_BLESS").is_some() {
        fs::write(path(game), &text).unwrap();
    }
    let golden = fs::read_to_string(path(game)).unwrap();
    assert!(
        golden == text,
        "the wire has changed: if that is meant, run this test with TICKCAST_BLESS=1 and update docs/PROTOCOL.md"
    );
}

#[test]
fn written_frames_equal_the_golden_files() {
    compare_with_golden("meadow", &record());
    compare_with_golden("packed-meadow", &record_packed());
}

#[test]
fn golden_files_are_read_as_they_say() {
    read_golden("meadow");
    read_golden("packed-meadow");
}

#[test]
fn a_byte_that_is_not_the_golden_one_breaks_no_mirror() {
    let golden: Value = serde_json::from_str(&fs::read_to_string(path("packed-meadow")).unwrap()).unwrap();
    let schema: Schema = serde_json::from_value(golden["schema"].clone()).unwrap();
    let mut mirror = Mirror::new(schema.into());
    for frame in golden["frames"].as_array().unwrap() {
        let bytes = unhex(frame["hex"].as_str().unwrap());
        for at in 0..bytes.len().min(100) {
            for flipped in [1, 0x10, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flipped;
                let _ = mirror.clone().apply(&bytes);
            }
        }
        let _ = mirror.apply(&bytes);
    }
}

fn read_golden(game: &str) {
    let golden: Value = serde_json::from_str(&fs::read_to_string(path(game)).unwrap()).unwrap();
    let schema: Schema = serde_json::from_value(golden["schema"].clone()).unwrap();
    let mut mirror = Mirror::new(schema.clone().into());
    for frame in golden["frames"].as_array().unwrap() {
        let note = frame["note"].as_str().unwrap();
        let applied = mirror.apply(&unhex(frame["hex"].as_str().unwrap()));
        assert_eq!(applied.is_ok(), frame["ok"].as_bool().unwrap(), "{note}");
        assert!(applied.is_ok_and(|applied| applied.desync.is_none()) || !frame["ok"].as_bool().unwrap(), "{note}");
        assert_eq!(state(&mirror), frame["state"], "{note}");
        if let Some(avatar) = frame.get("avatar") {
            assert_eq!(json!(mirror.avatar()), *avatar, "{note}");
        }
    }
    for input in golden["inputs"].as_array().unwrap() {
        let decoded = decode_input(&schema, &unhex(input["hex"].as_str().unwrap())).unwrap();
        let AckOrInput::Input { head: InputHead { ack, seq, tick, behind }, .. } = decoded else { panic!("an input") };
        assert_eq!(json!([ack, seq, tick, behind]), json!([input["ack"], input["seq"], input["tick"], input["behind"]]));
    }
}

#[test]
fn the_example_on_the_protocol_page_is_a_golden_frame() {
    let page = include_str!("../../docs/PROTOCOL.md");
    let (_, example) = page.split_once("### An example").unwrap();
    let (example, _) = example.split_once("\n## ").unwrap();
    // The bytes stand before three blanks, what they mean behind.
    let bytes = |line: &str| line.trim_start().split("   ").next().unwrap().replace(' ', "");
    let blocks = example.split("```").skip(1).step_by(2);
    let shown: Vec<String> = blocks.map(|block| block.lines().skip(1).map(bytes).collect()).collect();
    let golden: Value = serde_json::from_str(&fs::read_to_string(path("meadow")).unwrap()).unwrap();
    assert_eq!(shown, [1, 2].map(|frame| golden["frames"][frame]["hex"].as_str().unwrap().to_owned()));
}
