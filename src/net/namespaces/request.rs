//! Requests: their arguments and their acknowledgements.

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value as Json, json};
use socketioxide::{
    extract::AckSender,
    handler::{FromMessageParts, Value},
};

use crate::{
    host::Refusal,
    net::namespaces::{
        lenient::Lenient,
        socket::{SocketArc, count_waiting},
    },
    observe,
    protocol::ErrorCode,
};

/// The answer to a request: the fields beside `ok`, or a refusal.
pub(crate) type Answer = Result<Map<String, Json>, Refusal>;

/// Answers with the fields of a struct.
pub(crate) fn answer(fields: &impl Serialize) -> Answer {
    match serde_json::to_value(fields) {
        Ok(Json::Object(fields)) => Ok(fields),
        _ => Err(Refusal::new(ErrorCode::Internal, "the answer is not an object")),
    }
}

/// Answers with `ok` alone.
pub(crate) fn done() -> Answer {
    Ok(Map::new())
}

/// The argument of a request, if it has one.
#[derive(Debug)]
pub(crate) struct Argument(Json);

impl Argument {
    /// Reads the argument of an event, from either parser.
    pub(crate) fn of_event(value: &Value, most_bytes: usize) -> Result<Self, Refusal> {
        let length = value.len();
        if length > most_bytes {
            return Err(Refusal::new(
                ErrorCode::TooLarge,
                format!("the arguments have {length} bytes, the most allowed is {most_bytes}"),
            ));
        }
        match decode(value)? {
            // The first element is the event's name.
            Json::Array(mut elements) if elements.len() <= 2 => Ok(Self(elements.drain(..).nth(1).unwrap_or_default())),
            _ => Err(bad_request("a request takes at most one argument, an object")),
        }
    }

    /// Reads the handshake's `auth`.
    pub(crate) fn of_auth(auth: Option<&Value>, most_bytes: usize) -> Result<Self, Refusal> {
        match auth {
            None => Ok(Self(Json::Null)),
            Some(value) if value.len() > most_bytes => Err(Refusal::new(ErrorCode::TooLarge, "`auth` is too large")),
            Some(value) => decode(value).map(Self),
        }
    }

    /// Checks that there is no argument, or an empty object.
    pub(crate) fn none(self) -> Result<(), Refusal> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        self.read().map(|Nothing {}| ())
    }

    /// Reads the argument as a type. A missing argument reads as an empty object.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, Refusal> {
        let object = match self.0 {
            Json::Null => json!({}),
            object @ Json::Object(_) => object,
            _ => return Err(bad_request("the argument must be an object")),
        };
        T::deserialize(object).map_err(|error| bad_request(&error.to_string()))
    }
}

fn decode(value: &Value) -> Result<Json, Refusal> {
    match value {
        Value::Str(text, None) => serde_json::from_str(text).map_err(|error| bad_request(&error.to_string())),
        Value::Str(_, Some(_)) => Err(bad_request("this request takes no binary data")),
        Value::Bytes(bytes) => match rmp_serde::from_slice(bytes) {
            Ok(Lenient(json)) => Ok(json.unwrap_or_default()),
            Err(error) => Err(bad_request(&error.to_string())),
        },
    }
}

pub(crate) fn bad_request(message: &str) -> Refusal {
    Refusal::new(ErrorCode::BadRequest, message)
}

/// Returns the binary argument of an event that has exactly one, without a copy.
pub(crate) fn binary_argument(value: Value) -> Option<Bytes> {
    match value {
        Value::Str(_, Some(mut attachments)) if attachments.len() == 1 => attachments.pop_front(),
        Value::Str(..) => None,
        Value::Bytes(bytes) => {
            let range = binary_element(&bytes)?;
            Some(bytes.slice(range))
        }
    }
}

/// Finds the bytes of the second element in the MessagePack array `[name, binary]`. The JavaScript parser writes an `ArrayBuffer`
/// as a binary in browsers, and as extension 0 in Node.
fn binary_element(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let mut rest = bytes;
    if rmp::decode::read_array_len(&mut rest).ok()? != 2 {
        return None;
    }
    let name = rmp::decode::read_str_len(&mut rest).ok()?;
    rest = rest.get(name as usize..)?;
    let mut extension = rest;
    let length = match rmp::decode::read_bin_len(&mut rest) {
        Ok(length) => length,
        Err(_) => {
            let meta = rmp::decode::read_ext_meta(&mut extension).ok().filter(|meta| meta.typeid == 0)?;
            rest = extension;
            meta.size
        }
    };
    (rest.len() == length as usize).then(|| bytes.len() - rest.len()..bytes.len())
}

/// Answers a request if the client asked for an answer, and counts refusals.
pub(crate) fn acknowledge(socket: &SocketArc, ack: Option<i64>, answer: Answer) {
    if let Err(refusal) = &answer {
        observe::refused(refusal.code, 1);
        tracing::debug!(namespace = socket.ns(), %refusal, "refused");
    }
    if ack.is_none() {
        return;
    }
    let body = match answer {
        Ok(mut fields) => {
            fields.insert("ok".to_owned(), Json::Bool(true));
            Json::Object(fields)
        }
        Err(refusal) => {
            let mut error = json!({"code": refusal.code.as_str(), "message": refusal.message});
            if let Some(time) = refusal.retry_after {
                // Rounded up to milliseconds, so that a client that waits so long is not early.
                error["retry_after"] = ((time.as_secs_f64() * 1000.0).ceil() / 1000.0).into();
            }
            json!({"ok": false, "error": error})
        }
    };
    if count_waiting(socket, &body).is_err() {
        return;
    }
    let Ok(sender) = AckSender::from_message_parts(socket, &mut Value::Bytes(Bytes::new()), &ack);
    // A client that does not read its answers has a full queue. The next reliable message or ping finds that out.
    let _ = sender.send(&body);
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Game {
        game: Option<String>,
    }

    fn text(text: &str) -> Value {
        Value::Str(text.to_owned().into(), None)
    }

    fn packed(json: &Json) -> Value {
        Value::Bytes(rmp_serde::to_vec(json).unwrap().into())
    }

    #[test]
    fn arguments_read_the_same_through_both_parsers() {
        for (json, expected) in [
            (json!(["rooms", {"game": "arena"}]), Ok(Some("arena"))),
            (json!(["rooms", {}]), Ok(None)),
            (json!(["rooms", null]), Ok(None)),
            (json!(["rooms"]), Ok(None)),
            (json!(["rooms", "arena"]), Err(ErrorCode::BadRequest)),
            (json!(["rooms", ["arena"]]), Err(ErrorCode::BadRequest)),
            (json!(["rooms", {"game": 5}]), Err(ErrorCode::BadRequest)),
            (json!(["rooms", {"gmae": "arena"}]), Err(ErrorCode::BadRequest)),
            (json!(["rooms", {}, {}]), Err(ErrorCode::BadRequest)),
            (json!(["rooms", {"game": "a".repeat(200)}]), Err(ErrorCode::TooLarge)),
        ] {
            for value in [text(&json.to_string()), packed(&json)] {
                let game = Argument::of_event(&value, 100).and_then(Argument::read::<Game>);
                let game = game.map(|game| game.game).map_err(|refusal| refusal.code);
                assert_eq!(game.as_ref().map(Option::as_deref).map_err(|code| *code), expected, "{json}");
            }
        }
    }

    #[test]
    fn the_binary_argument_is_found_without_a_copy() {
        let bytes = Bytes::from(rmp_serde::to_vec(&("i", Bytes::from_static(&[1, 2, 3]))).unwrap());
        let found = binary_argument(Value::Bytes(bytes.clone())).unwrap();
        assert_eq!(&found[..], [1, 2, 3]);
        assert_eq!(found.as_ptr(), bytes[bytes.len() - 3..].as_ptr());
        let extension = Bytes::from_static(&[0x92, 0xa1, b'i', 0xc7, 2, 0, 7, 8]);
        assert_eq!(binary_argument(Value::Bytes(extension)), Some(Bytes::from_static(&[7, 8])));
        let other = Bytes::from_static(&[0x92, 0xa1, b'i', 0xc7, 2, 1, 7, 8]);
        assert_eq!(binary_argument(Value::Bytes(other)), None);
        let attachments = |count| Some(VecDeque::from(vec![Bytes::from_static(&[1]); count]));
        assert_eq!(binary_argument(Value::Str("[]".into(), attachments(1))), Some(Bytes::from_static(&[1])));
        assert_eq!(binary_argument(Value::Str("[]".into(), attachments(2))), None);
    }

    #[test]
    fn what_is_not_one_binary_is_none() {
        for json in [json!(["i"]), json!(["i", 5]), json!(["i", [1, 2]]), json!(["i", "text"]), json!({})] {
            assert_eq!(binary_argument(packed(&json)), None, "{json}");
            assert_eq!(binary_argument(text(&json.to_string())), None, "{json}");
        }
        let bytes = rmp_serde::to_vec(&("i", Bytes::from_static(&[1, 2, 3]))).unwrap();
        for length in 0..bytes.len() {
            assert_eq!(binary_argument(Value::Bytes(Bytes::copy_from_slice(&bytes[..length]))), None);
        }
    }
}
