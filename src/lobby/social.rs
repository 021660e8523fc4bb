//! Combines presence, chat and parties, and addresses their events to connections.
//!
//! Requests and changes go in; events for connections come out as [`Notice`]s, in order. `now` is the time since the Unix epoch
//! and never goes back.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use rand::{SeedableRng, rngs::ChaCha8Rng};

use super::{
    ConnectionId, Identity, MAX_FOLLOWED, MAX_PARTY, Party, PartyError, PartyId, PersonInfo, PresenceStatus, RoomId, Sitting,
    UserId,
    chat::{CHAT_RATE, Channel, Chat, ChatText, Draft, LogKey, Pace, Rate, Replay},
    notice::{LeaveReason, Notice, PartyInfo, PartyMember, SocialEvent},
    party::Parties,
    presence::{PersonRecord, Presence},
    social_limits::{SocialError, SocialLimits},
};

/// The recipient of a chat message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChatTarget {
    /// Everybody in a channel.
    Channel(Channel),
    /// One person.
    User(UserId),
}

/// The number of addresses from which on rested ones are looked for and removed.
const SWEEP_FROM: usize = 1024;

/// The presence, chat and parties of everybody on this server.
#[derive(Debug)]
pub struct Social {
    presence: Presence,
    parties: Parties,
    chat: Chat,
    limits: SocialLimits,
    /// The messages of guests by their address.
    addresses: HashMap<IpAddr, Pace>,
    /// The number of addresses that the last sweep left.
    swept: usize,
    notices: Vec<Notice>,
    rng: ChaCha8Rng,
}

impl Social {
    /// Creates an empty lobby. Party codes derive from the seed, so it must be unpredictable.
    pub fn new(seed: [u8; 32], limits: SocialLimits) -> Self {
        Self {
            presence: Presence::default(),
            parties: Parties::default(),
            chat: Chat::default(),
            limits,
            addresses: HashMap::new(),
            swept: 0,
            notices: Vec::new(),
            rng: ChaCha8Rng::from_seed(seed),
        }
    }

    /// Sets whether a person blocks others: whether their messages, invitations and typing reach the person. Returns everybody
    /// whom the person blocks then. The list is kept for as long as the person is remembered.
    ///
    /// # Errors
    ///
    /// Returns an error if the person is unknown, or means themselves. If there would be more people than one person may block, the
    /// first of them are blocked.
    pub fn block(&mut self, by: &Identity, users: &[UserId], blocked: bool) -> Result<Vec<UserId>, SocialError> {
        self.check_known(&by.user)?;
        if users.contains(&by.user) {
            return Err(SocialError::UnknownUser(by.user.clone()));
        }
        let most = self.limits.blocks_per_person;
        for user in users {
            let is_full = self.presence.blocked(&by.user).count() >= most;
            if blocked && is_full && !self.presence.blocks(&by.user, user) {
                return Err(SocialError::BlocksTooMany(most));
            }
            self.presence.block(&by.user, user, blocked);
        }
        Ok(self.presence.blocked(&by.user).cloned().collect())
    }

    /// Takes the notices since the last call, in order.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Adds a connection to the lobby.
    pub fn connect(&mut self, identity: &Identity) -> ConnectionId {
        let connection = self.presence.connect(identity);
        self.tell_status(&identity.user);
        connection
    }

    /// Removes a connection. A person without a connection, seat or queue entry is forgotten after
    /// [`REMEMBERED_FOR`](super::REMEMBERED_FOR).
    pub fn disconnect(&mut self, connection: ConnectionId, now: Duration) {
        if let Some(user) = self.presence.disconnect(connection, now) {
            self.tell_status(&user);
        }
    }

    /// Sets whether a person waits for a match.
    pub fn set_queued(&mut self, identity: &Identity, queued: bool, now: Duration) {
        self.presence.set_queued(identity, queued, now);
        self.tell_status(&identity.user);
    }

    /// Takes the queued people whose party may have changed since the last call. Each comes with the members of the party, the
    /// leader first, or with none if they are in no party.
    pub fn take_regrouped(&mut self) -> Vec<(UserId, Vec<UserId>)> {
        let with_party = |user: UserId| {
            let members = self.parties.of(&user).map_or_else(Vec::new, |party| party.roster().cloned().collect());
            (user, members)
        };
        self.presence.take_regrouped().into_iter().map(with_party).collect()
    }

    /// Sets the state of a person's seat in a room and moves them to that room's chat. A person has one seat per room.
    pub fn sit(&mut self, identity: &Identity, room: &RoomId, sitting: Sitting) {
        self.presence.sit(identity, room, sitting);
        self.tell_status(&identity.user);
    }

    /// Removes a person's seat in a room.
    pub fn unseat(&mut self, user: &UserId, room: &RoomId, now: Duration) {
        if self.presence.unseat(user, room, now) {
            self.chat.forget(&LogKey::Room(room.clone()));
        }
        self.tell_status(user);
    }

    /// Returns the time at which [`forget`](Self::forget) has work to do next.
    pub fn forget_due(&self) -> Option<Duration> {
        self.presence.forget_due()
    }

    /// Forgets the people whose time is over and removes them from their parties.
    pub fn forget(&mut self, now: Duration) {
        while let Some(user) = self.presence.expired(now) {
            if let Ok(party) = self.parties.leave(&user) {
                self.tell_party(&party);
            }
            self.tell_status(&user);
            self.chat.forget(&LogKey::Private(user.clone()));
            self.presence.forget(&user);
        }
    }

    /// Returns the status of a person. A disconnected member of a party is away.
    pub fn status(&self, user: &UserId) -> PresenceStatus {
        match self.presence.status(user) {
            PresenceStatus::Offline if self.parties.of(user).is_some() => PresenceStatus::Away,
            status => status,
        }
    }

    /// Returns the name and status of a person.
    pub fn person(&self, user: &UserId) -> PersonInfo {
        let name = self.presence.person(user).map(|person| person.name.clone());
        PersonInfo { user: user.clone(), name, status: self.status(user) }
    }

    /// Replaces the people that a connection follows and returns their presence, in the given order.
    ///
    /// # Errors
    ///
    /// Returns [`SocialError::FollowsTooMany`] for more than [`MAX_FOLLOWED`] people.
    pub fn follow(&mut self, connection: ConnectionId, users: &[UserId]) -> Result<Vec<PersonInfo>, SocialError> {
        if users.len() > MAX_FOLLOWED {
            return Err(SocialError::FollowsTooMany);
        }
        self.presence.follow(connection, users);
        Ok(users.iter().map(|user| self.person(user)).collect())
    }

    /// Returns the messages of a channel after `known`, the id of a history and a number in it. Messages of people whom the person
    /// blocks are left out. Subscribes the connection if the channel is the lobby; other channels need no subscription.
    ///
    /// # Errors
    ///
    /// Returns an error if the person is unknown or is not in the channel.
    pub fn listen(
        &mut self, connection: ConnectionId, by: &Identity, channel: Channel, known: Option<(&str, u64)>,
    ) -> Result<Replay, SocialError> {
        self.check_known(&by.user)?;
        let key = self.key(channel, &by.user)?;
        if channel == Channel::Lobby {
            self.presence.listen(connection);
        }
        let mut replay = self.chat.replay(&key, known, &mut self.rng);
        replay.messages.retain(|message| !self.presence.blocks(&by.user, &message.user));
        Ok(replay)
    }

    /// Sends a message and returns its number, in the channel or among the sender's private messages.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not valid, the target is unknown, or the sender exceeds the rate limit.
    pub fn chat(&mut self, by: &Identity, target: &ChatTarget, text: &str, now: Duration) -> Result<u64, SocialError> {
        let text = ChatText::parse(text)?;
        let (name, user) = (by.name.clone(), by.user.clone());
        let mut draft = Draft { at: now, user, name, to: None, text };
        match target {
            ChatTarget::Channel(channel) => {
                let key = self.speakable(*channel, &by.user)?;
                self.pay(by, now)?;
                Ok(self.say(&key, draft))
            }
            ChatTarget::User(to) => {
                self.other(by, to)?;
                self.pay(by, now)?;
                draft.to = Some(to.clone());
                // The sender does not learn that they are blocked.
                if !self.presence.blocks(to, &by.user) {
                    let rate = Rate::per_minute(self.limits.messages_per_minute_to_person);
                    self.reach(to, rate, now, |person| &mut person.written_to)?;
                    self.say(&LogKey::Private(to.clone()), draft.clone());
                }
                Ok(self.say(&LogKey::Private(by.user.clone()), draft))
            }
        }
    }

    /// Tells others that a person is typing. Calls beyond the rate limit are dropped.
    ///
    /// # Errors
    ///
    /// Returns an error if the target is unknown.
    pub fn typing(&mut self, by: &Identity, target: &ChatTarget, now: Duration) -> Result<(), SocialError> {
        let (channel, key) = match target {
            ChatTarget::Channel(channel) => (*channel, self.speakable(*channel, &by.user)?),
            ChatTarget::User(to) => {
                self.other(by, to)?;
                (Channel::Private, LogKey::Private(to.clone()))
            }
        };
        if self.presence.person_mut(&by.user).is_some_and(|person| person.typing.take(CHAT_RATE, now).is_ok()) {
            let own = self.presence.connections_of([&by.user]);
            let (mut to, _) = self.presence.part(self.audience(&key), &by.user);
            to.retain(|connection| !own.contains(connection));
            self.tell(to, SocialEvent::Typing { channel, user: by.user.clone(), name: by.name.clone() });
        }
        Ok(())
    }

    /// Returns the party of a person.
    pub fn party(&self, user: &UserId) -> Option<&Party> {
        self.parties.of(user)
    }

    /// Returns a person's party as it is sent to clients.
    pub fn party_info(&self, user: &UserId) -> Option<PartyInfo> {
        self.parties.of(user).map(|party| self.describe(party))
    }

    /// Creates a party with one member.
    ///
    /// # Errors
    ///
    /// Returns an error if the person is unknown or is in a party already.
    pub fn party_create(&mut self, by: &Identity) -> Result<(), SocialError> {
        self.check_known(&by.user)?;
        let party = self.parties.create(&by.user, &mut self.rng)?;
        self.tell_party(&party);
        self.tell_status(&by.user);
        Ok(())
    }

    /// Sends the party's code to a connected person.
    ///
    /// # Errors
    ///
    /// Returns an error if the sender is in no party, the party is full, the invited person is not connected, or the sender or the
    /// invited person exceeds the rate limit. An invitation to somebody who blocks the sender is not sent.
    pub fn party_invite(&mut self, by: &Identity, user: &UserId, now: Duration) -> Result<(), SocialError> {
        let party = self.parties.of(&by.user).ok_or(PartyError::NotInParty)?;
        if party.members.len() >= MAX_PARTY {
            return Err(PartyError::Full.into());
        }
        let (party, code) = (party.id.clone(), party.code.clone());
        let to = self.presence.connections_of([user]);
        if to.is_empty() || *user == by.user {
            return Err(SocialError::UnknownUser(user.clone()));
        }
        let rate = Rate::per_minute(self.limits.invitations_per_minute_of_person);
        let paid = self.presence.person_mut(&by.user).map_or(Ok(()), |person| person.inviting.take(rate, now));
        paid.map_err(|left| SocialError::InvitesTooOften { left })?;
        self.pay(by, now)?;
        if self.presence.blocks(user, &by.user) {
            return Ok(());
        }
        let rate = Rate::per_minute(self.limits.invitations_per_minute_to_person);
        self.reach(user, rate, now, |person| &mut person.invited)?;
        self.tell(to, SocialEvent::PartyInvite { party, code, from: self.person(&by.user) });
        Ok(())
    }

    /// Adds a person to the party with a code.
    ///
    /// # Errors
    ///
    /// Returns an error if the person is unknown or is in a party already, or if the code is unknown or its party is full. To a
    /// person whom the leader blocks, the code is unknown.
    pub fn party_join(&mut self, by: &Identity, typed: &str) -> Result<(), SocialError> {
        self.check_known(&by.user)?;
        if self.parties.by_code(typed).is_some_and(|party| self.presence.blocks(&party.leader, &by.user)) {
            return Err(PartyError::UnknownCode.into());
        }
        let party = self.parties.join(&by.user, typed)?;
        self.tell_party(&party);
        self.tell_status(&by.user);
        Ok(())
    }

    /// Removes a person from their party.
    ///
    /// # Errors
    ///
    /// Returns [`PartyError::NotInParty`] if there is none.
    pub fn party_leave(&mut self, by: &Identity) -> Result<(), SocialError> {
        let party = self.parties.leave(&by.user)?;
        self.tell_left(&by.user, party, LeaveReason::Left);
        Ok(())
    }

    /// Makes another member the leader.
    ///
    /// # Errors
    ///
    /// Returns a [`PartyError`] unless `by` leads the party and `user` is another member.
    pub fn party_promote(&mut self, by: &Identity, user: &UserId) -> Result<(), SocialError> {
        let party = self.parties.promote(&by.user, user)?;
        self.tell_party(&party);
        Ok(())
    }

    /// Removes another member and gives the party a new code.
    ///
    /// # Errors
    ///
    /// Returns a [`PartyError`] unless `by` leads the party and `user` is another member.
    pub fn party_kick(&mut self, by: &Identity, user: &UserId) -> Result<(), SocialError> {
        let party = self.parties.kick(&by.user, user, &mut self.rng)?;
        self.tell_left(user, party, LeaveReason::Kicked);
        Ok(())
    }

    /// Sets whether a member is ready.
    ///
    /// # Errors
    ///
    /// Returns [`PartyError::NotInParty`] if the person is in no party.
    pub fn party_ready(&mut self, by: &Identity, ready: bool) -> Result<(), SocialError> {
        let party = self.parties.set_ready(&by.user, ready)?;
        self.tell_party(&party);
        Ok(())
    }

    /// Returns the history that a channel's name means for a person.
    fn key(&self, channel: Channel, user: &UserId) -> Result<LogKey, SocialError> {
        let key = match channel {
            Channel::Lobby => Some(LogKey::Lobby),
            Channel::Party => self.parties.of(user).map(|party| LogKey::Party(party.id.clone())),
            Channel::Room => self.presence.room_of(user).cloned().map(LogKey::Room),
            Channel::Private => Some(LogKey::Private(user.clone())),
        };
        key.ok_or(SocialError::UnknownChannel)
    }

    /// Returns the history to send a message to. A private message needs a recipient, so the private channel is refused.
    fn speakable(&self, channel: Channel, user: &UserId) -> Result<LogKey, SocialError> {
        if channel == Channel::Private { Err(SocialError::UnknownChannel) } else { self.key(channel, user) }
    }

    /// Checks that a person is known and is not the sender.
    fn other(&self, by: &Identity, user: &UserId) -> Result<(), SocialError> {
        if *user == by.user { Err(SocialError::UnknownUser(user.clone())) } else { self.check_known(user) }
    }

    /// Checks that a person is present or still remembered. Nothing is stored for anybody else, since it would never be removed.
    fn check_known(&self, user: &UserId) -> Result<(), SocialError> {
        if self.presence.person(user).is_some() { Ok(()) } else { Err(SocialError::UnknownUser(user.clone())) }
    }

    /// Counts a message or an invitation against the sender's rate limit, and against that of the address of a guest.
    fn pay(&mut self, by: &Identity, now: Duration) -> Result<(), SocialError> {
        let Some(person) = self.presence.person_mut(&by.user) else { return Err(SocialError::UnknownUser(by.user.clone())) };
        person.pace.take(CHAT_RATE, now).map_err(|left| SocialError::TooFast { left })?;
        let Some(address) = by.shared_address() else { return Ok(()) };
        if self.addresses.len() >= SWEEP_FROM.max(2 * self.swept) {
            self.addresses.retain(|_, pace| !pace.is_rested(now));
            self.swept = self.addresses.len();
        }
        let rate = Rate::per_minute(self.limits.messages_per_minute_of_address);
        self.addresses.entry(address).or_default().take(rate, now).map_err(|left| SocialError::TooFast { left })
    }

    /// Counts what reaches a person against a rate limit.
    fn reach(
        &mut self, user: &UserId, rate: Rate, now: Duration, pace: impl FnOnce(&mut PersonRecord) -> &mut Pace,
    ) -> Result<(), SocialError> {
        let Some(person) = self.presence.person_mut(user) else { return Err(SocialError::UnknownUser(user.clone())) };
        pace(person).take(rate, now).map_err(|left| SocialError::RecipientBusy { user: user.clone(), left })
    }

    fn say(&mut self, key: &LogKey, draft: Draft) -> u64 {
        let message = self.chat.say(key, draft, &mut self.rng);
        let (channel, id, seq) = (message.channel, message.id.clone(), message.seq);
        let (to, hidden_from) = self.presence.part(self.audience(key), &message.user);
        self.tell(to, SocialEvent::Chat(message));
        self.tell(hidden_from, SocialEvent::ChatHidden { channel, id, seq });
        seq
    }

    fn audience(&self, key: &LogKey) -> Vec<ConnectionId> {
        match key {
            LogKey::Lobby => self.presence.listeners(),
            LogKey::Party(id) => {
                let party = self.parties.get(id);
                self.presence.connections_of(party.into_iter().flat_map(Party::roster))
            }
            LogKey::Room(room) => self.presence.connections_in(room),
            LogKey::Private(user) => self.presence.connections_of([user]),
        }
    }

    fn describe(&self, party: &Party) -> PartyInfo {
        let member = |(user, ready): &(UserId, bool)| PartyMember { person: self.person(user), ready: *ready };
        PartyInfo {
            seq: party.seq,
            party: party.id.clone(),
            code: party.code.clone(),
            leader: party.leader.clone(),
            members: party.members.iter().map(member).collect(),
        }
    }

    /// Notifies a person's followers and party if the status or name has changed.
    fn tell_status(&mut self, user: &UserId) {
        let status = self.status(user);
        let absent = self.presence.status(user) == PresenceStatus::Offline;
        let Some(person) = self.presence.person_mut(user) else { return };
        let now = (status, person.name.clone());
        if person.told == now {
            return;
        }
        person.told = now;
        self.tell(self.presence.followers(user), SocialEvent::Presence(self.person(user)));
        let party =
            if absent { self.parties.set_ready(user, false).ok() } else { self.parties.of(user).map(|party| party.id.clone()) };
        if let Some(party) = party {
            self.tell_party(&party);
        }
    }

    /// Sends the state of a party to its members, or removes the chat history of a party that has ended.
    fn tell_party(&mut self, id: &PartyId) {
        match self.parties.advance(id).cloned() {
            Some(party) => {
                self.presence.regroup(party.roster());
                let to = self.presence.connections_of(party.roster());
                self.tell(to, SocialEvent::Party(self.describe(&party)));
            }
            None => self.chat.forget(&LogKey::Party(id.clone())),
        }
    }

    fn tell_left(&mut self, user: &UserId, party: PartyId, reason: LeaveReason) {
        self.tell_party(&party);
        self.presence.regroup([user]);
        self.tell(self.presence.connections_of([user]), SocialEvent::PartyLeft { party, reason });
        self.tell_status(user);
    }

    fn tell(&mut self, to: Vec<ConnectionId>, event: SocialEvent) {
        if !to.is_empty() {
            self.notices.push(Notice { to, event });
        }
    }
}

#[cfg(test)]
mod tests;
