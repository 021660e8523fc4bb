//! Prediction with real clients: with the module of arena's rules, and without.
//!
//! The module is taken from the folder that `TICKCAST_TEST_MODULES` names.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

mod support;

use support::{Server, browse_with, modules, play_with};

/// Starts a server with the modules of the rules.
fn with_modules() -> Option<Server> {
    Some(Server::start_with("127.0.0.1:0", &modules()?))
}

/// Runs a script for Chromium against a server.
fn browse(server: &Server, script: &str) {
    browse_with(&format!("http://{}", server.address), script);
}

#[test]
fn chromium_predicts_with_the_module_on_an_average_line() {
    if let Some(server) = with_modules() {
        browse(&server, "average.mjs");
    }
}

#[test]
fn chromium_predicts_with_the_step_on_an_average_line() {
    browse(&Server::start("127.0.0.1:0"), "average.mjs");
}

#[test]
fn the_own_avatar_answers_in_the_picture_after_a_key_with_the_module() {
    if let Some(server) = with_modules() {
        browse(&server, "feel.mjs");
    }
}

#[test]
fn the_inspector_finds_out_a_module_with_another_constant() {
    if let Some(server) = with_modules() {
        browse(&server, "inspector.mjs");
    }
}

#[test]
fn a_module_with_another_constant_is_found_out() {
    if let Some(server) = with_modules() {
        play_with(&format!("http://{}", server.address), "astray.mjs");
    }
}
