//! The name of a game, in its several forms.

use anyhow::bail;

/// The name that the files of a template have.
const TEMPLATE: &str = "my-game";

/// Names that Rust or the crates of a game have taken.
const TAKEN: &str = "abstract alloc as async await become bevy-ecs box break const continue core crate do dyn else enum extern \
    false final fn for gen glam if impl in let loop macro match mod move mut override priv proc-macro pub rand ref return self serde \
    static std struct super test tickcast tickcast-cli tickcast-derive trait true try type typeof unsafe unsized use virtual where \
    while yield";

/// The most letters of a name.
const LONGEST: usize = 40;

/// The name of a game and of its crate: words of lower-case letters and digits, with hyphens between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// If no crate or no game can have the name.
    pub(crate) fn read(text: &str) -> anyhow::Result<Self> {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !text.starts_with(|first: char| first.is_ascii_lowercase()) || !text.split('-').all(is_word) {
            bail!(
                "\"{text}\" cannot be the name of a game: it begins with a letter and has lower-case letters, digits and single \
                 hyphens between them, like my-game"
            );
        }
        if text.len() > LONGEST {
            bail!("\"{text}\" cannot be the name of a game: it has {} letters, and {LONGEST} is the most", text.len());
        }
        if TAKEN.split(' ').any(|taken| taken == text) {
            bail!("\"{text}\" cannot be the name of a game: Rust or a crate that every game needs has it already");
        }
        Ok(Self(text.to_owned()))
    }

    /// Gives this name to a text of a template, in each of its forms.
    pub(crate) fn give_to(&self, text: &str) -> String {
        let template = Self(TEMPLATE.to_owned());
        let forms = [Self::krate, Self::library, Self::interface, Self::title];
        forms.into_iter().fold(text.to_owned(), |text, form| text.replace(&form(&template), &form(self)))
    }

    /// The name of the game and of its crate: `my-game`.
    fn krate(&self) -> String {
        self.0.clone()
    }

    /// The name of the library in Rust: `my_game`.
    fn library(&self) -> String {
        self.0.replace('-', "_")
    }

    /// The name of the interface in the types for TypeScript, as the server makes it: `MyGame`.
    fn interface(&self) -> String {
        self.0.split('-').map(capital).collect()
    }

    /// The name for people: `My game`.
    fn title(&self) -> String {
        capital(&self.0.replace('-', " "))
    }
}

/// Makes the first letter a capital one.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_four_forms() {
        let name = Name::read("two-towers-2").unwrap();
        let text = "my-game, my_game, MyGame and My game";
        assert_eq!(name.give_to(text), "two-towers-2, two_towers_2, TwoTowers2 and Two towers 2");
        assert_eq!(Name::read("tag").unwrap().give_to(text), "tag, tag, Tag and Tag");
    }

    #[test]
    fn names_that_no_crate_or_game_can_have_are_refused() {
        for wrong in ["", "My-game", "my_game", "my game", "2d", "-a", "a-", "a--b", "größe", "a/b", ".", "a.b"] {
            let said = Name::read(wrong).unwrap_err().to_string();
            assert!(said.contains("like my-game"), "{wrong}: {said}");
        }
        for taken in ["match", "yield", "tickcast", "std", "bevy-ecs"] {
            assert!(Name::read(taken).unwrap_err().to_string().contains("has it already"), "{taken}");
        }
        assert!(Name::read(&"a".repeat(41)).unwrap_err().to_string().contains("41 letters"));
        for right in ["a", "my-game", "matches", "x2", "test-game"] {
            Name::read(right).unwrap();
        }
    }
}
