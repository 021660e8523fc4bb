//! Chat: the rules for texts, the rate limit, and the numbered history of each channel.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use rand::{Rng, RngExt};
use serde::Serialize;
use thiserror::Error;

use super::{
    DisplayName, PartyId, RoomId, UserId,
    ids::as_text,
    legible::{self, Illegible},
};

/// The number of messages that a channel remembers.
pub const HISTORY: usize = 100;

/// The bytes of messages from which on a replay ends. A listener asks again for the rest.
pub const REPLAY_BYTES: usize = 32 * 1024;

/// The maximum length of a message, in characters.
pub const MAX_TEXT: usize = 500;

/// The number of messages that a person may send in a burst.
pub const CHAT_BURST: u32 = 5;

/// The time that earns a person one more message after a burst.
pub const CHAT_INTERVAL: Duration = Duration::from_secs(1);

/// A chat channel, by the name that clients use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Channel {
    /// Every connection that listens to the lobby.
    Lobby,
    /// The members of the sender's party.
    Party,
    /// The people seated in the same room.
    Room,
    /// Messages that a person exchanges with single other people.
    Private,
}

impl Channel {
    /// Returns the channel with this name.
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

/// The key of one history. A channel name means another history in each party and room, and for each person.
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

/// The text of a message: 1 to 500 characters. At least one shows something, and none hides or reorders its neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ChatText(#[serde(serialize_with = "as_text")] Arc<str>);

/// The reason why a text may not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextError {
    /// The text is empty after trimming white space.
    #[error("a message must not be empty")]
    Empty,
    /// The text has more than [`MAX_TEXT`] characters.
    #[error("a message has at most {MAX_TEXT} characters, this one has {0}")]
    TooLong(usize),
    /// The text contains a control, bidirectional or invisible formatting character.
    #[error("a message must not contain the character U+{:04X}", u32::from(*.0))]
    Forbidden(char),
    /// The text has only characters that show nothing.
    #[error("a message must have a character that can be seen, such as a letter or a digit")]
    Blank,
}

impl ChatText {
    /// Checks a text and trims white space at both ends.
    ///
    /// # Errors
    ///
    /// Returns a [`TextError`] if the trimmed text is empty, too long, shows nothing, or contains a forbidden character.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        match text.chars().count() {
            count if count > MAX_TEXT => return Err(TextError::TooLong(count)),
            _ => {}
        }
        match legible::check(text) {
            Err(Illegible::Forbidden(letter)) => Err(TextError::Forbidden(letter)),
            Err(Illegible::Blank) => Err(TextError::Blank),
            Ok(()) => Ok(Self(text.into())),
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A message that has no number yet.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) at: Duration,
    pub(super) user: UserId,
    pub(super) name: DisplayName,
    pub(super) to: Option<UserId>,
    pub(super) text: ChatText,
}

/// A message as it is sent to clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ChatMessage {
    /// The channel of the message.
    pub channel: Channel,
    /// The id of its history. Each history has numbers of its own.
    #[serde(serialize_with = "as_text")]
    pub id: Arc<str>,
    /// Its number in that history, from 1, without gaps.
    pub seq: u64,
    /// The time of the message, in milliseconds since the Unix epoch.
    pub at: u64,
    /// The id of the sender.
    pub user: UserId,
    /// The display name of the sender.
    pub name: DisplayName,
    /// The recipient of a private message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<UserId>,
    /// The text.
    pub text: ChatText,
}

/// The messages that a listener has missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Replay {
    /// The id of the history.
    #[serde(serialize_with = "as_text")]
    pub id: Arc<str>,
    /// The number of the newest message; 0 before the first.
    pub seq: u64,
    /// The missed messages that are still remembered, oldest first. If the last is not number `seq`, there are more.
    pub messages: Vec<ChatMessage>,
    /// Whether no message is missing between the last one the listener knows and these.
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
    /// Returns the messages after the one that a listener knows.
    ///
    /// `known` also names the history, because numbers restart after a restart of the server and in another party.
    fn replay(&self, known: Option<(&str, u64)>) -> Replay {
        let after = match known {
            Some((id, after)) => Some(after).filter(|after| id == &*self.id && *after <= self.seq),
            None => Some(0),
        };
        let oldest = self.messages.front().map_or(self.seq + 1, |message| message.seq);
        let mut bytes = 0;
        let missed = self.messages.iter().filter(|message| message.seq > after.unwrap_or(0));
        let page = missed.take_while(|message| {
            let fits = bytes < REPLAY_BYTES;
            bytes += message.text.0.len();
            fits
        });
        let messages = page.cloned().collect();
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

/// The histories of all channels. The first message or listener creates a history.
#[derive(Debug, Default)]
pub(super) struct Chat {
    logs: BTreeMap<LogKey, Log>,
}

impl Chat {
    /// Numbers and stores a message.
    pub(super) fn say(&mut self, key: &LogKey, draft: Draft, rng: &mut (impl Rng + ?Sized)) -> ChatMessage {
        self.log(key, rng).push(key.channel(), draft)
    }

    /// Returns the messages after the one that a listener knows.
    pub(super) fn replay(&mut self, key: &LogKey, known: Option<(&str, u64)>, rng: &mut (impl Rng + ?Sized)) -> Replay {
        self.log(key, rng).replay(known)
    }

    /// Removes a history when its party or room has ended or its person is forgotten.
    pub(super) fn forget(&mut self, key: &LogKey) {
        self.logs.remove(key);
    }

    /// Returns whether there is no history.
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

/// How often something may be done: `burst` times at once after a pause, and then once in each `interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) burst: u32,
    pub(super) interval: Duration,
}

/// The rate of one person's messages.
pub(super) const CHAT_RATE: Rate = Rate { burst: CHAT_BURST, interval: CHAT_INTERVAL };

impl Rate {
    /// A minute's worth at once, and then as many a minute. 0 forbids it.
    pub(super) fn per_minute(count: u32) -> Self {
        Self { burst: count, interval: Duration::from_secs(60) / count.max(1) }
    }
}

/// Counts what is done against a rate.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// The time at which everything so far is paid for.
    paid: Duration,
}

impl Pace {
    /// Counts one more. The error is the time after which one is allowed again.
    pub(super) fn take(&mut self, rate: Rate, now: Duration) -> Result<(), Duration> {
        let paid = self.paid.max(now);
        // One more than the burst is paid for so much later than now.
        let most = rate.interval.saturating_mul(rate.burst);
        match (paid - now + rate.interval).checked_sub(most) {
            Some(early) if !early.is_zero() => Err(early),
            _ => {
                self.paid = paid + rate.interval;
                Ok(())
            }
        }
    }

    /// Returns whether a whole burst is allowed again, so that nothing needs to be remembered.
    pub(super) fn is_rested(&self, now: Duration) -> bool {
        self.paid <= now
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
    fn texts_that_hide_or_reorder_are_refused() {
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
            ("\u{3164}\u{3164}", Err(TextError::Forbidden('\u{3164}'))),
            ("\u{2800}", Err(TextError::Blank)),
        ];
        for (text, expected) in cases {
            let parsed = ChatText::parse(text);
            assert_eq!(parsed.as_ref().map(ChatText::as_str).map_err(|error| *error), *expected, "{text:?}");
        }
    }

    #[test]
    fn a_burst_is_limited_and_one_message_a_second_passes() {
        let (mut pace, now) = (Pace::default(), Duration::from_secs(100));
        let mut take = |after: u64| pace.take(CHAT_RATE, now + Duration::from_millis(after));
        assert_eq!((0..20).filter(|_| take(0).is_ok()).count(), 5);
        assert_eq!(take(900), Err(Duration::from_millis(100)));
        assert_eq!(take(1000), Ok(()));
        assert_eq!(take(1000), Err(Duration::from_secs(1)));
        assert_eq!((0..20).filter(|_| take(60_000).is_ok()).count(), 5, "a long pause earns no more than one burst");
    }

    #[test]
    fn a_rate_per_minute_begins_with_a_minutes_worth() {
        let (mut pace, now) = (Pace::default(), Duration::from_secs(100));
        assert_eq!((0..20).filter(|_| pace.take(Rate::per_minute(12), now).is_ok()).count(), 12);
        assert!(!pace.is_rested(now + Duration::from_secs(59)) && pace.is_rested(now + Duration::from_secs(60)));
        assert_eq!(pace.take(Rate::per_minute(12), now + Duration::from_secs(5)), Ok(()));
        assert!(Pace::default().take(Rate::per_minute(0), now).is_err());
    }

    #[test]
    fn a_position_in_another_history_replays_everything() {
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
        fn a_returning_listener_gets_every_remembered_message(said in 0u64..250, after in 0u64..260) {
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
