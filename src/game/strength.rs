//! How strong bots play.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How strong bots play. A game says which strengths its bots have: [`Bot::STRENGTHS`](super::Bot::STRENGTHS).
///
/// Whoever opens a room may choose one, and so may a mode of matchmaking. Where nobody chose, [`Strength::by_people`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// For newcomers.
    Easy,
    /// For people who know the game.
    #[default]
    Normal,
    /// For people who want to be beaten.
    Hard,
}

impl Strength {
    /// All strengths, the weakest first.
    pub const ALL: [Self; 3] = [Self::Easy, Self::Normal, Self::Hard];

    /// Returns the name, as in configurations and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Normal => "normal",
            Self::Hard => "hard",
        }
    }

    /// Chooses a strength for a room in which so many people play: the weakest of those that the game's bots have for one person, who
    /// may be new, and the middle one for several, who have each other to beat. `None` if the bots have no strengths.
    pub fn by_people(strengths: &[Self], people: usize) -> Option<Self> {
        let place = if people > 1 { strengths.len() / 2 } else { 0 };
        strengths.get(place).copied()
    }

    /// Checks that this is one of the strengths that a game's bots have.
    ///
    /// # Errors
    /// It is not.
    pub fn check(self, strengths: &[Self]) -> Result<(), StrengthError> {
        if strengths.contains(&self) { Ok(()) } else { Err(StrengthError { wanted: self, strengths: strengths.to_vec() }) }
    }

    /// Returns names as a list for people, like `easy, normal or hard`.
    pub(crate) fn list(strengths: &[Self]) -> String {
        let names: Vec<&str> = strengths.iter().map(|strength| strength.as_str()).collect();
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => names.concat(),
        }
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The bots of a game do not have a strength.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct StrengthError {
    /// The strength that was asked for.
    pub wanted: Strength,
    /// Those that the bots have.
    pub strengths: Vec<Strength>,
}

impl fmt::Display for StrengthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wanted, strengths } = self;
        match strengths.as_slice() {
            [] => write!(f, "the game's bots cannot be {wanted}: they have no strengths to choose from"),
            strengths => write!(f, "the game's bots cannot be {wanted}, only {}", Strength::list(strengths)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_meets_the_weakest_bots_and_several_the_middle_ones() {
        use Strength::{Easy, Hard, Normal};
        let chosen = |strengths: &[Strength]| [0, 1, 2, 9].map(|people| Strength::by_people(strengths, people));
        assert_eq!(chosen(&Strength::ALL), [Easy, Easy, Normal, Normal].map(Some));
        assert_eq!(chosen(&[Easy, Hard]), [Easy, Easy, Hard, Hard].map(Some));
        assert_eq!(chosen(&[]), [None; 4]);
    }

    #[test]
    fn the_error_names_what_there_is() {
        let said = |strengths: &[Strength]| StrengthError { wanted: Strength::Hard, strengths: strengths.to_vec() }.to_string();
        assert_eq!(said(&[Strength::Easy, Strength::Normal]), "the game's bots cannot be hard, only easy or normal");
        assert_eq!(said(&[]), "the game's bots cannot be hard: they have no strengths to choose from");
    }
}
