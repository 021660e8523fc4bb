//! The whole path, for real: the `arcade` binary, the official Socket.IO client, the SDK, a browser, and a client in Python.
//!
//! The scripts are in `tests/js` and `tests/py`; `decoder.mjs` of the first is a whole client's half of `docs/PROTOCOL.md`, written from that page alone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

mod support;

use support::{browse, play, play_python};

#[test]
fn a_client_written_from_the_protocol_page_reads_the_golden_frames() {
    play("golden.mjs");
}

#[test]
fn the_stock_client_plays_with_no_option_set() {
    play("stock.mjs");
}

#[test]
fn the_stock_client_plays_with_msgpack_over_websocket() {
    play("msgpack.mjs");
}

#[test]
fn the_stock_client_plays_over_long_polling_alone() {
    play("polling.mjs");
}

#[test]
fn bad_requests_are_answered_with_stable_codes_and_hurt_nobody() {
    play("refusals.mjs");
}

#[test]
fn the_sdk_plays_loses_its_connection_and_comes_back() {
    play("sdk.mjs");
}

#[test]
fn people_talk_and_gather_and_miss_nothing() {
    play("people.mjs");
}

#[test]
fn a_connection_that_is_cut_costs_neither_the_seat_nor_what_was_said() {
    play("dropped.mjs");
}

#[test]
fn a_private_room_has_a_code_an_audience_and_a_way_out() {
    play("private.mjs");
}

#[test]
fn the_end_of_a_match_costs_no_other_namespace() {
    play("farewell.mjs");
}

#[test]
fn python_talks_queues_and_plays() {
    play_python("play.py");
}

#[test]
fn an_acknowledgement_comes_or_times_out() {
    play("acknowledgement.mjs");
}

#[test]
fn packets_sent_offline_wait_in_the_client_and_arrive_once_in_order() {
    play("offline.mjs");
}

#[test]
fn reconnection_backs_off_exponentially_until_the_server_is_back() {
    play("backoff.mjs");
}

#[test]
fn binaries_go_both_ways_with_either_parser() {
    play("binary.mjs");
}

#[test]
fn the_official_browser_client_is_served() {
    play("bundle.mjs");
}

#[test]
fn io_in_a_script_tag_connects_in_chromium() {
    browse("script_tag.mjs");
}

#[test]
fn a_browser_plays_and_sees_who_joins() {
    browse("page.mjs");
}

#[test]
fn a_browser_says_what_happens_when_the_server_goes_and_comes_back() {
    browse("restart.mjs");
}
