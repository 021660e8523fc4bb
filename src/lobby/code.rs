//! Codes of private rooms and parties, made to be read aloud to a friend.

use std::fmt;

use rand::{Rng, RngExt};
use serde::Serialize;

/// The letters of a code. There are no vowels, so that a code is never a word, and no look-alikes of digits or of each other.
const LETTERS: &[u8] = b"BCDFGHJKMNPQRSTVWXZ";

/// The length of a code. Six of 19 letters make 47 million codes.
const LENGTH: usize = 6;

/// The code of a private room or of a party: six capital letters without look-alikes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Code(String);

impl Code {
    /// Returns a random code.
    pub fn random(rng: &mut (impl Rng + ?Sized)) -> Self {
        Self((0..LENGTH).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect())
    }

    /// Parses a typed code and ignores case, spaces and hyphens. Returns `None` if the text is not a code.
    pub fn parse(typed: &str) -> Option<Self> {
        let mut code = String::with_capacity(LENGTH);
        for letter in typed.chars().filter(|letter| !matches!(letter, ' ' | '-')) {
            let letter = letter.to_ascii_uppercase();
            if code.len() == LENGTH || !LETTERS.contains(&u8::try_from(letter).ok()?) {
                return None;
            }
            code.push(letter);
        }
        (code.len() == LENGTH).then_some(Self(code))
    }

    /// Returns the code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    #[test]
    fn case_spaces_and_hyphens_do_not_matter() {
        assert_eq!(Code::parse("bcd-fgh"), Some(Code("BCDFGH".into())));
        assert_eq!(Code::parse(" BC DF GH "), Some(Code("BCDFGH".into())));
    }

    #[test]
    fn texts_that_are_not_codes_are_refused() {
        for typed in ["", "BCDFG", "BCDFGHJ", "BCDFGO", "BCDFG0", "BCDFGé"] {
            assert_eq!(Code::parse(typed), None, "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn a_random_code_parses_in_lower_case(seed: u64) {
            let code = Code::random(&mut ChaCha8Rng::seed_from_u64(seed));
            prop_assert_eq!(Code::parse(&code.as_str().to_lowercase()), Some(code));
        }
    }
}
