//! The client behind trusted proxies: its address, and the host and scheme that it asked for.
//!
//! Each proxy adds the address that it was called from at the right end of `X-Forwarded-For` or, by RFC 7239, of `Forwarded`. A
//! client can send the same headers, so the lists are read from the right, and only as far as trusted proxies wrote them.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};

use crate::net::limits::proxies::TrustedProxies;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The most proxies that may stand in a row.
const MAX_HOPS: usize = 32;

/// Where a request came from, and what it asked for, before the first trusted proxy. It is in the extensions of each request
/// until the origin is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    /// The host that the client asked for, if a proxy tells.
    pub(crate) host: Option<String>,
    /// `http` or `https`, if a proxy tells.
    pub(crate) scheme: Option<&'static str>,
}

/// The element that one proxy adds to `Forwarded`.
#[derive(Default)]
struct Hop {
    address: Option<IpAddr>,
    host: Option<String>,
    scheme: Option<&'static str>,
}

impl Client {
    /// Reads what the proxies say, if `peer` is one of them. Without `X-Forwarded-For`, which nearly every proxy writes, `Forwarded`
    /// is read. A proxy that writes one of the two must remove the other, or it would pass on whatever the client has written.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, proxies: &TrustedProxies) -> Self {
        let peer = peer.to_canonical();
        if !proxies.contain(peer) {
            return Self { address: peer, host: None, scheme: None };
        }
        let hops: Vec<Hop> = if headers.contains_key(FOR) {
            from_right(headers, &FOR).take(MAX_HOPS).map(|hop| Hop { address: address(hop), ..Hop::default() }).collect()
        } else {
            let lines = headers.get_all(header::FORWARDED).iter().rev();
            let elements = lines.flat_map(|line| split(line.as_bytes(), b',').into_iter().rev());
            elements.take(MAX_HOPS).map(|element| Hop::read(text(element))).collect()
        };
        Self::behind(peer, hops, headers, proxies)
    }

    /// Goes through the hops, the nearest first, until one is not a proxy.
    fn behind(peer: IpAddr, hops: Vec<Hop>, headers: &HeaderMap, proxies: &TrustedProxies) -> Self {
        let (mut client, mut depth) = (Self { address: peer, host: None, scheme: None }, 0);
        for (at, hop) in hops.into_iter().enumerate() {
            // If an element has no address, the proxy that added it is the last address known.
            let Some(address) = hop.address else { break };
            (client, depth) = (Self { address, host: hop.host, scheme: hop.scheme }, at);
            if !proxies.contain(address) {
                break;
            }
        }
        let said = |name: HeaderName| from_right(headers, &name).take(depth + 1).last();
        client.host = client.host.or_else(|| said(HOST).map(str::to_owned)).filter(|host| !host.is_empty());
        client.scheme = client.scheme.or_else(|| said(PROTO).and_then(scheme));
        client
    }
}

impl Hop {
    /// Reads an element of `Forwarded`, like `for="[2001:db8::1]:4711";proto=https`.
    fn read(element: &str) -> Self {
        let mut hop = Self::default();
        for pair in split(element.as_bytes(), b';') {
            let Some((name, value)) = text(pair).split_once('=') else { continue };
            let value = unquoted(value.trim());
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => hop.address = address(&value),
                "host" => hop.host = Some(value),
                "proto" => hop.scheme = scheme(&value),
                _ => {}
            }
        }
        hop
    }
}

/// Returns the elements of a header that is a list, from the right, also if it is spread over several lines. Whatever a client has
/// put at the left, it cannot hide what a proxy has added: quotes mean nothing here.
fn from_right<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    let lines = headers.get_all(name).iter().rev();
    lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')).map(text)
}

/// Returns bytes as a text, which is empty if they are none.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default().trim()
}

/// Splits a text at a separator that does not stand within quotes.
fn split(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let is_separator = |byte: &u8| {
        if is_escaped {
            is_escaped = false;
            return false;
        }
        is_escaped = is_quoted && *byte == b'\\';
        is_quoted ^= *byte == b'"';
        *byte == separator && !is_quoted
    };
    text.split(is_separator).collect()
}

/// Returns a value without its quotes.
fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else { return value.to_owned() };
    let mut is_escaped = false;
    inner
        .chars()
        .filter(|letter| {
            is_escaped = !is_escaped && *letter == '\\';
            !is_escaped
        })
        .collect()
}

/// Reads an address with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

fn scheme(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "http" | "ws" => Some("http"),
        "https" | "wss" => Some("https"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    /// Returns the address, host and scheme that the server reads from a proxy's request with these headers.
    fn seen(peer: &str, lines: &[(&str, &str)]) -> String {
        let proxies: TrustedProxies =
            ["10.0.0.0/8", "2001:db8:1::/48"].map(|text| TrustedProxies::read(text).unwrap()).into_iter().collect();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let client = Client::of(peer.parse().unwrap(), &headers, &proxies);
        let (host, scheme) = (client.host.unwrap_or_default(), client.scheme.unwrap_or_default());
        format!("{} {host} {scheme}", client.address).trim_end().to_owned()
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_no_proxy() {
        let for_lists = [
            ("9.9.9.9", "9.9.9.9"),
            ("1.1.1.1, 9.9.9.9", "9.9.9.9"),
            ("1.1.1.1, 9.9.9.9, 10.0.0.2", "9.9.9.9"),
            ("9.9.9.9:4711,10.0.0.2:80", "9.9.9.9"),
            ("2001:db8::5", "2001:db8::5"),
            ("[2001:db8::5]:4711, 2001:db8:1::7", "2001:db8::5"),
            ("::ffff:9.9.9.9", "9.9.9.9"),
            // Nobody but proxies: the first of them asked.
            ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
            // An element that cannot be read ends the list.
            ("9.9.9.9, unknown", "10.0.0.1"),
            ("9.9.9.9, _secret, 10.0.0.2", "10.0.0.2"),
            ("9.9.9.9, ü, 10.0.0.2", "10.0.0.2"),
            ("9.9.9.9,", "10.0.0.1"),
            ("\", 9.9.9.9", "9.9.9.9"),
            ("", "10.0.0.1"),
        ];
        for (list, expected) in for_lists {
            assert_eq!(seen("10.0.0.1", &[("x-forwarded-for", list)]), expected, "{list}");
            assert_eq!(seen("8.8.8.8", &[("x-forwarded-for", list)]), "8.8.8.8", "{list}: not from a proxy");
        }
        let lines = [("x-forwarded-for", "1.1.1.1, 9.9.9.9"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(seen("::ffff:10.0.0.1", &lines), "9.9.9.9", "several lines are one list");
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_says() {
        for (line, expected) in [
            ("for=9.9.9.9", "9.9.9.9"),
            ("For=\"[2001:db8::5]:4711\"", "2001:db8::5"),
            (
                "for=1.1.1.1, for=9.9.9.9; proto=HTTPS ;host=\"a.test:8443\", for=10.0.0.2;host=b.test",
                "9.9.9.9 a.test:8443 https",
            ),
            ("for=9.9.9.9;by=\"a, for=1.1.1.1;\\\" x\";proto=http", "9.9.9.9  http"),
            ("for=\"9.9.\\9.9\"", "9.9.9.9"),
            ("for=unknown;host=a.test", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
            ("for", "10.0.0.1"),
            (";,;=,=", "10.0.0.1"),
        ] {
            assert_eq!(seen("10.0.0.1", &[("forwarded", line)]), expected, "{line}");
            assert_eq!(seen("8.8.8.8", &[("forwarded", line)]), "8.8.8.8", "{line}: not from a proxy");
        }
        let both = [("x-forwarded-for", "9.9.9.9"), ("forwarded", "for=1.1.1.1;host=evil.test")];
        assert_eq!(seen("10.0.0.1", &both), "9.9.9.9", "a proxy that writes the one passes on the other");
    }

    #[test]
    fn host_and_scheme_are_those_that_the_client_used() {
        let said = |list, host, proto| {
            seen("10.0.0.1", &[("x-forwarded-for", list), ("x-forwarded-host", host), ("x-forwarded-proto", proto)])
        };
        assert_eq!(said("9.9.9.9", "play.test", "https"), "9.9.9.9 play.test https");
        assert_eq!(said("9.9.9.9", "evil.test, play.test", "wss"), "9.9.9.9 play.test https");
        assert_eq!(said("9.9.9.9, 10.0.0.2", "evil.test, play.test, inner.test", "https, http"), "9.9.9.9 play.test https");
        assert_eq!(said("9.9.9.9, 10.0.0.2", "play.test", "ftp"), "9.9.9.9 play.test");
        let foreign = [("x-forwarded-host", "evil.test"), ("x-forwarded-proto", "https")];
        assert_eq!(seen("8.8.8.8", &foreign), "8.8.8.8");
        assert_eq!(seen("10.0.0.1", &foreign), "10.0.0.1 evil.test https", "a proxy that names no client");
    }
}
