//! Presence: who is here, by which connections, what they do, and who wants to know.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::Serialize;

use super::{DisplayName, Identity, RoomId, UserId, chat::Pace};

/// How long somebody without a connection, a seat or a place in a queue is remembered, their place in a party included.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// The most people who are remembered without being here; beyond, those who went first are forgotten early.
pub const MAX_REMEMBERED: usize = 10_000;

/// The most people whose presence one connection follows.
pub const MAX_FOLLOWED: usize = 100;

/// One connection to the lobby; its person may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

/// What somebody does, as others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PresenceStatus {
    /// Here, and free.
    Online,
    /// Waits for a match.
    Queue,
    /// Plays.
    Match,
    /// Their seat, or their place in a party, is kept while their connection is lost.
    Away,
    /// Not here.
    Offline,
}

/// Whether a seat is played or only kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sitting {
    /// Somebody plays.
    Playing,
    /// The seat is kept for somebody whose connection is lost.
    Away,
}

/// Somebody's presence, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonInfo {
    /// Who.
    pub user: UserId,
    /// What they are called, if that is known.
    pub name: Option<DisplayName>,
    /// What they do.
    pub status: PresenceStatus,
}

/// What is known of one person.
#[derive(Debug)]
pub(super) struct PersonRecord {
    pub(super) name: DisplayName,
    connections: BTreeSet<ConnectionId>,
    queued: bool,
    /// The rooms with a seat of theirs, the newest last.
    seats: Vec<(RoomId, Sitting)>,
    /// When the last of all that went.
    gone: Option<Duration>,
    /// What others were last told.
    pub(super) told: (PresenceStatus, DisplayName),
    pub(super) pace: Pace,
    pub(super) typing: Pace,
}

impl PersonRecord {
    fn is_here(&self) -> bool {
        !self.connections.is_empty() || self.queued || !self.seats.is_empty()
    }

    fn status(&self) -> PresenceStatus {
        if self.seats.iter().any(|(_, sitting)| *sitting == Sitting::Playing) {
            PresenceStatus::Match
        } else if !self.seats.is_empty() {
            PresenceStatus::Away
        } else if self.queued {
            PresenceStatus::Queue
        } else if self.connections.is_empty() {
            PresenceStatus::Offline
        } else {
            PresenceStatus::Online
        }
    }
}

#[derive(Debug)]
struct LobbyConnection {
    user: UserId,
    followed: BTreeSet<UserId>,
}

/// Everybody who is here or was a short while ago.
#[derive(Debug, Default)]
pub(super) struct Presence {
    people: BTreeMap<UserId, PersonRecord>,
    connections: BTreeMap<ConnectionId, LobbyConnection>,
    /// Connections that hear of everybody's chat in the lobby.
    listeners: BTreeSet<ConnectionId>,
    followers: BTreeMap<UserId, BTreeSet<ConnectionId>>,
    seated: BTreeMap<RoomId, BTreeSet<UserId>>,
    gone: BTreeSet<(Duration, UserId)>,
    /// Who waits for a match, perhaps with others than they are with now.
    regrouped: BTreeSet<UserId>,
    next: u64,
}

impl Presence {
    /// Takes a connection in.
    pub(super) fn connect(&mut self, identity: &Identity) -> ConnectionId {
        self.next += 1;
        let connection = ConnectionId(self.next);
        self.arrive(identity).connections.insert(connection);
        let user = identity.user.clone();
        self.connections.insert(connection, LobbyConnection { user, followed: BTreeSet::new() });
        connection
    }

    /// Forgets a connection; whose it was.
    pub(super) fn disconnect(&mut self, connection: ConnectionId, now: Duration) -> Option<UserId> {
        self.follow(connection, &[]);
        let LobbyConnection { user, .. } = self.connections.remove(&connection)?;
        self.listeners.remove(&connection);
        self.depart(&user, now, |person| {
            person.connections.remove(&connection);
        });
        Some(user)
    }

    /// Says whether somebody waits for a match.
    pub(super) fn set_queued(&mut self, identity: &Identity, queued: bool, now: Duration) {
        if queued {
            self.arrive(identity).queued = true;
            // Their party may have changed between the question who is in it and this word.
            self.regroup([&identity.user]);
        } else {
            self.regrouped.remove(&identity.user);
            self.depart(&identity.user, now, |person| person.queued = false);
        }
    }

    /// Somebody's party has changed: it matters if they wait for a match.
    pub(super) fn regroup<'a>(&mut self, users: impl IntoIterator<Item = &'a UserId>) {
        let people = &self.people;
        let queued = users.into_iter().filter(|user| people.get(*user).is_some_and(|person| person.queued));
        self.regrouped.extend(queued.cloned());
    }

    pub(super) fn take_regrouped(&mut self) -> BTreeSet<UserId> {
        std::mem::take(&mut self.regrouped)
    }

    /// Somebody's seat in a room, from now on the newest if they have several.
    pub(super) fn sit(&mut self, identity: &Identity, room: &RoomId, sitting: Sitting) {
        let seats = &mut self.arrive(identity).seats;
        seats.retain(|(seat, _)| seat != room);
        seats.push((room.clone(), sitting));
        self.seated.entry(room.clone()).or_default().insert(identity.user.clone());
    }

    /// Somebody's seat in a room is given up; whether it was the last of the room.
    pub(super) fn unseat(&mut self, user: &UserId, room: &RoomId, now: Duration) -> bool {
        self.depart(user, now, |person| person.seats.retain(|(seat, _)| seat != room));
        let Some(seated) = self.seated.get_mut(room) else { return false };
        seated.remove(user);
        let last = seated.is_empty();
        if last {
            self.seated.remove(room);
        }
        last
    }

    /// A connection hears of the lobby's chat from now on.
    pub(super) fn listen(&mut self, connection: ConnectionId) {
        if self.connections.contains_key(&connection) {
            self.listeners.insert(connection);
        }
    }

    /// A connection follows these people from now on, and nobody else.
    pub(super) fn follow(&mut self, connection: ConnectionId, users: &[UserId]) {
        let Some(following) = self.connections.get_mut(&connection) else { return };
        for user in std::mem::take(&mut following.followed) {
            if let Some(followers) = self.followers.get_mut(&user) {
                followers.remove(&connection);
                if followers.is_empty() {
                    self.followers.remove(&user);
                }
            }
        }
        following.followed.extend(users.iter().cloned());
        for user in users {
            self.followers.entry(user.clone()).or_default().insert(connection);
        }
    }

    pub(super) fn person(&self, user: &UserId) -> Option<&PersonRecord> {
        self.people.get(user)
    }

    pub(super) fn person_mut(&mut self, user: &UserId) -> Option<&mut PersonRecord> {
        self.people.get_mut(user)
    }

    pub(super) fn status(&self, user: &UserId) -> PresenceStatus {
        self.people.get(user).map_or(PresenceStatus::Offline, PersonRecord::status)
    }

    /// The room whose chat somebody is in: that of their newest seat.
    pub(super) fn room_of(&self, user: &UserId) -> Option<&RoomId> {
        self.people.get(user)?.seats.last().map(|(room, _)| room)
    }

    /// The connections of some people.
    pub(super) fn connections_of<'a>(&self, users: impl IntoIterator<Item = &'a UserId>) -> Vec<ConnectionId> {
        let people = users.into_iter().filter_map(|user| self.people.get(user));
        people.flat_map(|person| person.connections.iter().copied()).collect()
    }

    /// The connections of those whose newest seat is in a room.
    pub(super) fn connections_in(&self, room: &RoomId) -> Vec<ConnectionId> {
        let seated = self.seated.get(room).into_iter().flatten();
        self.connections_of(seated.filter(|user| self.room_of(user) == Some(room)))
    }

    pub(super) fn listeners(&self) -> Vec<ConnectionId> {
        self.listeners.iter().copied().collect()
    }

    pub(super) fn followers(&self, user: &UserId) -> Vec<ConnectionId> {
        self.followers.get(user).into_iter().flatten().copied().collect()
    }

    /// When somebody is to be forgotten next.
    pub(super) fn forget_due(&self) -> Option<Duration> {
        let (gone, _) = self.gone.first()?;
        Some(if self.gone.len() > MAX_REMEMBERED { *gone } else { *gone + REMEMBERED_FOR })
    }

    /// Somebody whose time is over.
    pub(super) fn expired(&self, now: Duration) -> Option<UserId> {
        (self.forget_due()? <= now).then(|| self.gone.first().map(|(_, user)| user.clone()))?
    }

    /// Forgets somebody who is not here.
    pub(super) fn forget(&mut self, user: &UserId) {
        if let Some(gone) = self.people.get(user).and_then(|person| person.gone) {
            self.gone.remove(&(gone, user.clone()));
            self.people.remove(user);
        }
    }

    fn arrive(&mut self, identity: &Identity) -> &mut PersonRecord {
        let Identity { user, name, .. } = identity;
        let person = self.people.entry(user.clone()).or_insert_with(|| PersonRecord {
            name: name.clone(),
            connections: BTreeSet::new(),
            queued: false,
            seats: Vec::new(),
            gone: None,
            told: (PresenceStatus::Offline, name.clone()),
            pace: Pace::default(),
            typing: Pace::default(),
        });
        person.name = name.clone();
        if let Some(gone) = person.gone.take() {
            self.gone.remove(&(gone, user.clone()));
        }
        person
    }

    fn depart(&mut self, user: &UserId, now: Duration, change: impl FnOnce(&mut PersonRecord)) {
        let Some(person) = self.people.get_mut(user) else { return };
        change(person);
        if !person.is_here() && person.gone.is_none() {
            person.gone = Some(now);
            self.gone.insert((now, user.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Identity {
        Identity { user: UserId::parse("ada").unwrap(), name: DisplayName::parse("Ada").unwrap(), guest: true }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn somebody_is_offline_when_the_last_of_several_connections_is_gone() {
        let (mut presence, ada) = (Presence::default(), ada());
        let (one, two) = (presence.connect(&ada), presence.connect(&ada));
        presence.disconnect(one, at(1));
        assert_eq!(presence.status(&ada.user), PresenceStatus::Online);
        assert_eq!(presence.disconnect(one, at(1)), None, "once is enough");
        presence.disconnect(two, at(2));
        assert_eq!(presence.status(&ada.user), PresenceStatus::Offline);
    }

    #[test]
    fn a_seat_counts_for_more_than_a_queue_and_that_for_more_than_a_connection() {
        let (mut presence, ada) = (Presence::default(), ada());
        let (room, other) = (RoomId::named("room"), RoomId::named("other"));
        let connection = presence.connect(&ada);
        let mut seen = vec![presence.status(&ada.user)];
        presence.set_queued(&ada, true, at(0));
        seen.push(presence.status(&ada.user));
        presence.sit(&ada, &room, Sitting::Playing);
        presence.sit(&ada, &other, Sitting::Away);
        seen.push(presence.status(&ada.user));
        presence.sit(&ada, &room, Sitting::Away);
        seen.push(presence.status(&ada.user));
        assert_eq!(presence.room_of(&ada.user), Some(&room));
        assert!(presence.unseat(&ada.user, &room, at(0)) && presence.unseat(&ada.user, &other, at(0)));
        presence.disconnect(connection, at(1));
        seen.push(presence.status(&ada.user));
        presence.set_queued(&ada, false, at(2));
        seen.push(presence.status(&ada.user));
        assert_eq!(
            seen,
            [
                PresenceStatus::Online,
                PresenceStatus::Queue,
                PresenceStatus::Match,
                PresenceStatus::Away,
                PresenceStatus::Queue,
                PresenceStatus::Offline
            ]
        );
        assert_eq!(presence.forget_due(), Some(at(2) + REMEMBERED_FOR));
    }

    #[test]
    fn who_comes_back_in_time_is_not_forgotten() {
        let (mut presence, ada) = (Presence::default(), ada());
        let connection = presence.connect(&ada);
        presence.disconnect(connection, at(10));
        let connection = presence.connect(&ada);
        assert_eq!(presence.forget_due(), None);
        presence.disconnect(connection, at(20));
        assert_eq!(presence.expired(at(79)), None);
        assert_eq!(presence.expired(at(80)).as_ref(), Some(&ada.user));
        presence.forget(&ada.user);
        assert!(presence.people.is_empty() && presence.gone.is_empty() && presence.connections.is_empty());
    }

    #[test]
    fn the_many_who_went_are_forgotten_early() {
        let mut presence = Presence::default();
        for n in 0..=MAX_REMEMBERED {
            let user = UserId::parse(&format!("user-{n}")).unwrap();
            let connection = presence.connect(&Identity { user, ..ada() });
            presence.disconnect(connection, at(n as u64 / 1000));
        }
        let first = presence.expired(at(10)).unwrap();
        assert_eq!(first.as_str(), "user-0");
        presence.forget(&first);
        assert_eq!(presence.expired(at(10)), None);
    }

    #[test]
    fn following_others_leaves_nothing_behind() {
        let (mut presence, ada) = (Presence::default(), ada());
        let connection = presence.connect(&ada);
        let bob = UserId::parse("bob").unwrap();
        presence.follow(connection, &[bob.clone(), bob.clone(), ada.user.clone()]);
        assert_eq!(presence.followers(&bob), [connection]);
        presence.follow(connection, std::slice::from_ref(&ada.user));
        assert_eq!((presence.followers(&bob), presence.followers(&ada.user)), (vec![], vec![connection]));
        presence.listen(connection);
        presence.disconnect(connection, at(1));
        assert!(presence.followers.is_empty() && presence.listeners.is_empty());
    }
}
