//! The arcade behind nginx and Caddy, configured as `docs/OPERATIONS.md` shows.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

mod support;

use support::{
    browse_with, play_trusting,
    proxy::{Proxy, Setup},
};

#[test]
fn everything_works_behind_nginx_with_tls() {
    let Some(proxy) = Proxy::start(Setup::nginx("nginx-root")) else { return };
    play_trusting(&proxy.certificate(), &proxy.url("/"), "proxied.mjs");
}

#[test]
fn everything_works_below_a_prefix_of_nginx() {
    let Some(proxy) = Proxy::start(Setup::nginx("nginx-prefix")) else { return };
    play_trusting(&proxy.certificate(), &proxy.url("/game/"), "proxied.mjs");
}

#[test]
fn nginx_reuses_its_connections_and_never_answers_502() {
    let Some(proxy) = Proxy::start(Setup::nginx("nginx-root").limit("header_timeout=1")) else { return };
    play_trusting(&proxy.certificate(), &proxy.url("/"), "reused.mjs");
}

#[test]
fn everything_works_behind_caddy() {
    let Some(proxy) = Proxy::start(Setup::caddy("caddy-root")) else { return };
    play_trusting(&proxy.certificate(), &proxy.url("/"), "proxied.mjs");
}

#[test]
fn everything_works_below_a_prefix_of_caddy() {
    let Some(proxy) = Proxy::start(Setup::caddy("caddy-prefix")) else { return };
    play_trusting(&proxy.certificate(), &proxy.url("/game/"), "proxied.mjs");
}

#[test]
fn the_page_plays_below_a_prefix_in_a_browser() {
    let Some(proxy) = Proxy::start(Setup::nginx("nginx-prefix")) else { return };
    browse_with(&proxy.url("/game/"), "prefix.mjs");
}

#[test]
fn clients_poll_behind_an_nginx_that_upgrades_nothing() {
    let Some(proxy) = Proxy::start(Setup::nginx("nginx-root").without_upgrades()) else { return };
    play_trusting(&proxy.certificate(), &proxy.url("/"), "polled.mjs");
}
