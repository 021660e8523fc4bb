//! The room list: every open room, and numbered news about the public ones.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use rand::Rng;
use serde::Serialize;
use serde_json::Value as Json;

use super::{Code, Listing, RoomId, Search, UserId};
use crate::game::Strength;

/// The minimum time between two news.
pub const FLUSH_INTERVAL: Duration = Duration::from_millis(250);

/// The number of news that are kept for subscribers who missed some.
pub const NEWS_KEPT: usize = 64;

/// The most users of a closed private room who stay removed from it.
const MAX_REMOVED: usize = 64;

/// The news that a subscriber has missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missed {
    /// All missed news, oldest first.
    News(Vec<Arc<Changes>>),
    /// The missed news are no longer kept. The subscriber must read the room list again.
    TooMany,
}

/// The way in which people find a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entrance {
    /// Through the room list and quick play.
    #[default]
    Listed,
    /// Through a private code.
    Code,
    /// Only through a ticket that they were given.
    Ticket,
}

/// The changes of the room list since the previous news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Changes {
    /// The number of these news: one more than that of the previous ones.
    pub seq: u64,
    /// New rooms.
    pub added: Vec<Listing>,
    /// Rooms whose listing has changed.
    pub updated: Vec<Listing>,
    /// Rooms that have closed.
    pub removed: Vec<RoomId>,
}

/// The numbers of rooms and people of one game.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// The number of rooms, with private ones.
    pub rooms: usize,
    /// The number of people seated in them.
    pub players: usize,
}

/// Every open room, and the state that subscribers were last told.
#[derive(Debug)]
pub struct RoomList {
    rooms: BTreeMap<RoomId, OpenRoom>,
    codes: BTreeMap<Code, RoomId>,
    /// The private rooms that have closed, the last one at the back.
    closed: VecDeque<ClosedRoom>,
    /// The most private rooms that are remembered after they have closed.
    most_closed: usize,
    dirty: BTreeSet<RoomId>,
    told: BTreeMap<RoomId, Listing>,
    news: VecDeque<Arc<Changes>>,
    seq: u64,
    opened: u64,
    flushed: Option<Duration>,
}

#[derive(Debug)]
struct OpenRoom {
    listing: Listing,
    listed: bool,
    code: Option<Code>,
    /// The opening order, which breaks ties in favour of the oldest room.
    age: u64,
}

/// A private room that has closed: what it takes to open one like it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClosedRoom {
    /// The code of the room.
    pub code: Code,
    /// The name of its game.
    pub game: &'static str,
    /// The room's configuration.
    pub config: Arc<Json>,
    /// How strong its bots played, if somebody chose that.
    pub strength: Option<Strength>,
    /// The users who were removed from it, or as many of them as are remembered.
    pub removed: BTreeSet<UserId>,
}

impl RoomList {
    /// Makes an empty list. It remembers so many private rooms after they have closed, so that friends find each other again by the
    /// code.
    pub fn new(most_closed: usize) -> Self {
        Self {
            rooms: BTreeMap::new(),
            codes: BTreeMap::new(),
            closed: VecDeque::new(),
            most_closed,
            dirty: BTreeSet::new(),
            told: BTreeMap::new(),
            news: VecDeque::new(),
            seq: 0,
            opened: 0,
            flushed: None,
        }
    }

    /// Adds a room. Returns a new code if the room is entered by code.
    pub fn open(&mut self, listing: Listing, entrance: Entrance, rng: &mut (impl Rng + ?Sized)) -> Option<Code> {
        let code = (entrance == Entrance::Code).then(|| self.unused_code(rng));
        self.add(listing, entrance, code)
    }

    /// Adds a private room with the code of one that has closed, which is not remembered any more. Gives it a new code if an open
    /// room has this one.
    pub fn reopen(&mut self, listing: Listing, code: Code, rng: &mut (impl Rng + ?Sized)) -> Option<Code> {
        self.closed.retain(|room| room.code != code);
        let code = if self.codes.contains_key(&code) { self.unused_code(rng) } else { code };
        self.add(listing, Entrance::Code, Some(code))
    }

    fn add(&mut self, listing: Listing, entrance: Entrance, code: Option<Code>) -> Option<Code> {
        if let Some(code) = &code {
            self.codes.insert(code.clone(), listing.room.clone());
        }
        self.opened += 1;
        self.dirty.insert(listing.room.clone());
        let entry = OpenRoom { listed: entrance == Entrance::Listed, code: code.clone(), age: self.opened, listing };
        self.rooms.insert(entry.listing.room.clone(), entry);
        code
    }

    /// Sets the numbers of people and bots in a room. Ignores a room that is not open.
    pub fn update(&mut self, room: &RoomId, players: usize, bots: usize) {
        if let Some(entry) = self.rooms.get_mut(room) {
            entry.listing.players = players;
            entry.listing.bots = bots;
            self.dirty.insert(room.clone());
        }
    }

    /// Removes a room. Users who were removed from a private room stay so if it is opened again.
    pub fn close(&mut self, room: &RoomId, removed: impl IntoIterator<Item = UserId>) {
        if let Some(entry) = self.rooms.remove(room) {
            if let Some(code) = entry.code {
                self.codes.remove(&code);
                let Listing { game, config, strength, .. } = entry.listing;
                self.closed.push_back(ClosedRoom {
                    code,
                    game,
                    config,
                    strength,
                    removed: removed.into_iter().take(MAX_REMOVED).collect(),
                });
                let surplus = self.closed.len().saturating_sub(self.most_closed);
                self.closed.drain(..surplus);
            }
            self.dirty.insert(room.clone());
        }
    }

    /// Returns the number of the newest news, and the listed rooms that match a search. Later news may repeat what these contain.
    pub fn rooms(&self, search: &Search) -> (u64, Vec<Listing>) {
        let mut found: Vec<_> = self.rooms.values().filter(|entry| entry.listed && search.finds(&entry.listing)).collect();
        if let Some(sort) = search.sort {
            found.sort_by_key(|entry| sort.key(&entry.listing, entry.age));
        }
        found.truncate(search.limit.unwrap_or(usize::MAX));
        (self.seq, found.into_iter().map(|entry| entry.listing.clone()).collect())
    }

    /// Returns the number of the newest news, and the news after number `after`.
    pub fn missed(&self, after: u64) -> (u64, Missed) {
        let oldest = self.news.front().map_or(self.seq + 1, |changes| changes.seq);
        let known = after <= self.seq && after + 1 >= oldest;
        let missed = self.news.iter().filter(|changes| changes.seq > after).cloned().collect();
        (self.seq, if known { Missed::News(missed) } else { Missed::TooMany })
    }

    /// Returns the room for quick play: the fullest public room with a seat, or the oldest of equally full ones.
    pub fn quick(&self, game: &str) -> Option<RoomId> {
        let open = self.rooms.values().filter(|entry| entry.listed && entry.listing.game == game && entry.listing.has_seat());
        let best = open.max_by_key(|entry| (entry.listing.players, Reverse(entry.age)));
        best.map(|entry| entry.listing.room.clone())
    }

    /// Returns the private room with a code.
    pub fn by_code(&self, code: &Code) -> Option<RoomId> {
        self.codes.get(code).cloned()
    }

    /// Returns the closed private room with a code, if it is remembered.
    pub fn closed(&self, code: &Code) -> Option<&ClosedRoom> {
        self.closed.iter().find(|room| room.code == *code)
    }

    /// Returns the numbers of rooms and people of a game.
    pub fn totals(&self, game: &str) -> Totals {
        let of_game = self.rooms.values().map(|entry| &entry.listing).filter(|listing| listing.game == game);
        of_game.fold(Totals::default(), |sum, listing| Totals { rooms: sum.rooms + 1, players: sum.players + listing.players })
    }

    /// Returns the time at which the next news are due, or `None` if nothing has changed.
    pub fn flush_due(&self) -> Option<Duration> {
        (!self.dirty.is_empty()).then(|| self.flushed.map_or(Duration::ZERO, |at| at + FLUSH_INTERVAL))
    }

    /// Returns the changes since the last news, with all changes of a room merged into one. Returns `None` if there are none, or
    /// if the last news came less than [`FLUSH_INTERVAL`] ago.
    pub fn flush(&mut self, now: Duration) -> Option<Arc<Changes>> {
        if self.flush_due()? > now {
            return None;
        }
        let mut changes = Changes { seq: self.seq + 1, added: Vec::new(), updated: Vec::new(), removed: Vec::new() };
        for room in std::mem::take(&mut self.dirty) {
            let listed = self.rooms.get(&room).filter(|entry| entry.listed).map(|entry| entry.listing.clone());
            match (self.told.get(&room), listed) {
                (None, Some(listing)) => {
                    self.told.insert(room, listing.clone());
                    changes.added.push(listing);
                }
                (Some(told), Some(listing)) if *told != listing => {
                    self.told.insert(room, listing.clone());
                    changes.updated.push(listing);
                }
                (Some(_), None) => {
                    self.told.remove(&room);
                    changes.removed.push(room);
                }
                _ => {}
            }
        }
        if changes.added.is_empty() && changes.updated.is_empty() && changes.removed.is_empty() {
            return None;
        }
        self.seq = changes.seq;
        self.flushed = Some(now);
        let changes = Arc::new(changes);
        if self.news.len() == NEWS_KEPT {
            self.news.pop_front();
        }
        self.news.push_back(changes.clone());
        Some(changes)
    }

    fn unused_code(&self, rng: &mut (impl Rng + ?Sized)) -> Code {
        loop {
            let code = Code::random(rng);
            if !self.codes.contains_key(&code) && self.closed(&code).is_none() {
                return code;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use rand::{SeedableRng, rngs::ChaCha8Rng};
    use serde_json::json;

    use super::{super::Sort, *};

    const CODES_KEPT: usize = 10;

    fn listing(room: &str, players: usize) -> Listing {
        Listing { room: RoomId::named(room), game: "arena", players, bots: 0, seats: 4, strength: None, config: Arc::default() }
    }

    fn open(lobby: &mut RoomList, listing: Listing, entrance: Entrance) -> Option<Code> {
        lobby.open(listing, entrance, &mut ChaCha8Rng::seed_from_u64(1))
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn quick_play_picks_the_fullest_room_with_a_seat() {
        let mut lobby = RoomList::new(CODES_KEPT);
        for (room, players) in [("a", 1), ("b", 3), ("c", 4), ("d", 3)] {
            open(&mut lobby, listing(room, players), Entrance::Listed);
        }
        open(&mut lobby, listing("e", 3), Entrance::Code);
        open(&mut lobby, listing("f", 3), Entrance::Ticket);
        assert_eq!(lobby.quick("arena"), Some(RoomId::named("b")));
        lobby.update(&RoomId::named("b"), 4, 0);
        assert_eq!(lobby.quick("arena"), Some(RoomId::named("d")));
        assert_eq!(lobby.quick("chess"), None);
    }

    #[test]
    fn quick_play_counts_the_seat_of_a_bot_as_free() {
        let mut lobby = RoomList::new(CODES_KEPT);
        open(&mut lobby, Listing { bots: 3, ..listing("a", 1) }, Entrance::Listed);
        assert_eq!(lobby.quick("arena"), Some(RoomId::named("a")));
    }

    #[test]
    fn a_private_room_is_found_only_by_its_code() {
        let mut lobby = RoomList::new(CODES_KEPT);
        let code = open(&mut lobby, listing("a", 0), Entrance::Code).unwrap();
        assert_eq!(lobby.by_code(&code), Some(RoomId::named("a")));
        assert_eq!(lobby.rooms(&Search::default()), (0, vec![]));
        assert_eq!(lobby.quick("arena"), None);
        assert_eq!(lobby.flush(at(1000)), None);
        assert_eq!(lobby.totals("arena").rooms, 1);
        lobby.close(&RoomId::named("a"), []);
        assert_eq!(lobby.by_code(&code), None);
    }

    #[test]
    fn the_last_private_rooms_are_remembered_by_their_codes() {
        let (mut lobby, mut rng) = (RoomList::new(CODES_KEPT), ChaCha8Rng::seed_from_u64(1));
        let codes: Vec<Code> = (0..=CODES_KEPT)
            .map(|number| {
                let room = format!("{number}");
                let code = lobby.open(listing(&room, 0), Entrance::Code, &mut rng).unwrap();
                lobby.close(&RoomId::named(&room), [UserId::parse(&format!("user-{number}")).unwrap()]);
                code
            })
            .collect();
        assert_eq!(lobby.closed(&codes[0]), None);
        let closed = lobby.closed(&codes[1]).unwrap();
        assert_eq!(closed.game, "arena");
        assert_eq!(closed.removed.iter().map(UserId::to_string).collect::<Vec<_>>(), ["user-1"]);
        assert_eq!(lobby.reopen(listing("again", 0), codes[1].clone(), &mut rng), Some(codes[1].clone()));
        assert_eq!((lobby.closed(&codes[1]), lobby.by_code(&codes[1])), (None, Some(RoomId::named("again"))));
        let second = lobby.reopen(listing("twice", 0), codes[1].clone(), &mut rng);
        assert_ne!(second, Some(codes[1].clone()), "an open room keeps its code");
    }

    #[test]
    fn changes_of_one_room_are_merged() {
        let mut lobby = RoomList::new(CODES_KEPT);
        open(&mut lobby, listing("a", 0), Entrance::Listed);
        lobby.update(&RoomId::named("a"), 1, 0);
        let first = lobby.flush(at(0)).unwrap();
        assert_eq!((first.seq, &first.added), (1, &vec![listing("a", 1)]));
        lobby.update(&RoomId::named("a"), 2, 0);
        lobby.update(&RoomId::named("a"), 1, 0);
        assert_eq!(lobby.flush(at(1000)), None, "nothing changed in the end");
        open(&mut lobby, listing("b", 0), Entrance::Listed);
        lobby.close(&RoomId::named("b"), []);
        lobby.close(&RoomId::named("a"), []);
        let second = lobby.flush(at(2000)).unwrap();
        assert_eq!((second.seq, &second.added, &second.removed), (2, &vec![], &vec![RoomId::named("a")]));
    }

    #[test]
    fn news_are_sent_at_most_four_times_a_second() {
        let mut lobby = RoomList::new(CODES_KEPT);
        open(&mut lobby, listing("a", 0), Entrance::Listed);
        assert!(lobby.flush(at(10)).is_some());
        lobby.update(&RoomId::named("a"), 1, 0);
        assert_eq!(lobby.flush_due(), Some(at(260)));
        assert_eq!(lobby.flush(at(259)), None);
        assert!(lobby.flush(at(260)).is_some());
        assert_eq!(lobby.flush_due(), None);
    }

    #[test]
    fn a_search_filters_sorts_and_limits_rooms() {
        let mut lobby = RoomList::new(CODES_KEPT);
        for (room, players, map) in [("b", 1, "dust"), ("d", 4, "dust"), ("a", 2, "ice"), ("c", 2, "dust")] {
            let config = Arc::new(json!({"map": map, "frags": 20}));
            open(&mut lobby, Listing { config, ..listing(room, players) }, Entrance::Listed);
        }
        open(&mut lobby, Listing { game: "chess", ..listing("e", 0) }, Entrance::Listed);
        let of = |config: Json| config.as_object().cloned().unwrap();
        let sorted = |sort| Search { sort: Some(sort), ..Search::default() };
        let arena = || Some("arena".to_owned());
        for (search, expected) in [
            (Search::default(), "abcde"),
            (Search { game: Some("chess".to_owned()), ..Search::default() }, "e"),
            (Search { open: Some(true), ..Search::default() }, "abce"),
            (Search { open: Some(false), ..Search::default() }, "d"),
            (Search { config: of(json!({"map": "dust", "frags": 20})), ..Search::default() }, "bcd"),
            (Search { config: of(json!({"map": "dust", "speed": null})), ..Search::default() }, ""),
            (sorted(Sort::Players), "dacbe"),
            (sorted(Sort::Free), "ebacd"),
            (sorted(Sort::Newest), "ecadb"),
            (Search { limit: Some(2), ..sorted(Sort::Oldest) }, "bd"),
            (Search { limit: Some(2), from: Some(RoomId::named("c")), ..Search::default() }, "cd"),
            (Search { game: arena(), open: Some(true), limit: Some(1), ..sorted(Sort::Players) }, "a"),
        ] {
            let (_, rooms) = lobby.rooms(&search);
            let found: String = rooms.iter().map(|listing| listing.room.as_str()).collect();
            assert_eq!(found, expected, "{search:?}");
        }
    }

    #[test]
    fn missed_news_are_replayed_while_they_are_kept() {
        let mut lobby = RoomList::new(CODES_KEPT);
        assert_eq!(lobby.missed(0), (0, Missed::News(vec![])));
        open(&mut lobby, listing("a", 0), Entrance::Listed);
        let all: Vec<_> = (0..70)
            .map(|n| {
                lobby.update(&RoomId::named("a"), n % 2, 0);
                lobby.flush(at(n as u64 * 250)).unwrap()
            })
            .collect();
        assert_eq!(lobby.missed(70), (70, Missed::News(vec![])));
        assert_eq!(lobby.missed(68), (70, Missed::News(all[68..].to_vec())));
        assert_eq!(lobby.missed(6), (70, Missed::News(all[6..].to_vec())));
        for after in [0, 5, 71, u64::MAX] {
            assert_eq!(lobby.missed(after).1, Missed::TooMany, "{after}");
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Open(u8),
        Update(u8, usize),
        Close(u8),
        Flush,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let room = 0u8..6;
        vec(
            prop_oneof![
                room.clone().prop_map(Step::Open),
                (room.clone(), 0usize..5).prop_map(|(room, players)| Step::Update(room, players)),
                room.prop_map(Step::Close),
                Just(Step::Flush),
            ],
            0..60,
        )
    }

    proptest! {
        #[test]
        fn a_mirror_that_applies_the_news_equals_the_list(steps in steps()) {
            let (mut lobby, mut mirror, mut seq, mut now) = (RoomList::new(CODES_KEPT), BTreeMap::new(), 0, 0);
            for step in steps.into_iter().chain([Step::Flush]) {
                match step {
                    Step::Open(room) if !lobby.rooms.contains_key(&RoomId::named(&room.to_string())) => {
                        open(&mut lobby, listing(&room.to_string(), 0), Entrance::Listed);
                    }
                    Step::Open(_) => {}
                    Step::Update(room, players) => lobby.update(&RoomId::named(&room.to_string()), players, 0),
                    Step::Close(room) => lobby.close(&RoomId::named(&room.to_string()), []),
                    Step::Flush => {
                        now += 250;
                        let Some(changes) = lobby.flush(at(now)) else { continue };
                        prop_assert_eq!(changes.seq, seq + 1);
                        seq = changes.seq;
                        for listing in changes.added.iter().cloned() {
                            prop_assert!(mirror.insert(listing.room.clone(), listing).is_none());
                        }
                        for listing in changes.updated.iter().cloned() {
                            prop_assert!(mirror.insert(listing.room.clone(), listing).is_some());
                        }
                        for room in &changes.removed {
                            prop_assert!(mirror.remove(room).is_some());
                        }
                    }
                }
            }
            prop_assert_eq!(lobby.rooms(&Search::default()), (seq, mirror.into_values().collect()));
        }
    }
}
