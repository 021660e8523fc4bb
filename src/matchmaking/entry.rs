//! Queue entries: users who want to play together.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;
use smallvec::SmallVec;

use super::{EntryId, Mode, QueueError};
use crate::lobby::UserId;

/// The longest property value, in characters.
const MAX_PROPERTY_CHARS: usize = 64;

/// The longest valid round-trip time, in milliseconds. Longer ones count as not measured.
const MAX_LATENCY_MS: f64 = 10_000.0;

/// The latency to every region if the client measured none. It is within every limit.
pub(super) const UNMEASURED: u16 = u16::MAX - 1;

/// The latency to an unmeasured region if the client measured others. It exceeds every limit.
pub(super) const TOO_FAR: u16 = u16::MAX;

/// Returns whether a region with this latency is near enough.
pub(super) fn is_near(latency: u16, limit: u16) -> bool {
    latency == UNMEASURED || latency <= limit.min(UNMEASURED - 1)
}

/// A user in a queue entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entrant {
    /// The user.
    pub user: UserId,
    /// The user's rating in this mode.
    pub rating: f64,
}

/// A request to join a queue.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct QueueRequest {
    /// The game.
    pub game: String,
    /// The mode, or `None` for the game's default.
    pub mode: Option<String>,
    /// The properties that must be equal for all players of a match.
    pub properties: BTreeMap<String, Value>,
    /// Round-trip times by region, in milliseconds.
    pub regions: BTreeMap<String, f64>,
}

/// Users who are queued, matched and seated together. An entry is in one place at a time: a queue, a ready check or a match.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueEntry {
    /// The entry's number. Later entries have higher numbers.
    pub id: EntryId,
    /// The members. The leader of a party comes first.
    pub members: Vec<Entrant>,
    /// The time at which the entry joined the queue.
    pub since: Duration,
    /// The mean rating of the members.
    pub rating: f64,
    /// The values of the mode's properties, as text that is compared.
    pub(super) same: String,
    /// For each region of the mode, the round-trip time in milliseconds, [`UNMEASURED`] or [`TOO_FAR`].
    pub(super) latencies: SmallVec<[u16; 4]>,
}

impl QueueEntry {
    /// Makes an entry for a mode.
    ///
    /// # Errors
    /// Returns an error if the party is too large for a team, or if the mode does not accept a property.
    pub(super) fn new(
        id: EntryId, mode: &Mode, request: &QueueRequest, members: Vec<Entrant>, since: Duration,
    ) -> Result<Self, QueueError> {
        let max = *mode.size.end();
        if members.len() > max {
            return Err(QueueError::PartyTooLarge { members: members.len(), max });
        }
        if let Some(unknown) = request.properties.keys().find(|name| !mode.same.contains(name)) {
            return Err(QueueError::BadProperty(unknown.clone()));
        }
        let same: Vec<&Value> = mode
            .same
            .iter()
            .map(|name| plain(request.properties.get(name).unwrap_or(&Value::Null)).ok_or(QueueError::BadProperty(name.clone())))
            .collect::<Result<_, _>>()?;
        let same = same.iter().map(|value| format!("{value},")).collect();
        let rating = members.iter().map(|member| member.rating).sum::<f64>() / members.len().max(1) as f64;
        let measured = |name: &Arc<str>| request.regions.get(&**name).and_then(|ms| latency(*ms));
        let otherwise = if mode.regions.iter().any(|name| measured(name).is_some()) { TOO_FAR } else { UNMEASURED };
        let latencies = mode.regions.iter().map(|name| measured(name).unwrap_or(otherwise)).collect();
        Ok(Self { id, members, since, rating, same, latencies })
    }

    /// Returns the number of members.
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// Returns the members' user ids.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        self.members.iter().map(|member| &member.user)
    }
}

/// Returns the value if it is allowed as a property: no list, no object and no long text.
fn plain(value: &Value) -> Option<&Value> {
    let good = match value {
        Value::Array(_) | Value::Object(_) => false,
        Value::String(text) => text.chars().count() <= MAX_PROPERTY_CHARS,
        _ => true,
    };
    good.then_some(value)
}

fn latency(ms: f64) -> Option<u16> {
    // The range excludes NaN and values that would saturate the cast.
    (0.0..=MAX_LATENCY_MS).contains(&ms).then_some(ms.round() as u16)
}
