//! Which characters may stand in a text that other people read.
//!
//! A character must not hide or reorder its neighbours. Invisible characters are refused, except where a script or an emoji is
//! written with them: Persian needs joiners, and so do the scripts of India and emoji of several people.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        DefaultIgnorableCodePoint, Emoji, EmojiModifier, ExtendedPictographic, GeneralCategory, GeneralCategoryGroup,
        Ideographic, IndicSyllabicCategory, JoiningType, VariationSelector,
    },
};

/// The fault of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Illegible {
    /// This character may not stand where it does.
    Forbidden(char),
    /// No character shows anything.
    Blank,
}

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';
const EMOJI_STYLE: char = '\u{fe0f}';
const BLACK_FLAG: char = '\u{1f3f4}';

/// Checks a text that is not empty.
pub(super) fn check(text: &str) -> Result<(), Illegible> {
    let mut before = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if !may_stand(letter, before, letters.peek().copied()) {
            return Err(Illegible::Forbidden(letter));
        }
        before = Some(letter);
    }
    if text.chars().any(shows) { Ok(()) } else { Err(Illegible::Blank) }
}

/// Returns a text without the characters that may not stand where they do.
pub(super) fn without_forbidden(text: &str) -> String {
    let mut kept = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if may_stand(letter, kept.chars().next_back(), letters.peek().copied()) {
            kept.push(letter);
        }
    }
    kept
}

/// Returns whether a character draws something of its own. White space, marks and unassigned characters do not.
fn shows(letter: char) -> bool {
    // These count as letters or symbols, but their shape is empty.
    let is_blank = matches!(letter, '\u{2800}' | '\u{13441}' | '\u{13442}' | '\u{1d159}');
    let drawn = [
        GeneralCategoryGroup::Letter,
        GeneralCategoryGroup::Number,
        GeneralCategoryGroup::Punctuation,
        GeneralCategoryGroup::Symbol,
    ];
    let category = CodePointMapData::<GeneralCategory>::new().get(letter);
    !is_blank && !is_ignorable(letter) && drawn.iter().any(|group| group.contains(category))
}

fn may_stand(letter: char, before: Option<char>, after: Option<char>) -> bool {
    let reorders = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks_lines = matches!(letter, '\u{2028}' | '\u{2029}');
    let annotates = matches!(letter, '\u{fff9}'..='\u{fffb}');
    if letter.is_control() || reorders || breaks_lines || annotates {
        return false;
    }
    let is_emoji = |letter| CodePointSetData::new::<Emoji>().contains(letter);
    match letter {
        ZERO_WIDTH_JOINER if before.is_some_and(ends_pictograph) => after.is_some_and(is_pictograph),
        ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER => before.is_some_and(joins) || after.is_some_and(stacks),
        '\u{e0020}'..='\u{e007f}' => before.is_some_and(|before| before == BLACK_FLAG || is_tag(before)),
        _ if CodePointSetData::new::<VariationSelector>().contains(letter) => {
            before.is_some_and(|before| is_emoji(before) || CodePointSetData::new::<Ideographic>().contains(before))
        }
        _ => !is_ignorable(letter),
    }
}

fn is_ignorable(letter: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(letter)
}

fn is_tag(letter: char) -> bool {
    matches!(letter, '\u{e0020}'..='\u{e007f}')
}

fn is_pictograph(letter: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(letter)
}

fn ends_pictograph(letter: char) -> bool {
    letter == EMOJI_STYLE || is_pictograph(letter) || CodePointSetData::new::<EmojiModifier>().contains(letter)
}

/// Returns whether a letter connects with the next one, or holds consonants together: the contexts in which joiners have a meaning.
fn joins(letter: char) -> bool {
    let joining = CodePointMapData::<JoiningType>::new().get(letter);
    matches!(joining, JoiningType::DualJoining | JoiningType::RightJoining | JoiningType::LeftJoining) || stacks(letter)
}

/// Returns whether this sign stacks consonants or takes their vowel away.
fn stacks(letter: char) -> bool {
    let category = CodePointMapData::<IndicSyllabicCategory>::new().get(letter);
    [IndicSyllabicCategory::Virama, IndicSyllabicCategory::PureKiller, IndicSyllabicCategory::InvisibleStacker]
        .contains(&category)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_show_nothing_are_blank() {
        for text in ["\u{2800}", "\u{2800} \u{2800}", "\u{301}", "\u{301}\u{302}", "\u{13441}", "\u{e000}", "\u{378}"] {
            assert_eq!(check(text), Err(Illegible::Blank), "{text:?}");
        }
        for text in ["a", "7", "_", "€", "李", "🦊", "e\u{301}", "\u{2803}", "ـ"] {
            assert_eq!(check(text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn invisible_characters_stand_only_where_a_script_needs_them() {
        for text in [
            "می\u{200c}خواهم",   // Persian
            "ه\u{200d}",         // an Arabic abbreviation
            "क\u{94d}\u{200d}ष", // Devanagari
            "র\u{200d}\u{9cd}য", // Bengali, where the joiner comes before the virama
            "👩\u{200d}🚀",
            "👩🏽\u{200d}🚀",
            "🏳\u{fe0f}\u{200d}🌈",
            "❤\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "葛\u{e0100}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}", // England
        ] {
            assert_eq!(check(text), Ok(()), "{text:?}");
        }
        for (text, forbidden) in [
            ("\u{200d}", '\u{200d}'),
            ("\u{200c}", '\u{200c}'),
            ("A\u{200d}da", '\u{200d}'),
            ("Ada\u{200d}", '\u{200d}'),
            ("👩\u{200d}", '\u{200d}'),
            ("👩\u{200d}\u{200d}🚀", '\u{200d}'),
            ("می\u{200c}\u{200c}خ", '\u{200c}'),
            ("\u{3164}", '\u{3164}'),
            ("a\u{3164}", '\u{3164}'),
            ("\u{115f}\u{1160}", '\u{115f}'),
            ("\u{ffa0}", '\u{ffa0}'),
            ("A\u{fe0f}da", '\u{fe0f}'),
            ("A\u{e0041}", '\u{e0041}'),
            ("a\u{34f}b", '\u{34f}'),
            ("a\u{ad}b", '\u{ad}'),
            ("a\u{200b}b", '\u{200b}'),
            ("a\u{202e}b", '\u{202e}'),
            ("a\u{2029}b", '\u{2029}'),
            ("a\u{7}b", '\u{7}'),
        ] {
            assert_eq!(check(text), Err(Illegible::Forbidden(forbidden)), "{text:?}");
        }
    }
}
