//! The identity of a person, across connections and servers.

use std::{fmt, net::IpAddr, sync::Arc};

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::DisplayName;

/// The maximum length of a user id, in bytes.
pub const MAX_USER_ID_BYTES: usize = 64;

/// The prefix of every guest's id.
const GUEST: &str = "guest-";

/// The id of a person: the subject of their token, or a random one for a guest. It is printable ASCII without spaces.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(Arc<str>);

impl UserId {
    /// Checks an id from outside. Returns `None` if it is empty, too long or not printable ASCII without spaces.
    pub fn parse(text: &str) -> Option<Self> {
        let good = (1..=MAX_USER_ID_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        good.then(|| Self(text.into()))
    }

    /// Returns a guest's id with 80 random bits.
    pub fn guest(rng: &mut (impl Rng + ?Sized)) -> Self {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let id: String = (0..16).map(|_| char::from(DIGITS[rng.random_range(0..DIGITS.len())])).collect();
        Self(format!("{GUEST}{id}").into())
    }

    /// Returns whether this is a guest's id. No other id starts with the same prefix.
    pub fn is_guest(&self) -> bool {
        self.0.starts_with(GUEST)
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a user id: 1 to 64 printable ASCII characters without spaces")
    }
}

impl From<UserId> for String {
    fn from(id: UserId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The identity of an authenticated person or a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The id of the person.
    pub user: UserId,
    /// The display name.
    pub name: DisplayName,
    /// Whether this is a guest, whose only credential is a token of this server.
    pub guest: bool,
    /// The address that the person came from, if it is counted. Anybody can become a guest many times, so the guests of one address
    /// share what they may use.
    pub address: Option<IpAddr>,
}

impl Identity {
    /// Returns a new guest with the chosen name, or with a random one.
    pub fn guest(name: Option<DisplayName>, rng: &mut (impl Rng + ?Sized)) -> Self {
        let name = name.unwrap_or_else(|| DisplayName::guest(rng));
        Self { user: UserId::guest(rng), name, guest: true, address: None }
    }

    /// Sets the address that the person came from.
    #[must_use]
    pub fn from_address(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// Returns the address with whose other guests the person shares what they may use.
    pub fn shared_address(&self) -> Option<IpAddr> {
        self.address.filter(|_| self.guest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing_accepts_only_short_printable_ids() {
        assert_eq!(UserId::parse("auth0|5f7c").unwrap().as_str(), "auth0|5f7c");
        for bad in ["", "two words", "tab\t", "ünïcode", &"x".repeat(65)] {
            assert_eq!(UserId::parse(bad), None, "{bad}");
        }
        let (one, two) = (UserId::guest(&mut rand::rng()), UserId::guest(&mut rand::rng()));
        assert!(one != two && UserId::parse(one.as_str()) == Some(one));
    }
}
