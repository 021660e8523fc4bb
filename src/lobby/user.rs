//! Who somebody is, across connections and servers.

use std::{fmt, sync::Arc};

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::DisplayName;

/// The most bytes of a user's id.
pub const USER_ID_BYTES: usize = 64;

/// How a guest's id begins.
const GUEST: &str = "guest-";

/// A person's id: the subject of their token, or made up for a guest. Printable ASCII without spaces.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(Arc<str>);

impl UserId {
    /// Takes over an id from elsewhere; `None` if it is empty, too long or not printable.
    pub fn parse(text: &str) -> Option<Self> {
        let good = (1..=USER_ID_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        good.then(|| Self(text.into()))
    }

    /// A guest's id, of 80 random bits.
    pub fn guest(rng: &mut (impl Rng + ?Sized)) -> Self {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let id: String = (0..16).map(|_| char::from(DIGITS[rng.random_range(0..DIGITS.len())])).collect();
        Self(format!("{GUEST}{id}").into())
    }

    /// Whether this is a guest's id; nobody else's begins like one.
    pub fn is_guest(&self) -> bool {
        self.0.starts_with(GUEST)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a user's id")
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

/// Somebody who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who it is.
    pub user: UserId,
    /// What others see.
    pub name: DisplayName,
    /// Whether the server made this person up; nothing is known of a guest but the token.
    pub guest: bool,
}

impl Identity {
    /// Somebody new without an account, with the name they chose or one that is made up.
    pub fn guest(name: Option<DisplayName>, rng: &mut (impl Rng + ?Sized)) -> Self {
        let name = name.unwrap_or_else(|| DisplayName::guest(rng));
        Self { user: UserId::guest(rng), name, guest: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_from_elsewhere_are_checked() {
        assert_eq!(UserId::parse("auth0|5f7c").unwrap().as_str(), "auth0|5f7c");
        for bad in ["", "two words", "tab\t", "ünïcode", &"x".repeat(65)] {
            assert_eq!(UserId::parse(bad), None, "{bad}");
        }
        let (one, two) = (UserId::guest(&mut rand::rng()), UserId::guest(&mut rand::rng()));
        assert!(one != two && UserId::parse(one.as_str()) == Some(one));
    }
}
