//! The word reaches nobody but its drawer before it is revealed, in no frame and in no event.

use scribble::{Board, Choose, Guess, LONGEST, Offer, Phase, Scribble, ScribbleConfig, Secret, read};
use tickcast::{
    game::{GameCommand, GameDef},
    prelude::*,
    protocol::{Values, WireCommand, encode_ack, encode_command, inflate},
    replication::Mirror,
    room::{Message, Outbox, Room},
};

use crate::HZ;

const PLAYERS: u8 = 4;

/// A client that keeps what it was sent.
struct Client {
    seat: Seat,
    mirror: Mirror,
}

impl Client {
    fn new(room: &mut Room, name: &str) -> Self {
        let seat = room.reserve(name).unwrap();
        room.enter(seat, None).unwrap();
        Self { seat, mirror: Mirror::new(room.schema().clone()) }
    }

    /// Takes what it was sent in a tick. Returns whether it can read one of the words in that, or in what it holds.
    fn take(&mut self, room: &mut Room, out: &Outbox, words: &[String]) -> bool {
        let tells_in_bytes = sent(out, self.seat).iter().any(|bytes| words.iter().any(|word| tells(bytes, word)));
        if let Some(frame) = out.frames.of(self.seat) {
            self.mirror.apply(&frame.to_bytes()).unwrap();
            let mut ack = Vec::new();
            encode_ack(&mut ack, self.mirror.tick().0 as u16);
            room.handle(self.seat, &ack).unwrap();
        }
        let rows = self.mirror.entities().flat_map(|(_, rows)| rows.values());
        let texts: Vec<String> = rows.map(|row| row.iter().map(|column| char::from(*column as u8)).collect()).collect();
        tells_in_bytes || texts.iter().any(|text| words.iter().any(|word| text.contains(word.as_str())))
    }
}

/// The bytes that a seat was sent in a tick, without compression.
fn sent(out: &Outbox, seat: Seat) -> Vec<Vec<u8>> {
    let frames = out.frames.iter().filter(|(to, _)| *to == seat).map(|(_, frame)| {
        let bytes = frame.to_bytes();
        // A deflated frame is one `bin`.
        if matches!(bytes[0], 0xc4..=0xc6) { inflate(&bytes).unwrap().to_vec() } else { bytes.to_vec() }
    });
    let events = out.messages.iter().filter(|(to, _)| *to == seat).filter_map(|(_, message)| match message {
        Message::Events(bytes) => Some(bytes.to_vec()),
        _ => None,
    });
    frames.chain(events).collect()
}

/// Whether bytes contain letters, one after the other as in a text, or each in a column of its own.
fn tells(bytes: &[u8], word: &str) -> bool {
    let columns: Vec<u8> = word.bytes().flat_map(|letter| [0x91, letter]).collect();
    let is_in = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    is_in(word.as_bytes()) || is_in(&columns)
}

fn send<C: GameCommand>(room: &mut Room, seat: Seat, command: &C) {
    let (mut values, mut bytes) = (Values::new(), Vec::new());
    command.write(&mut values);
    encode_command(&mut bytes, &WireCommand { number: room.newest_command(seat) + 1, id: C::ID, values });
    room.command(seat, &bytes).unwrap();
}

/// The letters of a component of the drawer, read in the room.
fn words(room: &Room, drawer: Seat) -> (Option<[[u8; LONGEST]; 3]>, Option<[u8; LONGEST]>) {
    let view = room.view(drawer);
    (view.me::<Offer>().map(|offer| offer.words), view.me::<Secret>().map(|secret| secret.letters))
}

#[test]
fn the_word_is_sent_to_its_drawer_alone() {
    let config = serde_json::to_value(ScribbleConfig { rounds: 1, seconds: 20 }).unwrap();
    let mut room = Room::new(&GameDef::new::<Scribble>().unwrap(), Some(&config), 5).unwrap();
    room.allow_bots(false);
    let mut clients: Vec<Client> = (0..PLAYERS).map(|player| Client::new(&mut room, &player.to_string())).collect();
    let (mut secret, mut told_drawer, mut told_all) = (Vec::new(), 0, 0);
    for tick in 0..u32::from(PLAYERS) * 30 * HZ {
        let out = room.tick();
        let Some((_, board)) = room.view(Seat(1)).iter::<Board>().next() else { continue };
        let drawer = Seat(board.drawer);
        if board.phase == Phase::Choosing {
            let (offer, _) = words(&room, drawer);
            secret = offer.unwrap().iter().map(|word| read(word)).collect();
            send(&mut room, drawer, &Choose { word: (tick % 3) as u8 });
        } else if let (_, Some(word)) = words(&room, drawer) {
            secret = vec![read(&word)];
            // Others guess, and are wrong.
            if tick % 15 == 0 {
                send(&mut room, Seat(drawer.0 % PLAYERS + 1), &Guess { text: Text::new("zebu") });
            }
        }
        for client in &mut clients {
            if !client.take(&mut room, &out, &secret) {
                continue;
            }
            if board.phase == Phase::Reveal {
                told_all += 1;
            } else {
                assert_eq!(client.seat, drawer, "tick {tick}: {secret:?} was told to another while seat {drawer} draws");
                told_drawer += 1;
            }
        }
    }
    // The test sees words where they are: the drawer is told in each tick of a turn, and everybody once it is over.
    assert!(told_drawer > 15 * HZ * u32::from(PLAYERS), "{told_drawer}");
    assert!(told_all > 3 * HZ * u32::from(PLAYERS * PLAYERS), "{told_all}");
}
