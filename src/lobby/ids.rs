//! The ids of rooms and parties.

use std::{fmt, sync::Arc};

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize, Serializer};

/// The letters and digits of room ids, without look-alikes.
const ID_LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The id of a room: ten random letters and digits, unique on this server.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(Arc<str>);

impl RoomId {
    /// Returns a random id.
    pub fn random(rng: &mut (impl Rng + ?Sized)) -> Self {
        let id: String = (0..10).map(|_| char::from(ID_LETTERS[rng.random_range(0..ID_LETTERS.len())])).collect();
        Self(id.into())
    }

    /// Wraps an id that a client sent. A room with this id need not exist.
    pub fn named(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RoomId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RoomId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

/// The id of a party: sixteen random hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct PartyId(#[serde(serialize_with = "as_text")] Arc<str>);

impl PartyId {
    pub(super) fn random(rng: &mut (impl Rng + ?Sized)) -> Self {
        Self(format!("{:016x}", rng.random::<u64>()).into())
    }
}

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(super) fn as_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}
