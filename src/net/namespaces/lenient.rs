//! Reads MessagePack as JSON, the way JavaScript programs mean it. Their encoder writes `undefined` as an extension; as in JSON, an
//! object's field that is `undefined` is left out.

use std::fmt;

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value as Json};

/// A JSON value, or `None` for `undefined`.
pub(crate) struct Lenient(pub(crate) Option<Json>);

/// How `notepack`, the encoder of `socket.io-msgpack-parser`, writes `undefined`: extension 0 with one zero byte.
const UNDEFINED: (i8, &[u8]) = (0, &[0]);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Read).map(Self)
    }
}

struct Read;

impl<'de> Visitor<'de> for Read {
    type Value = Option<Json>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any valid JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Some(value.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Some(Json::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Lenient(element)) = elements.next_element()? {
            array.push(element.unwrap_or(Json::Null));
        }
        Ok(Some(Json::Array(array)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Lenient(value))) = entries.next_entry::<String, _>()? {
            if let Some(value) = value {
                object.insert(key, value);
            }
        }
        Ok(Some(Json::Object(object)))
    }

    /// Reads a MessagePack extension.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, extension: D) -> Result<Self::Value, D::Error> {
        match <(i8, Bytes)>::deserialize(extension) {
            Ok((kind, bytes)) if (kind, &*bytes) == UNDEFINED => Ok(None),
            _ => Err(D::Error::custom("MessagePack extensions are not JSON values")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(bytes: &[u8]) -> Option<Option<Json>> {
        rmp_serde::from_slice::<Lenient>(bytes).ok().map(|Lenient(value)| value)
    }

    #[test]
    fn what_is_undefined_is_left_out() {
        assert_eq!(read(b"\xd4\0\0"), Some(None));
        assert_eq!(read(b"\x93\x01\xd4\0\0\x02"), Some(Some(json!([1, null, 2]))));
        assert_eq!(read(b"\x82\xa1a\xd4\0\0\xa1b\xc0"), Some(Some(json!({ "b": null }))));
    }

    #[test]
    fn everything_else_is_as_it_was() {
        for json in [json!(null), json!(-5), json!(1.5), json!("text"), json!([true, {"a": [{}]}]), json!(u64::MAX)] {
            assert_eq!(read(&rmp_serde::to_vec(&json).unwrap()), Some(Some(json)));
        }
    }

    #[test]
    fn other_extensions_and_what_is_cut_short_are_errors() {
        for bytes in [&b"\xd4\0\x01"[..], b"\xd4\x01\0", b"\xd5\0\0\0", b"\xc7\x04\x05abcd", b"\xd4\0", b"\xc4\x01\0", b""] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
    }
}
