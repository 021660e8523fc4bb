//! Refuses requests from foreign web pages: only the server's own page and the origins on the host's list may talk to it.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

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

    fn judge(&self, headers: &HeaderMap) -> Standing {
        let Some(origin) = headers.get(header::ORIGIN) else { return Standing::Own };
        let Ok(origin) = origin.to_str().map(str::to_ascii_lowercase) else { return Standing::Foreign };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_ascii_lowercase);
        match (origin.split_once("://"), host) {
            (Some((scheme, own)), Some(host)) if without_default_port(scheme, own) == without_default_port(scheme, &host) => {
                Standing::Own
            }
            _ if self.0.contains(&normal(&origin)) => Standing::Listed,
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
pub(crate) async fn check_origin(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    match origins.judge(request.headers()) {
        Standing::Own => next.run(request).await,
        Standing::Foreign => (StatusCode::FORBIDDEN, "this origin is not allowed here\n").into_response(),
        Standing::Listed => {
            let origin = request.headers().get(header::ORIGIN).cloned();
            let preflight = request.method() == Method::OPTIONS;
            let mut response = if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
            let headers = response.headers_mut();
            if let Some(origin) = origin {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            }
            headers.append(header::VARY, HeaderValue::from_static("origin"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
            response
        }
    }
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
            assert_eq!(origins.judge(&headers), expected, "{origin:?} at {host}");
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
