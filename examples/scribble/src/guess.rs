//! Compares guesses with the word.

/// What a guess is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the word, or has the word in it.
    Right,
    /// It is nearly the word.
    Near,
    /// It is something else.
    Wrong,
}

/// Returns a text without what does not matter: in small letters without accents, only letters and digits, with one space between words.
pub fn normalise(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            '\'' | '’' | '\u{300}'..='\u{36f}' => {}
            _ if c.is_ascii_alphanumeric() => plain.push(c),
            _ => match unaccented(c) {
                Some(letters) => plain.push_str(letters),
                None if c.is_alphanumeric() => plain.push(c),
                None if plain.ends_with(' ') || plain.is_empty() => {}
                None => plain.push(' '),
            },
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

fn unaccented(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

/// Compares a guess with the word.
pub fn judge(word: &str, guess: &str) -> Verdict {
    let (word, said) = (normalise(word), normalise(guess));
    let whole: String = said.split(' ').collect();
    let letters: String = word.split(' ').collect();
    if whole == letters || format!(" {said} ").contains(&format!(" {word} ")) {
        return Verdict::Right;
    }
    let is_near = std::iter::once(whole.as_str()).chain(said.split(' ')).any(|said| near(&letters, said));
    if is_near { Verdict::Near } else { Verdict::Wrong }
}

/// Returns whether two words are the same but for the plural, or for one letter in a word of four, and two in one of eight.
fn near(word: &str, said: &str) -> bool {
    let allowed = match word.len() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    };
    said.strip_suffix('s') == Some(word) || !said.is_empty() && distance(word.as_bytes(), said.as_bytes()) <= allowed
}

/// Returns how many letters must be added, left out, replaced or swapped with their neighbour to make one word of the other.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (vec![0; b.len() + 1], (0..=b.len()).collect());
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let is_other = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + is_other);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_accents_and_spaces_do_not_matter() {
        for (text, plain) in [
            ("  Café  au   LAIT! ", "cafe au lait"),
            ("Cafe\u{301}", "cafe"),
            ("Straße", "strasse"),
            ("l’été", "lete"),
            ("ice-cream", "ice cream"),
            ("İstanbul", "istanbul"),
            ("Łódź, Œuvre", "lodz oeuvre"),
            ("Кот", "кот"),
            ("...", ""),
        ] {
            assert_eq!(normalise(text), plain, "{text}");
        }
    }

    #[test]
    fn guesses_are_right_near_or_wrong() {
        use Verdict::*;
        for (word, guess, verdict) in [
            ("cat", "CAT", Right),
            ("cat", "is it a cat?", Right),
            ("cat", "category", Wrong),
            ("cat", "cats", Near),
            ("cat", "bat", Wrong),
            ("ice cream", "icecream", Right),
            ("ice cream", "ice", Wrong),
            ("ice cream", "Ice Craem", Near),
            ("boat", "baot", Near),
            ("boat", "goat", Near),
            ("boat", "a big boet", Near),
            ("elephant", "elefant", Near),
            ("elephant", "element", Wrong),
            ("cat", "", Wrong),
        ] {
            assert_eq!(judge(word, guess), verdict, "{guess} for {word}");
        }
    }

    /// The plain definition, by recursion.
    fn reference(a: &[u8], b: &[u8]) -> usize {
        match (a, b) {
            ([], rest) | (rest, []) => rest.len(),
            ([x, a1 @ ..], [y, b1 @ ..]) => {
                let mut least = (reference(a1, b1) + usize::from(x != y)).min(reference(a1, b) + 1).min(reference(a, b1) + 1);
                if let ([_, x2, a2 @ ..], [_, y2, b2 @ ..]) = (a, b)
                    && (x, x2) == (y2, y)
                {
                    least = least.min(reference(a2, b2) + 1);
                }
                least
            }
        }
    }

    proptest! {
        #[test]
        fn a_normal_text_stays_as_it_is(text in "\\PC{0,40}") {
            let plain = normalise(&text);
            prop_assert_eq!(normalise(&plain), plain.clone());
            prop_assert!(!plain.starts_with(' ') && !plain.ends_with(' ') && !plain.contains("  "));
            prop_assert_eq!(judge(&text, &text), Verdict::Right);
        }

        #[test]
        fn the_distance_is_that_of_the_definition(a in "[ab]{0,5}", b in "[abc]{0,5}") {
            prop_assert_eq!(distance(a.as_bytes(), b.as_bytes()), reference(a.as_bytes(), b.as_bytes()));
        }
    }
}
