//! Presence: the people who are online, their connections, their status and their followers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::Serialize;
use smallvec::{SmallVec, smallvec};

use super::{DisplayName, Identity, RoomId, UserId, chat::Pace};

/// The time for which a person without a connection, seat or queue entry is remembered and stays in their party.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// The maximum number of remembered people who are gone. Beyond it, those who left first are forgotten early.
pub const MAX_REMEMBERED: usize = 10_000;

/// The maximum number of people that one connection follows.
pub const MAX_FOLLOWED: usize = 100;

/// The id of a connection to the lobby. A person may have several connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

/// The status of a person, as others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PresenceStatus {
    /// Connected, and neither queued nor seated.
    Online,
    /// Waiting for a match.
    Queue,
    /// Playing in a room.
    Match,
    /// Disconnected, with a seat or a place in a party that is kept.
    Away,
    /// Not connected, queued or seated.
    Offline,
}

/// The state of a seated person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sitting {
    /// The person is playing.
    Playing,
    /// The person is disconnected and the seat is kept.
    Away,
}

/// The presence of a person, as it is sent to clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PersonInfo {
    /// The id of the person.
    pub user: UserId,
    /// The display name, if it is known.
    pub name: Option<DisplayName>,
    /// The status.
    pub status: PresenceStatus,
}

/// The state of one person.
#[derive(Debug)]
pub(super) struct PersonRecord {
    pub(super) name: DisplayName,
    /// In the order in which they came. Most people have one.
    connections: SmallVec<[ConnectionId; 2]>,
    queued: bool,
    /// The rooms in which the person has a seat, the newest last.
    seats: SmallVec<[(RoomId, Sitting); 1]>,
    /// The time at which the last connection, seat or queue entry ended.
    gone: Option<Duration>,
    /// The status and name that others were last told.
    pub(super) told: (PresenceStatus, DisplayName),
    pub(super) pace: Pace,
    pub(super) typing: Pace,
    /// The invitations that this person sent.
    pub(super) inviting: Pace,
    /// The invitations that this person got.
    pub(super) invited: Pace,
    /// The private messages that this person got.
    pub(super) written_to: Pace,
    /// The people whose messages and invitations do not reach this person.
    blocked: BTreeSet<UserId>,
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

/// Everybody who is present or is still remembered.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// In boxes, because a third of the places in a tree are empty.
    people: BTreeMap<UserId, Box<PersonRecord>>,
    connections: BTreeMap<ConnectionId, LobbyConnection>,
    /// Connections that receive the lobby's chat.
    listeners: BTreeSet<ConnectionId>,
    followers: BTreeMap<UserId, BTreeSet<ConnectionId>>,
    seated: BTreeMap<RoomId, BTreeSet<UserId>>,
    /// The people who block a person.
    blockers: BTreeMap<UserId, BTreeSet<UserId>>,
    gone: BTreeSet<(Duration, UserId)>,
    /// Queued people whose party may have changed since they queued.
    regrouped: BTreeSet<UserId>,
    next: u64,
}

impl Presence {
    /// Adds a connection.
    pub(super) fn connect(&mut self, identity: &Identity) -> ConnectionId {
        self.next += 1;
        let connection = ConnectionId(self.next);
        self.arrive(identity).connections.push(connection);
        let user = identity.user.clone();
        self.connections.insert(connection, LobbyConnection { user, followed: BTreeSet::new() });
        connection
    }

    /// Removes a connection and returns its user.
    pub(super) fn disconnect(&mut self, connection: ConnectionId, now: Duration) -> Option<UserId> {
        self.follow(connection, &[]);
        let LobbyConnection { user, .. } = self.connections.remove(&connection)?;
        self.listeners.remove(&connection);
        self.depart(&user, now, |person| {
            person.connections.retain(|other| *other != connection);
        });
        Some(user)
    }

    /// Sets whether a person waits for a match.
    pub(super) fn set_queued(&mut self, identity: &Identity, queued: bool, now: Duration) {
        if queued {
            self.arrive(identity).queued = true;
            // The party may have changed between reading its members and this call.
            self.regroup([&identity.user]);
        } else {
            self.regrouped.remove(&identity.user);
            self.depart(&identity.user, now, |person| person.queued = false);
        }
    }

    /// Marks those of the users who are queued, because their party has changed.
    pub(super) fn regroup<'a>(&mut self, users: impl IntoIterator<Item = &'a UserId>) {
        let people = &self.people;
        let queued = users.into_iter().filter(|user| people.get(*user).is_some_and(|person| person.queued));
        self.regrouped.extend(queued.cloned());
    }

    pub(super) fn take_regrouped(&mut self) -> BTreeSet<UserId> {
        std::mem::take(&mut self.regrouped)
    }

    /// Adds a seat, which becomes the person's newest.
    pub(super) fn sit(&mut self, identity: &Identity, room: &RoomId, sitting: Sitting) {
        let seats = &mut self.arrive(identity).seats;
        seats.retain(|(seat, _)| seat != room);
        seats.push((room.clone(), sitting));
        self.seated.entry(room.clone()).or_default().insert(identity.user.clone());
    }

    /// Removes a seat and returns whether it was the last one in its room.
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

    /// Subscribes a connection to the lobby's chat.
    pub(super) fn listen(&mut self, connection: ConnectionId) {
        if self.connections.contains_key(&connection) {
            self.listeners.insert(connection);
        }
    }

    /// Replaces the people that a connection follows.
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
        self.people.get(user).map(|person| &**person)
    }

    pub(super) fn person_mut(&mut self, user: &UserId) -> Option<&mut PersonRecord> {
        self.people.get_mut(user).map(|person| &mut **person)
    }

    pub(super) fn status(&self, user: &UserId) -> PresenceStatus {
        self.people.get(user).map_or(PresenceStatus::Offline, |person| person.status())
    }

    /// Returns the room of a person's newest seat, whose chat they are in.
    pub(super) fn room_of(&self, user: &UserId) -> Option<&RoomId> {
        self.people.get(user)?.seats.last().map(|(room, _)| room)
    }

    /// Returns all connections of some people.
    pub(super) fn connections_of<'a>(&self, users: impl IntoIterator<Item = &'a UserId>) -> Vec<ConnectionId> {
        let people = users.into_iter().filter_map(|user| self.people.get(user));
        people.flat_map(|person| person.connections.iter().copied()).collect()
    }

    /// Returns the connections of the people whose newest seat is in a room.
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

    /// Returns the time at which the next person is due to be forgotten.
    pub(super) fn forget_due(&self) -> Option<Duration> {
        let (gone, _) = self.gone.first()?;
        Some(if self.gone.len() > MAX_REMEMBERED { *gone } else { *gone + REMEMBERED_FOR })
    }

    /// Returns a person who is due to be forgotten.
    pub(super) fn expired(&self, now: Duration) -> Option<UserId> {
        (self.forget_due()? <= now).then(|| self.gone.first().map(|(_, user)| user.clone()))?
    }

    /// Forgets a person who is gone.
    pub(super) fn forget(&mut self, user: &UserId) {
        if let Some(gone) = self.people.get(user).and_then(|person| person.gone) {
            self.gone.remove(&(gone, user.clone()));
            let blocked = self.people.remove(user).map(|person| person.blocked).unwrap_or_default();
            blocked.iter().for_each(|other| self.unlist_blocker(other, user));
        }
    }

    /// Sets whether a person blocks another.
    pub(super) fn block(&mut self, by: &UserId, user: &UserId, blocked: bool) {
        let Some(person) = self.people.get_mut(by) else { return };
        if blocked {
            person.blocked.insert(user.clone());
            self.blockers.entry(user.clone()).or_default().insert(by.clone());
        } else {
            person.blocked.remove(user);
            self.unlist_blocker(user, by);
        }
    }

    fn unlist_blocker(&mut self, blocked: &UserId, by: &UserId) {
        if let Some(blockers) = self.blockers.get_mut(blocked) {
            blockers.remove(by);
            if blockers.is_empty() {
                self.blockers.remove(blocked);
            }
        }
    }

    /// Returns the people whom a person blocks.
    pub(super) fn blocked(&self, by: &UserId) -> impl Iterator<Item = &UserId> {
        self.people.get(by).into_iter().flat_map(|person| &person.blocked)
    }

    pub(super) fn blocks(&self, by: &UserId, user: &UserId) -> bool {
        self.people.get(by).is_some_and(|person| person.blocked.contains(user))
    }

    /// Divides connections into those that may hear a person, and those of people who block the person.
    pub(super) fn part(&self, connections: Vec<ConnectionId>, user: &UserId) -> (Vec<ConnectionId>, Vec<ConnectionId>) {
        let Some(blockers) = self.blockers.get(user) else { return (connections, Vec::new()) };
        let deaf: BTreeSet<_> = self.connections_of(blockers).into_iter().collect();
        connections.into_iter().partition(|connection| !deaf.contains(connection))
    }

    fn arrive(&mut self, identity: &Identity) -> &mut PersonRecord {
        let Identity { user, name, .. } = identity;
        let person = self.people.entry(user.clone()).or_insert_with(|| {
            Box::new(PersonRecord {
                name: name.clone(),
                connections: smallvec![],
                queued: false,
                seats: smallvec![],
                gone: None,
                told: (PresenceStatus::Offline, name.clone()),
                pace: Pace::default(),
                typing: Pace::default(),
                inviting: Pace::default(),
                invited: Pace::default(),
                written_to: Pace::default(),
                blocked: BTreeSet::new(),
            })
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
        Identity { user: UserId::parse("ada").unwrap(), ..Identity::guest(DisplayName::parse("Ada").ok(), &mut rand::rng()) }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_person_is_offline_after_their_last_connection() {
        let (mut presence, ada) = (Presence::default(), ada());
        let (one, two) = (presence.connect(&ada), presence.connect(&ada));
        presence.disconnect(one, at(1));
        assert_eq!(presence.status(&ada.user), PresenceStatus::Online);
        assert_eq!(presence.disconnect(one, at(1)), None, "the connection is already removed");
        presence.disconnect(two, at(2));
        assert_eq!(presence.status(&ada.user), PresenceStatus::Offline);
    }

    #[test]
    fn a_seat_outranks_a_queue_and_a_queue_a_connection() {
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
    fn a_person_who_returns_in_time_is_not_forgotten() {
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
    fn people_beyond_the_limit_are_forgotten_early() {
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
    fn a_closed_connection_leaves_no_subscriptions() {
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

    #[test]
    fn a_forgotten_person_blocks_nobody() {
        let (mut presence, ada) = (Presence::default(), ada());
        let (bob, cy) = (UserId::parse("bob").unwrap(), UserId::parse("cy").unwrap());
        let connection = presence.connect(&ada);
        presence.block(&ada.user, &bob, true);
        presence.block(&ada.user, &cy, true);
        presence.block(&ada.user, &cy, false);
        assert_eq!(presence.blocked(&ada.user).collect::<Vec<_>>(), [&bob]);
        assert_eq!(presence.part(vec![connection], &bob), (vec![], vec![connection]));
        assert_eq!(presence.part(vec![connection], &cy), (vec![connection], vec![]));
        presence.disconnect(connection, at(1));
        presence.forget(&ada.user);
        assert!(presence.blockers.is_empty());
    }
}
