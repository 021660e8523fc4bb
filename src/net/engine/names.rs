//! Names of events as the library can read them.
//!
//! The library reads an event's name from the packet's text without decoding it, and ends the connection where the name has an
//! escape. Python's JSON encoder escapes every letter beyond ASCII.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Deserializer;

/// The character for what JSON cannot have without an escape.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// The separator of packets in a polling payload.
pub(crate) const SEPARATOR: char = '\u{1e}';

/// Returns whether an Engine.IO packet, of which the first two bytes are given, is an event of the default parser.
pub(crate) fn is_event(start: [u8; 2]) -> bool {
    matches!(start, [b'4', b'2' | b'5'])
}

/// Returns an Engine.IO packet whose event's name has no escapes. `None` if it has none already, or is no event.
///
/// Quotation marks, backslashes, control characters and halves of surrogate pairs become U+FFFD.
pub(crate) fn without_escapes(packet: &str) -> Option<String> {
    let start = packet.as_bytes().first_chunk().filter(|start| is_event(**start))?.len();
    let array = start + head_length(&packet[start..])?;
    let name_at = array + packet[array..].find('"')?;
    if packet[array..name_at].trim() != "[" {
        return None;
    }
    // Bytes, because the name may have half of a surrogate pair, which is no text.
    let mut strings = Deserializer::from_str(&packet[name_at..]).into_iter::<Bytes>();
    let name = strings.next()?.ok()?;
    let rest = name_at + strings.byte_offset();
    if !packet[name_at..rest].contains('\\') {
        return None;
    }
    let name = String::from_utf8_lossy(&name)
        .replace(|letter| matches!(letter, '"' | '\\' | '\0'..'\u{20}'), REPLACEMENT.encode_utf8(&mut [0; 4]));
    Some([&packet[..=name_at], &name, "\"", &packet[rest..]].concat())
}

/// Does the same for all packets of a polling payload. What is no text is left as it is.
pub(crate) fn without_escapes_in(payload: Bytes) -> Bytes {
    let Ok(text) = std::str::from_utf8(&payload) else { return payload };
    if !text.contains('\\') {
        return payload;
    }
    let packets = text.split(SEPARATOR).map(|packet| without_escapes(packet).map_or(Cow::Borrowed(packet), Cow::Owned));
    packets.collect::<Vec<_>>().join(SEPARATOR.encode_utf8(&mut [0; 4])).into()
}

/// Returns the length of what stands between an event's type and its array: the count of attachments, the namespace, the number of
/// the acknowledgement.
fn head_length(text: &str) -> Option<usize> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut at = 0;
    let count = digits(text);
    if text[count..].starts_with('-') {
        at = count + 1;
    }
    if text[at..].starts_with('/') {
        at += text[at..].find(',')? + 1;
    }
    Some(at + digits(&text[at..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_escaped_name_is_written_out() {
        for (packet, expected) in [
            (r#"42["gr\u00f6\u00dfe",1]"#, r#"42["größe",1]"#),
            (r#"42/shop,7["\ud83d\ude00","\u00f6"]"#, r#"42/shop,7["😀","\u00f6"]"#),
            (r#"452-/shop,["a\/b",{"_placeholder":true,"num":0}]"#, r#"452-/shop,["a/b",{"_placeholder":true,"num":0}]"#),
            (r#"451-["\u0061"]"#, r#"451-["a"]"#),
            (r#"4212[ "\u0061" , 5]"#, r#"4212[ "a" , 5]"#),
            (r#"42["say \"hi\"\n\\",{}]"#, "42[\"say \u{fffd}hi\u{fffd}\u{fffd}\u{fffd}\",{}]"),
            (r#"42["\ud800"]"#, "42[\"\u{fffd}\u{fffd}\u{fffd}\"]"),
        ] {
            assert_eq!(without_escapes(packet).as_deref(), Some(expected), "{packet}");
        }
    }

    #[test]
    fn everything_else_is_left_alone() {
        for packet in [
            "",
            "4",
            "42",
            "2",
            "3",
            "40/shop,{\"a\":\"\\u0061\"}",
            "43/shop,1[\"\\u0061\"]",
            "42[\"plain\",\"\\u0061\"]",
            "42[5,\"\\u0061\"]",
            "42{\"\\u0061\":1}",
            "42/shop",
            "42/shop,",
            "42[\"\\u00",
            "42[\"\\x\"]",
            "42[[\"\\u0061\"]]",
            "45-",
            "42\"\\u0061\"",
            "é",
        ] {
            assert_eq!(without_escapes(packet), None, "{packet}");
        }
    }

    #[test]
    fn each_packet_of_a_payload_is_written_out() {
        let payload =
            |text: &'static str| String::from_utf8(without_escapes_in(Bytes::from_static(text.as_bytes())).to_vec()).unwrap();
        assert_eq!(payload("3\u{1e}42[\"\\u0061\"]\u{1e}bAQI=\u{1e}42[\"b\"]"), "3\u{1e}42[\"a\"]\u{1e}bAQI=\u{1e}42[\"b\"]");
        assert_eq!(payload("42[\"a\"]"), "42[\"a\"]");
        assert_eq!(without_escapes_in(Bytes::from_static(b"\xff\\")), &b"\xff\\"[..]);
    }

    proptest! {
        #[test]
        fn the_library_can_read_every_name(name: String, rest: String) {
            let packet = format!("42{}", serde_json::json!([name, rest]));
            let packet = without_escapes(&packet).unwrap_or(packet);
            let (read, same): (&str, String) = serde_json::from_str(&packet[2..]).unwrap();
            prop_assert_eq!(same, rest);
            prop_assert_eq!(read.chars().count(), name.chars().count());
        }

        #[test]
        fn no_text_panics(text in "(42|45)?[0-9/,\\[\"\\\\ud8aé -]*") {
            let _ = without_escapes(&text);
        }
    }
}
