//! Reads a file of modes, for `--modes`.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

use crate::matchmaking::Mode;

/// Reads modes by game and name.
///
/// # Errors
/// The text is not JSON of this form, or names a game or a mode of a game twice.
pub(super) fn read_modes(text: &[u8]) -> serde_json::Result<BTreeMap<String, BTreeMap<String, Mode>>> {
    let Once(games) = serde_json::from_slice::<Once<Once<Mode>>>(text)?;
    Ok(games.into_iter().map(|(game, Once(modes))| (game, modes)).collect())
}

/// An object in which no name is given twice. Of two, serde would keep the last.
struct Once<V>(BTreeMap<String, V>);

struct Names<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Once<V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Names(PhantomData))
    }
}

impl<'de, V: Deserialize<'de>> Visitor<'de> for Names<V> {
    type Value = Once<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Once<V>, A::Error> {
        let mut read = BTreeMap::new();
        while let Some(name) = object.next_key::<String>()? {
            if read.contains_key(&name) {
                return Err(A::Error::custom(format!("\"{name}\" is given twice")));
            }
            read.insert(name, object.next_value()?);
        }
        Ok(Once(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_given_twice_is_refused() {
        let modes = read_modes(br#"{"arena": {"1v1": {"players": 2}, "2v2": {"players": 4}}, "chess": {"1v1": {"players": 2}}}"#);
        assert_eq!(modes.unwrap()["arena"].len(), 2);
        for (text, name) in
            [(r#"{"arena": {"1v1": {"players": 2}, "1v1": {"players": 4}}}"#, "1v1"), (r#"{"arena": {}, "arena": {}}"#, "arena")]
        {
            let error = read_modes(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("\"{name}\" is given twice at line 1")), "{error}");
        }
    }
}
