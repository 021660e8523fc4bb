//! Chat: what may be said, how fast, and the numbered history of each channel.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use rand::{Rng, RngExt};
use serde::Serialize;
use thiserror::Error;

use super::{DisplayName, PartyId, RoomId, UserId, ids::as_text, name::is_forbidden};

/// Messages that a channel remembers.
pub const HISTORY: usize = 100;

/// The most characters of a message.
pub const MAX_TEXT: usize = 500;

/// Messages that a person may send at once after a pause.
pub const CHAT_BURST: u32 = 5;

/// After a burst, a person may send a message in each such time.
pub const CHAT_INTERVAL: Duration = Duration::from_secs(1);

/// A channel, as clients name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Everybody who listens.
    Lobby,
    /// The members of one's party.
    Party,
    /// Those who sit in the same room.
    Room,
    /// What one has sent to single people and got from them.
    Private,
}

impl Channel {
    /// The channel with that name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "lobby" => Self::Lobby,
            "party" => Self::Party,
            "room" => Self::Room,
            "private" => Self::Private,
            _ => return None,
        })
    }
}

/// Which of the histories of a channel's name is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LogKey {
    Lobby,
    Party(PartyId),
    Room(RoomId),
    Private(UserId),
}

impl LogKey {
    fn channel(&self) -> Channel {
        match self {
            Self::Lobby => Channel::Lobby,
            Self::Party(_) => Channel::Party,
            Self::Room(_) => Channel::Room,
            Self::Private(_) => Channel::Private,
        }
    }
}

/// What somebody says: 1 to 500 characters, none of which hides or reorders what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ChatText(#[serde(serialize_with = "as_text")] Arc<str>);

/// Why a text may not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextError {
    /// Nothing is left after trimming white space.
    #[error("a message must not be empty")]
    Empty,
    /// More than [`MAX_TEXT`] characters.
    #[error("a message has at most {MAX_TEXT} characters, this one has {0}")]
    TooLong(usize),
    /// A control, bidirectional or invisible formatting character.
    #[error("a message must not contain the character U+{:04X}", u32::from(*.0))]
    Forbidden(char),
}

impl ChatText {
    /// The text as it may be shown, without white space at its ends.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        match text.chars().count() {
            count if count > MAX_TEXT => return Err(TextError::TooLong(count)),
            _ => {}
        }
        match text.chars().find(|letter| is_forbidden(*letter)) {
            Some(letter) => Err(TextError::Forbidden(letter)),
            None => Ok(Self(text.into())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A message before it has its number.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) at: Duration,
    pub(super) user: UserId,
    pub(super) name: DisplayName,
    pub(super) to: Option<UserId>,
    pub(super) text: ChatText,
}

/// A message, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChatMessage {
    /// Where it was said.
    pub channel: Channel,
    /// Which history it is in; another one has other numbers.
    #[serde(serialize_with = "as_text")]
    pub id: Arc<str>,
    /// Its number in that history, from 1, without gaps.
    pub seq: u64,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Who says it.
    pub user: UserId,
    /// What they are called.
    pub name: DisplayName,
    /// To whom, if it is private.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<UserId>,
    /// What is said.
    pub text: ChatText,
}

/// What a listener has missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// Which history this is.
    #[serde(serialize_with = "as_text")]
    pub id: Arc<str>,
    /// The number of the newest message; 0 before the first.
    pub seq: u64,
    /// The messages, in order.
    pub messages: Vec<ChatMessage>,
    /// Whether nothing between what was known and these is lost.
    pub complete: bool,
}

/// The newest messages of one history.
#[derive(Debug)]
struct Log {
    id: Arc<str>,
    seq: u64,
    messages: VecDeque<ChatMessage>,
}

impl Log {
    /// Where a listener left off names the history too: after a restart, or in another party, numbers begin anew.
    fn replay(&self, known: Option<(&str, u64)>) -> Replay {
        let after = match known {
            Some((id, after)) => Some(after).filter(|after| id == &*self.id && *after <= self.seq),
            None => Some(0),
        };
        let oldest = self.messages.front().map_or(self.seq + 1, |message| message.seq);
        let messages = self.messages.iter().filter(|message| message.seq > after.unwrap_or(0)).cloned().collect();
        let complete = after.is_some_and(|after| after + 1 >= oldest);
        Replay { id: self.id.clone(), seq: self.seq, messages, complete }
    }

    fn push(&mut self, channel: Channel, draft: Draft) -> ChatMessage {
        self.seq += 1;
        let Draft { at, user, name, to, text } = draft;
        let at = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        let message = ChatMessage { channel, id: self.id.clone(), seq: self.seq, at, user, name, to, text };
        if self.messages.len() == HISTORY {
            self.messages.pop_front();
        }
        self.messages.push_back(message.clone());
        message
    }
}

/// The histories of all channels, each from its first message or listener on.
#[derive(Debug, Default)]
pub(super) struct Chat {
    logs: BTreeMap<LogKey, Log>,
}

impl Chat {
    /// Numbers a message and remembers it.
    pub(super) fn say(&mut self, key: &LogKey, draft: Draft, rng: &mut (impl Rng + ?Sized)) -> ChatMessage {
        self.log(key, rng).push(key.channel(), draft)
    }

    /// What was said after what a listener knows.
    pub(super) fn replay(&mut self, key: &LogKey, known: Option<(&str, u64)>, rng: &mut (impl Rng + ?Sized)) -> Replay {
        self.log(key, rng).replay(known)
    }

    /// Forgets a history: its party or room has ended, or its person is gone.
    pub(super) fn forget(&mut self, key: &LogKey) {
        self.logs.remove(key);
    }

    /// Whether nothing is remembered.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.logs.is_empty()
    }

    fn log(&mut self, key: &LogKey, rng: &mut (impl Rng + ?Sized)) -> &mut Log {
        self.logs.entry(key.clone()).or_insert_with(|| {
            let id = format!("{:016x}", rng.random::<u64>()).into();
            Log { id, seq: 0, messages: VecDeque::new() }
        })
    }
}

/// How fast one person talks: [`CHAT_BURST`] messages at once, one in each [`CHAT_INTERVAL`] for long.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// When the person will have paid for everything said so far.
    paid: Duration,
}

impl Pace {
    /// Whether one more may be said now; if so it counts.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        let paid = self.paid.max(now);
        if paid - now > CHAT_INTERVAL * (CHAT_BURST - 1) {
            return false;
        }
        self.paid = paid + CHAT_INTERVAL;
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    fn draft(text: &str) -> Draft {
        Draft {
            at: Duration::from_millis(1500),
            user: UserId::parse("ada").unwrap(),
            name: DisplayName::parse("Ada").unwrap(),
            to: None,
            text: ChatText::parse(text).unwrap(),
        }
    }

    #[test]
    fn texts_are_judged_by_what_others_would_see() {
        let most = "x".repeat(MAX_TEXT);
        let cases: &[(&str, Result<&str, TextError>)] = &[
            (" gg wp ", Ok("gg wp")),
            ("žluťoučký 李 👩‍🚀", Ok("žluťoučký 李 👩‍🚀")),
            (&most, Ok(&most)),
            (" \n ", Err(TextError::Empty)),
            (&format!("{most}x"), Err(TextError::TooLong(MAX_TEXT + 1))),
            ("a\nb", Err(TextError::Forbidden('\n'))),
            ("a\u{1b}[31mb", Err(TextError::Forbidden('\u{1b}'))),
            ("a\u{202e}b", Err(TextError::Forbidden('\u{202e}'))),
        ];
        for (text, expected) in cases {
            let parsed = ChatText::parse(text);
            assert_eq!(parsed.as_ref().map(ChatText::as_str).map_err(|error| *error), *expected, "{text:?}");
        }
    }

    #[test]
    fn who_talks_too_fast_is_slowed_down() {
        let (mut pace, now) = (Pace::default(), Duration::from_secs(100));
        assert_eq!((0..20).filter(|_| pace.take(now)).count(), 5);
        assert!(!pace.take(now + Duration::from_millis(999)));
        assert!(pace.take(now + Duration::from_secs(1)));
        assert!(!pace.take(now + Duration::from_secs(1)));
        assert_eq!((0..20).filter(|_| pace.take(now + Duration::from_secs(60))).count(), 5, "silence is not saved up");
    }

    #[test]
    fn a_number_of_another_history_is_not_taken_for_one_of_this() {
        let (mut chat, mut rng) = (Chat::default(), ChaCha8Rng::seed_from_u64(1));
        chat.say(&LogKey::Lobby, draft("one"), &mut rng);
        let Replay { id, .. } = chat.replay(&LogKey::Lobby, None, &mut rng);
        assert!(chat.replay(&LogKey::Lobby, Some((&id, 1)), &mut rng).complete);
        for known in [("other", 1), ("other", 0), (&*id, 2)] {
            let replay = chat.replay(&LogKey::Lobby, Some(known), &mut rng);
            assert_eq!((replay.messages.len(), replay.complete), (1, false), "{known:?}");
        }
        chat.forget(&LogKey::Lobby);
        assert_ne!(chat.replay(&LogKey::Lobby, None, &mut rng).id, id);
    }

    proptest! {
        #[test]
        fn a_listener_who_comes_back_misses_nothing_that_is_remembered(said in 0u64..250, after in 0u64..260) {
            let (mut chat, mut rng) = (Chat::default(), ChaCha8Rng::seed_from_u64(1));
            let all: Vec<_> = (1..=said).map(|n| chat.say(&LogKey::Lobby, draft(&n.to_string()), &mut rng)).collect();
            prop_assert!(all.iter().zip(1..).all(|(message, seq)| message.seq == seq));
            let fresh = chat.replay(&LogKey::Lobby, None, &mut rng);
            prop_assert_eq!(fresh.messages.len() as u64, said.min(HISTORY as u64));
            prop_assert_eq!(fresh.complete, said <= HISTORY as u64);

            let replay = chat.replay(&LogKey::Lobby, Some((&fresh.id, after)), &mut rng);
            prop_assert_eq!(replay.seq, said);
            let missed = all.iter().filter(|message| after > said || message.seq > after).count();
            prop_assert_eq!(replay.complete, after <= said && missed <= HISTORY);
            let kept: Vec<_> = all[all.len() - missed.min(HISTORY)..].to_vec();
            prop_assert_eq!(replay.messages, kept);
        }
    }
}
