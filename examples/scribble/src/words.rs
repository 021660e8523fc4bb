//! The words, in groups that look alike: a bot knows one sketch for each group, and a person draws better.

use crate::sketches::Sketch;

/// The most letters of a word, spaces included.
pub const LONGEST: usize = 16;

/// The words that share a sketch.
type Group = (Sketch, &'static [&'static str]);

const GROUPS: [Group; 36] = [
    (Sketch::HOUSE, &["house", "castle", "church", "school", "hotel", "barn", "garage", "village"]),
    (Sketch::TREE, &["tree", "forest", "palm", "jungle", "orchard", "broccoli"]),
    (Sketch::FLOWER, &["flower", "rose", "tulip", "sunflower", "garden", "daisy"]),
    (Sketch::FISH, &["fish", "shark", "whale", "dolphin", "goldfish", "aquarium"]),
    (Sketch::FACE, &["cat", "tiger", "lion", "fox", "bear", "panda", "mouse", "rabbit", "monkey"]),
    (Sketch::ANIMAL, &["dog", "horse", "cow", "sheep", "goat", "zebra", "camel", "donkey", "elephant", "giraffe", "pig"]),
    (Sketch::BIRD, &["bird", "duck", "eagle", "parrot", "penguin", "swan", "chicken", "owl", "feather"]),
    (Sketch::SNAKE, &["snake", "worm", "rope", "river", "scarf", "noodle"]),
    (Sketch::CAR, &["car", "taxi", "truck", "bus", "ambulance", "tractor", "train"]),
    (Sketch::BOAT, &["boat", "ship", "canoe", "island", "harbour", "pirate"]),
    (Sketch::STAR, &["star", "starfish", "medal", "magic"]),
    (Sketch::SUN, &["sun", "summer", "morning", "desert", "beach"]),
    (Sketch::MOON, &["moon", "night", "dream", "space"]),
    (Sketch::CLOUD, &["cloud", "rain", "storm", "snow", "thunder", "weather"]),
    (Sketch::MOUNTAIN, &["mountain", "volcano", "hill", "tent", "pyramid", "iceberg"]),
    (Sketch::APPLE, &["apple", "orange", "peach", "cherry", "tomato", "pumpkin", "plum"]),
    (Sketch::BANANA, &["banana", "pepper", "carrot", "cucumber", "smile", "sausage"]),
    (Sketch::CUP, &["cup", "coffee", "tea", "breakfast", "soup"]),
    (Sketch::BOTTLE, &["bottle", "milk", "juice", "perfume", "vase", "honey"]),
    (Sketch::PERSON, &["king", "doctor", "dancer", "teacher", "baby", "robot", "wizard", "farmer", "ghost", "scarecrow"]),
    (Sketch::UMBRELLA, &["umbrella", "parachute", "mushroom", "jellyfish"]),
    (Sketch::HEART, &["heart", "love", "wedding", "kiss"]),
    (Sketch::KEY, &["key", "lock", "secret", "treasure"]),
    (Sketch::GIFT, &["gift", "box", "birthday", "suitcase", "television", "window", "letter"]),
    (Sketch::CLOCK, &["clock", "watch", "compass", "wheel", "pizza", "coin"]),
    (Sketch::BOOK, &["book", "newspaper", "library", "diary", "map"]),
    (Sketch::LADDER, &["ladder", "stairs", "railway", "fence", "bridge"]),
    (Sketch::CHAIR, &["chair", "table", "bed", "sofa", "kitchen"]),
    (Sketch::BALLOON, &["balloon", "lollipop", "kite", "light bulb", "lamp", "candle"]),
    (Sketch::HAT, &["hat", "crown", "helmet", "cowboy"]),
    (Sketch::HAMMER, &["hammer", "sword", "axe", "spoon", "fork", "broom", "toothbrush", "screwdriver"]),
    (Sketch::PLANE, &["plane", "rocket", "arrow", "pencil", "airport"]),
    (Sketch::BICYCLE, &["bicycle", "motorbike", "glasses", "scooter"]),
    (Sketch::INSECT, &["bee", "ant", "spider", "butterfly", "ladybird", "beetle", "crab"]),
    (Sketch::GUITAR, &["guitar", "violin", "music", "concert", "drum", "piano"]),
    (Sketch::CONE, &["ice cream", "cake", "cupcake", "snowman", "popcorn"]),
];

/// Returns the number of words.
pub fn count() -> u16 {
    GROUPS.iter().map(|(_, words)| words.len() as u16).sum()
}

/// Returns a word. Numbers beyond the last one begin again.
pub fn word(number: u16) -> &'static str {
    entry(number).1
}

/// Returns the sketch of a word.
pub(crate) fn sketch(number: u16) -> Sketch {
    entry(number).0
}

/// Returns the number of a word.
pub(crate) fn number(word: &str) -> Option<u16> {
    (0..count()).find(|number| self::word(*number) == word)
}

fn entry(number: u16) -> (Sketch, &'static str) {
    let mut rest = usize::from(number % count());
    for (sketch, words) in GROUPS {
        match words.get(rest) {
            Some(word) => return (sketch, word),
            None => rest -= words.len(),
        }
    }
    unreachable!("the number is below the number of words")
}

/// Returns a word as a component has it: its letters in ASCII, and zeros behind them.
pub fn spell(word: &str) -> [u8; LONGEST] {
    let mut letters = [0; LONGEST];
    letters.iter_mut().zip(word.bytes()).for_each(|(letter, byte)| *letter = byte);
    letters
}

/// Returns the word of a component.
pub fn read(letters: &[u8]) -> String {
    letters.iter().take_while(|letter| **letter != 0).map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guess::normalise;

    #[test]
    fn there_are_more_than_two_hundred_plain_words_and_each_is_another() {
        let words: Vec<&str> = (0..count()).map(word).collect();
        assert!(words.len() >= 200, "{}", words.len());
        let mut sorted = words.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), words.len(), "no word is there twice");
        for word in words {
            assert!((3..=LONGEST).contains(&word.len()) && word == normalise(word) && word.is_ascii(), "{word}");
            assert_eq!(read(&spell(word)), word);
        }
    }
}
