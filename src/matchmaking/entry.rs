//! Entries: people who want to play together.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;
use smallvec::SmallVec;

use super::{EntryId, Mode, QueueError};
use crate::lobby::UserId;

/// The most characters of a property's value.
const PROPERTY_CHARACTERS: usize = 64;

/// Longer round-trip times are as good as none.
const LONGEST_MS: f64 = 10_000.0;

/// The latency to each region, if none was measured: any will do.
pub(super) const UNMEASURED: u16 = u16::MAX - 1;

/// The latency to a region that was not measured, if others were.
pub(super) const TOO_FAR: u16 = u16::MAX;

/// Whether a region is near enough for an entry with that latency to it.
pub(super) fn is_near(latency: u16, limit: u16) -> bool {
    latency == UNMEASURED || latency <= limit.min(UNMEASURED - 1)
}

/// One person of an entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entrant {
    /// Who it is.
    pub user: UserId,
    /// Their skill in this mode.
    pub rating: f64,
}

/// What somebody asks the matchmaker for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueueRequest {
    /// The game.
    pub game: String,
    /// The mode; the game's default if none is named.
    pub mode: Option<String>,
    /// What must be the same for all in a match.
    pub properties: BTreeMap<String, Value>,
    /// Round-trip times to regions, in milliseconds.
    pub regions: BTreeMap<String, f64>,
}

/// People who queue, are matched and seated as one. It is in one place at a time: a queue, a ready check or a match.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueEntry {
    /// Its number, in the order of queueing.
    pub id: EntryId,
    /// Who plays, the leader of a party first.
    pub members: Vec<Entrant>,
    /// When it began to wait.
    pub since: Duration,
    /// The members' mean skill.
    pub rating: f64,
    /// The properties that must be the same, as text.
    pub(super) same: String,
    /// By region of the mode: its round-trip time in milliseconds, [`UNMEASURED`] or [`TOO_FAR`].
    pub(super) latencies: SmallVec<[u16; 4]>,
}

impl QueueEntry {
    /// An entry for a mode.
    ///
    /// # Errors
    /// The party is too large for a team, or a property is not one that the mode takes.
    pub(super) fn new(
        id: EntryId, mode: &Mode, request: &QueueRequest, members: Vec<Entrant>, since: Duration,
    ) -> Result<Self, QueueError> {
        let most = *mode.size.end();
        if members.len() > most {
            return Err(QueueError::PartyTooLarge { members: members.len(), most });
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

    /// How many people it is.
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// The people.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        self.members.iter().map(|member| &member.user)
    }
}

/// Properties are compared, not understood: no lists or objects, and no long text.
fn plain(value: &Value) -> Option<&Value> {
    let good = match value {
        Value::Array(_) | Value::Object(_) => false,
        Value::String(text) => text.chars().count() <= PROPERTY_CHARACTERS,
        _ => true,
    };
    good.then_some(value)
}

fn latency(ms: f64) -> Option<u16> {
    // Saturates, and what is no number is 0: neither gets through the filter.
    (0.0..=LONGEST_MS).contains(&ms).then_some(ms.round() as u16)
}
