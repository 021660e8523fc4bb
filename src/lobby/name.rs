//! Display names of players.

use std::fmt;

use rand::{Rng, RngExt};
use serde::Serialize;
use thiserror::Error;

use super::legible::{self, Illegible};

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

/// A name that others see: 1 to 24 characters. At least one shows something, none hides or reorders its neighbours, and the name is
/// not one of those that bots have, such as "Bot 3".
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
    /// The name has only characters that show nothing.
    #[error("a display name must have a character that can be seen, such as a letter or a digit")]
    Blank,
    /// The name is one that bots have.
    #[error("a display name must not look like that of a bot, such as \"Bot 3\"")]
    OfBot,
}

impl DisplayName {
    /// Checks a name and trims white space at both ends.
    ///
    /// # Errors
    ///
    /// Returns a [`NameError`] if the trimmed name is empty, too long, shows nothing, contains a forbidden character, or is a bot's.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let name = text.trim();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        match name.chars().count() {
            count if count > MAX_NAME => return Err(NameError::TooLong(count)),
            _ => {}
        }
        match legible::check(name) {
            Err(Illegible::Forbidden(letter)) => Err(NameError::Forbidden(letter)),
            Err(Illegible::Blank) => Err(NameError::Blank),
            Ok(()) if is_of_bot(name) => Err(NameError::OfBot),
            Ok(()) => Ok(Self(name.to_owned())),
        }
    }

    /// Makes a name of a text that somebody else chose, such as an account's real name: leaves out forbidden characters, and cuts
    /// what is too long. Returns `None` if nothing is left.
    pub fn fitted(text: &str) -> Option<Self> {
        let mut name: String = legible::without_forbidden(text).trim().chars().take(MAX_NAME).collect();
        // The cut may leave a character at the end that is not allowed there, such as a lone joiner.
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

/// Returns whether people would take a name for that of a bot: "bot" and a number, whatever the case and whatever stands between.
fn is_of_bot(name: &str) -> bool {
    let folded: String = name.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect();
    folded.strip_prefix("bot").is_some_and(|number| number.chars().all(char::is_numeric))
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
            ("\u{3164}", Err(NameError::Forbidden('\u{3164}'))),
            ("\u{200d}", Err(NameError::Forbidden('\u{200d}'))),
            ("\u{2800}", Err(NameError::Blank)),
            ("\u{301}", Err(NameError::Blank)),
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

    #[test]
    fn a_name_like_a_bots_is_refused() {
        for name in ["Bot 3", "bot3", "BOT  12", "Bot #7", "bot", "Bot\u{a0}3", "Bot ３"] {
            assert_eq!(DisplayName::parse(name), Err(NameError::OfBot), "{name:?}");
        }
        for name in ["Botany", "Robot 3", "Bot 3 fan", "Bottas 77"] {
            assert!(DisplayName::parse(name).is_ok(), "{name:?}");
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
