//! A file as it is served: compressed, and with a tag by which a browser finds out whether its copy is still good.

use std::io::Write;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use xxhash_rust::xxh3::xxh3_128;

/// How a file may be encoded, the best first. Names by RFC 9110; suffixes of the files that have it.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Files that are smaller than this fit into one packet anyway.
const COMPRESS_FROM: usize = 1024;

/// The least hexadecimal digits at the end of a name that are taken for a hash of the content.
const HASH_DIGITS: usize = 16;

const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A file that is ready to be served.
pub(crate) struct File {
    content_type: &'static str,
    cache: HeaderValue,
    plain: Variant,
    /// Compressed forms for clients that accept them, the smallest first.
    encoded: Vec<(&'static str, Variant)>,
}

struct Variant {
    bytes: Bytes,
    tag: HeaderValue,
}

impl File {
    /// Prepares a file. Text is compressed with gzip.
    pub(crate) fn new(path: &str, content_type: &'static str, bytes: Bytes) -> Self {
        Self::encoded(path, content_type, bytes, Vec::new())
    }

    /// Prepares a file with the encodings that there are, by their names.
    pub(crate) fn encoded(path: &str, content_type: &'static str, bytes: Bytes, ready: Vec<(&'static str, Bytes)>) -> Self {
        let mut encoded = ready;
        if !encoded.iter().any(|(name, _)| *name == "gzip") && is_text(content_type) && bytes.len() >= COMPRESS_FROM {
            encoded.push(("gzip", gzip(&bytes)));
        }
        encoded.retain(|(_, encoded)| encoded.len() < bytes.len());
        let encoded = encoded.into_iter().map(|(name, bytes)| (name, Variant::new(bytes))).collect();
        let cache = if has_hash(path) { IMMUTABLE } else { REVALIDATE };
        Self { content_type, cache, plain: Variant::new(bytes), encoded }
    }

    /// Answers a request whose address names a hash of this very content, and so never changes its meaning.
    pub(crate) fn answer_for_good(&self, asked: &HeaderMap) -> Response {
        let mut response = self.answer(asked);
        response.headers_mut().insert(header::CACHE_CONTROL, IMMUTABLE);
        response
    }

    /// Returns the name of the encoding that a file's path tells by its suffix, and the path without it.
    pub(crate) fn encoding(path: &str) -> Option<(&'static str, &str)> {
        ENCODINGS.into_iter().find_map(|(name, suffix)| Some((name, path.strip_suffix(suffix)?)))
    }

    /// Answers a request, in the best encoding that its client takes. A client that has this very file is told so.
    pub(crate) fn answer(&self, asked: &HeaderMap) -> Response {
        let best = self.encoded.iter().filter(|(name, _)| accepts(asked, name)).min_by_key(|(name, _)| rank(name));
        let variant = best.map_or(&self.plain, |(_, variant)| variant);
        let is_known = list(asked, header::IF_NONE_MATCH)
            .any(|tag| tag == "*" || variant.tag.to_str().is_ok_and(|own| tag.trim_start_matches("W/") == own));
        let body = if is_known { Body::empty() } else { Body::from(variant.bytes.clone()) };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(header::ETAG, variant.tag.clone());
        headers.insert(header::CACHE_CONTROL, self.cache.clone());
        if !self.encoded.is_empty() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some((name, _)) = best {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        response
    }
}

impl Variant {
    /// Two encodings of a file differ in their bytes, and so in their tags.
    fn new(bytes: Bytes) -> Self {
        let tag = format!("\"{:032x}\"", xxh3_128(&bytes));
        Self { tag: HeaderValue::from_str(&tag).expect("digits and quotes are a header's value"), bytes }
    }
}

fn rank(encoding: &str) -> Option<usize> {
    ENCODINGS.iter().position(|(name, _)| *name == encoding)
}

fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let compressed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    compressed.expect("memory takes every byte").into()
}

fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/")
        || ["application/json", "application/javascript", "application/wasm", "image/svg+xml"].contains(&kind)
}

/// Returns whether a path's last part ends in a hash of the content before its extension, like `/app-3f2a9c1b8d7e6f50.js`. Such a
/// file never changes.
fn has_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or("", |(stem, _)| stem);
    let end = stem.rsplit(['-', '.']).next().unwrap_or_default();
    end.len() < stem.len() && end.len() >= HASH_DIGITS && end.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns whether a client takes an encoding: it is named or covered by `*`, and not with the quality 0.
fn accepts(asked: &HeaderMap, encoding: &str) -> bool {
    let quality = |wanted: &str| {
        list(asked, header::ACCEPT_ENCODING).find_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let is_it = parts.next()?.eq_ignore_ascii_case(wanted);
            let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |quality| quality.parse::<f32>().ok());
            is_it.then_some(quality.unwrap_or(0.0))
        })
    };
    quality(encoding).or_else(|| quality("*")).is_some_and(|quality| quality > 0.0)
}

/// Returns the items of a header that is a list.
fn list(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "text/javascript; charset=utf-8";

    fn script() -> Bytes {
        "let a = 1;\n".repeat(500).into()
    }

    /// The status, the encoding and the tag of an answer.
    fn answer(file: &File, lines: &[(header::HeaderName, &str)]) -> (u16, String, String) {
        let asked = lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect();
        let response = file.answer(&asked);
        let text = |name| response.headers().get(name).map_or(String::new(), |value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), text(header::CONTENT_ENCODING), text(header::ETAG))
    }

    #[test]
    fn the_best_encoding_that_a_client_takes_is_sent() {
        let both = File::encoded("/app.js", SCRIPT, script(), vec![("gzip", "gz".into()), ("br", "b".into())]);
        let gzip = File::new("/app.js", SCRIPT, script());
        for (accepted, best, only_gzip) in [
            ("gzip, deflate, br, zstd", "br", "gzip"),
            ("GZIP", "gzip", "gzip"),
            ("br;q=0, gzip;q=0.5", "gzip", "gzip"),
            ("*", "br", "gzip"),
            ("*;q=0, gzip", "gzip", "gzip"),
            ("gzip;q=0, *", "br", ""),
            ("identity", "", ""),
            ("", "", ""),
        ] {
            assert_eq!(answer(&both, &[(header::ACCEPT_ENCODING, accepted)]).1, best, "{accepted}");
            assert_eq!(answer(&gzip, &[(header::ACCEPT_ENCODING, accepted)]).1, only_gzip, "{accepted}");
        }
        assert_eq!(answer(&both, &[]).1, "");
    }

    #[test]
    fn what_gains_nothing_is_sent_as_it_is() {
        for (content_type, bytes) in [("image/png", script()), (SCRIPT, Bytes::from_static(b"1"))] {
            let file = File::encoded("/a", content_type, bytes.clone(), vec![("br", [&bytes[..], b"more"].concat().into())]);
            assert_eq!(answer(&file, &[(header::ACCEPT_ENCODING, "br, gzip")]).1, "", "{content_type}");
        }
    }

    #[test]
    fn a_client_that_has_the_file_is_told_so() {
        let file = File::new("/app.js", SCRIPT, script());
        let (_, _, plain) = answer(&file, &[]);
        let (_, _, packed) = answer(&file, &[(header::ACCEPT_ENCODING, "gzip")]);
        assert_ne!(plain, packed);
        for known in [plain.clone(), format!("W/{plain}"), format!("\"x\", {plain}"), "*".to_owned()] {
            assert_eq!(answer(&file, &[(header::IF_NONE_MATCH, &known)]).0, 304, "{known}");
        }
        for unknown in [&packed, "\"x\"", plain.trim_matches('"'), ""] {
            assert_eq!(answer(&file, &[(header::IF_NONE_MATCH, unknown)]).0, 200, "{unknown}");
        }
        let both = [(header::IF_NONE_MATCH, &*packed), (header::ACCEPT_ENCODING, "gzip")];
        assert_eq!(answer(&file, &both), (304, String::new(), packed.clone()));
        let other = File::new("/app.js", SCRIPT, "other".into());
        assert_ne!(answer(&other, &[]).2, plain);
    }

    #[test]
    fn names_with_a_hash_never_change() {
        for hashed in ["/app-3f2a9c1b8d7e6f50.js", "/a/b/style.3f2a9c1b8d7e6f5012ab.css"] {
            assert!(has_hash(hashed), "{hashed}");
        }
        for other in ["/app.js", "/app-3f2a9c1b.js", "/3f2a9c1b8d7e6f50.js", "/a-3F2A9C1B8D7E6F50.js", "/a-3f2a9c1b8d7e6f50", "/"]
        {
            assert!(!has_hash(other), "{other}");
        }
    }
}
