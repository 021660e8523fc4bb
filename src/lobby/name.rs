//! Display names of players.

use std::fmt;

use rand::{Rng, RngExt};
use serde::Serialize;
use thiserror::Error;

/// The maximum length of a display name, in characters.
pub const MAX_NAME: usize = 24;

const MOODS: &[&str] = &[
    "Brave", "Calm", "Clever", "Eager", "Gentle", "Happy", "Jolly", "Keen", "Lucky", "Merry", "Nimble", "Proud", "Quick",
    "Quiet", "Swift", "Witty",
];

const ANIMALS: &[&str] = &[
    "Badger", "Beaver", "Crane", "Falcon", "Fox", "Hare", "Heron", "Ibex", "Lynx", "Marten", "Otter", "Owl", "Raven", "Seal",
    "Stoat", "Wolf",
];

/// A name that others see: 1 to 24 characters, none of which hides or reorders its neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DisplayName(String);

/// The reason why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty after trimming white space.
    #[error("a display name must not be empty")]
    Empty,
    /// The name has more than [`MAX_NAME`] characters.
    #[error("a display name has at most {MAX_NAME} characters, this one has {0}")]
    TooLong(usize),
    /// The name contains a control, bidirectional or invisible formatting character.
    #[error("a display name must not contain the character U+{:04X}", u32::from(*.0))]
    Forbidden(char),
}

impl DisplayName {
    /// Checks a name and trims white space at both ends.
    ///
    /// # Errors
    ///
    /// Returns a [`NameError`] if the trimmed name is empty, too long, or contains a forbidden character.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let name = text.trim();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        match name.chars().count() {
            count if count > MAX_NAME => return Err(NameError::TooLong(count)),
            _ => {}
        }
        match name.chars().find(|letter| is_forbidden(*letter)) {
            Some(letter) => Err(NameError::Forbidden(letter)),
            None => Ok(Self(name.to_owned())),
        }
    }

    /// Makes a name of a text that somebody else chose, such as an account's real name: leaves out forbidden characters, and cuts
    /// what is too long. Returns `None` if nothing is left.
    pub fn fitted(text: &str) -> Option<Self> {
        let allowed: String = text.chars().filter(|letter| !is_forbidden(*letter)).collect();
        let mut name: String = allowed.trim().chars().take(MAX_NAME).collect();
        // What is cut may end in the middle of something that is not allowed alone.
        while !name.is_empty() {
            match Self::parse(&name) {
                Ok(name) => return Some(name),
                Err(_) => drop(name.pop()),
            }
        }
        None
    }

    /// Returns a random name for a guest without one, such as "Brave Otter 42".
    pub fn guest(rng: &mut (impl Rng + ?Sized)) -> Self {
        let mood = MOODS[rng.random_range(0..MOODS.len())];
        let animal = ANIMALS[rng.random_range(0..ANIMALS.len())];
        Self(format!("{mood} {animal} {}", rng.random_range(10..100)))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(super) fn is_forbidden(letter: char) -> bool {
    let bidirectional = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let invisible = matches!(letter, '\u{ad}' | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    letter.is_control() || bidirectional || invisible
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    #[test]
    fn names_that_hide_or_reorder_are_refused() {
        let cases: &[(&str, Result<&str, NameError>)] = &[
            ("Ada", Ok("Ada")),
            ("  Ada Lovelace ", Ok("Ada Lovelace")),
            ("Žofie 李 🦊", Ok("Žofie 李 🦊")),
            ("", Err(NameError::Empty)),
            (" \t ", Err(NameError::Empty)),
            ("abcdefghijklmnopqrstuvwx", Ok("abcdefghijklmnopqrstuvwx")),
            ("abcdefghijklmnopqrstuvwxy", Err(NameError::TooLong(25))),
            ("a\u{7}b", Err(NameError::Forbidden('\u{7}'))),
            ("a\nb", Err(NameError::Forbidden('\n'))),
            ("a\u{202e}b", Err(NameError::Forbidden('\u{202e}'))),
            ("a\u{2066}b", Err(NameError::Forbidden('\u{2066}'))),
            ("a\u{200b}b", Err(NameError::Forbidden('\u{200b}'))),
        ];
        for (text, expected) in cases {
            let name = DisplayName::parse(text);
            assert_eq!(name.as_ref().map(DisplayName::as_str).map_err(|error| *error), *expected, "{text:?}");
        }
    }

    #[test]
    fn a_text_is_fitted_to_a_name() {
        for (text, expected) in [
            ("Ada", Some("Ada")),
            (" Ada\u{202e}\n ", Some("Ada")),
            ("Augusta Ada King, Countess of Lovelace", Some("Augusta Ada King, Counte")),
            ("abcdefghijklmnopqrstuvw xyz", Some("abcdefghijklmnopqrstuvw")),
            ("", None),
            (" \u{200b}\t", None),
        ] {
            assert_eq!(DisplayName::fitted(text).as_ref().map(DisplayName::as_str), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_guest_name_is_valid(seed: u64) {
            let name = DisplayName::guest(&mut ChaCha8Rng::seed_from_u64(seed));
            prop_assert_eq!(DisplayName::parse(name.as_str()), Ok(name));
        }

        #[test]
        fn parsing_never_panics_and_keeps_names_short(text in "\\PC*|.*") {
            if let Ok(name) = DisplayName::parse(&text) {
                prop_assert!((1..=MAX_NAME).contains(&name.as_str().chars().count()));
            }
        }
    }
}
