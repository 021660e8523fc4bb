//! Refuses requests from foreign web pages: only the server's own page and the origins on the host's list may talk to it.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    net::http::forwarded::Client,
    observe::{self, DropReason},
};

/// The answer to a foreign page.
const FOREIGN: &str = "this origin is not allowed here: the server allows its own, as the header Host or a trusted proxy names it, \
    and those given with --allow-origin\n";

/// The origins that may talk to this server beside its own, like `https://play.example.org`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins(Arc<[String]>);

impl FromIterator<String> for Origins {
    fn from_iter<I: IntoIterator<Item = String>>(origins: I) -> Self {
        Self(origins.into_iter().map(|origin| normal(origin.trim_end_matches('/'))).collect())
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// The server's own page, or a request that is not from a page.
    Own,
    /// A page whose origin is on the list. Its browser needs headers that let it read the answer.
    Listed,
    /// Any other page.
    Foreign,
}

impl Origins {
    /// Returns whether a text is an origin as browsers send it: a scheme and a host, with or without a port.
    pub(crate) fn can_name(origin: &str) -> bool {
        let Some((scheme, host)) = origin.trim_end_matches('/').split_once("://") else { return false };
        let is_of_scheme = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
        let is_of_host = |letter: char| letter.is_ascii_alphanumeric() || "-._:[]".contains(letter);
        !scheme.is_empty() && scheme.chars().all(is_of_scheme) && !host.is_empty() && host.chars().all(is_of_host)
    }

    /// Lets a listed page read an answer that is given before [`check_origin`].
    pub(crate) fn open(&self, asked: &HeaderMap, client: &Client, response: Response) -> Response {
        match self.judge(asked, Some(client)) {
            Standing::Listed => readable_by(asked.get(header::ORIGIN).cloned(), response),
            Standing::Own | Standing::Foreign => response,
        }
    }

    /// Judges a request by its headers, and by what trusted proxies say of the host and the scheme that its client asked for.
    fn judge(&self, headers: &HeaderMap, client: Option<&Client>) -> Standing {
        let Some(origin) = headers.get(header::ORIGIN) else { return Standing::Own };
        let Ok(origin) = origin.to_str().map(normal) else { return Standing::Foreign };
        let host = client.and_then(|client| client.host.as_deref());
        let host = host.or_else(|| headers.get(header::HOST).and_then(|host| host.to_str().ok()));
        let is_own = origin.split_once("://").zip(host).is_some_and(|((scheme, own), host)| {
            let is_scheme = client.and_then(|client| client.scheme).is_none_or(|used| used == scheme);
            is_scheme && own == without_default_port(scheme, &host.to_ascii_lowercase())
        });
        match origin {
            _ if is_own => Standing::Own,
            _ if self.0.contains(&origin) => Standing::Listed,
            _ => Standing::Foreign,
        }
    }
}

/// Returns the one spelling of an origin: lower case, without the default port.
fn normal(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    match origin.split_once("://") {
        Some((scheme, host)) => format!("{scheme}://{}", without_default_port(scheme, host)),
        None => origin,
    }
}

fn without_default_port<'a>(scheme: &str, host: &'a str) -> &'a str {
    let port = if scheme == "https" { ":443" } else { ":80" };
    host.strip_suffix(port).unwrap_or(host)
}

/// Refuses requests from foreign pages with HTTP 403, and lets listed pages read the answers.
pub(crate) async fn check_origin(State(origins): State<Origins>, mut request: Request, next: Next) -> Response {
    // A session would keep it as long as it lasts.
    let client = request.extensions_mut().remove();
    match origins.judge(request.headers(), client.as_ref()) {
        Standing::Own => next.run(request).await,
        Standing::Foreign => {
            observe::dropped(DropReason::Origin);
            (StatusCode::FORBIDDEN, FOREIGN).into_response()
        }
        Standing::Listed => {
            let origin = request.headers().get(header::ORIGIN).cloned();
            let is_preflight = request.method() == Method::OPTIONS;
            let response = if is_preflight { answer_preflight(request.headers()) } else { next.run(request).await };
            readable_by(origin, response)
        }
    }
}

/// Lets the pages of an origin read an answer.
fn readable_by(origin: Option<HeaderValue>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    response
}

/// Allows a listed page what it asks for. A request with a header of the page's own, or with credentials, is asked for first.
fn answer_preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST"));
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(HeaderValue::from_static("content-type")));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    headers.append(header::VARY, HeaderValue::from_static("access-control-request-headers"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_judged_by_host_and_list() {
        let listed = ["https://Play.example.org/", "https://port.test:443"].map(str::to_owned);
        let origins: Origins = listed.into_iter().collect();
        let cases = [
            (None, "a.test:3000", Standing::Own),
            (Some("http://a.test:3000"), "a.test:3000", Standing::Own),
            (Some("http://A.test:3000"), "a.test:3000", Standing::Own),
            (Some("https://a.test"), "a.test", Standing::Own),
            (Some("https://a.test"), "a.test:443", Standing::Own),
            (Some("http://a.test"), "a.test:80", Standing::Own),
            (Some("http://a.test"), "a.test:443", Standing::Foreign),
            (Some("http://a.test:3001"), "a.test:3000", Standing::Foreign),
            (Some("http://evil.test"), "a.test:3000", Standing::Foreign),
            (Some("null"), "a.test:3000", Standing::Foreign),
            (Some("https://play.example.org"), "a.test:3000", Standing::Listed),
            (Some("http://play.example.org"), "a.test:3000", Standing::Foreign),
            (Some("https://port.test"), "a.test:3000", Standing::Listed),
            (Some("https://port.test:444"), "a.test:3000", Standing::Foreign),
        ];
        for (origin, host, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(origins.judge(&headers, None), expected, "{origin:?} at {host}");
        }
    }

    #[test]
    fn behind_a_proxy_the_host_and_the_scheme_are_those_of_the_client() {
        let origins = Origins::default();
        for (origin, host, scheme, expected) in [
            ("https://play.test", Some("play.test"), Some("https"), Standing::Own),
            ("https://play.test", Some("Play.test:443"), Some("https"), Standing::Own),
            ("https://play.test", Some("play.test"), None, Standing::Own),
            ("https://inner.test:3000", None, Some("https"), Standing::Own),
            ("http://play.test", Some("play.test"), Some("https"), Standing::Foreign),
            ("https://play.test:8443", Some("play.test"), Some("https"), Standing::Foreign),
            ("https://inner.test:3000", Some("play.test"), Some("https"), Standing::Foreign),
        ] {
            let client = Client { address: [9, 9, 9, 9].into(), host: host.map(str::to_owned), scheme };
            let headers = [(header::HOST, "inner.test:3000"), (header::ORIGIN, origin)];
            let headers = headers.map(|(name, value)| (name, HeaderValue::from_str(value).unwrap())).into_iter().collect();
            assert_eq!(origins.judge(&headers, Some(&client)), expected, "{origin} at {host:?} over {scheme:?}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        for origin in [
            "https://play.example.org",
            "https://play.example.org/",
            "http://a.test:80",
            "http://[::1]:3000",
            "capacitor://localhost",
        ] {
            assert!(Origins::can_name(origin), "{origin}");
        }
        for other in
            ["play.example.org", "//a.test", "https://", "", "*", "https://*.a.test", "https://a.test/page", "https://a.test?b"]
        {
            assert!(!Origins::can_name(other), "{other}");
        }
    }
}
