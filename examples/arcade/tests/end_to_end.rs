//! End-to-end tests of the `arcade` binary with the official Socket.IO client, the SDK, a browser, and a client in Python.
//!
//! The scripts are in `tests/js` and `tests/py`. `tests/js/decoder.mjs` is a complete client-side implementation of
//! `docs/PROTOCOL.md`, written from that page alone.

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
fn the_stock_client_stays_connected_where_upgrades_fail_as_on_the_reference_server() {
    play("upgrades.mjs");
}

#[test]
fn a_client_that_began_with_polling_holds_one_descriptor() {
    play("descriptors.mjs");
}

#[test]
fn bad_requests_get_stable_codes_and_do_no_harm() {
    play("refusals.mjs");
}

#[test]
fn the_sdk_plays_and_reconnects() {
    play("sdk.mjs");
}

#[test]
fn the_sdk_keeps_its_place_on_lines_that_die_and_leaves_no_seat_behind() {
    play("unlucky.mjs");
}

#[test]
fn the_sdk_tells_of_all_despawns_and_spawns_after_a_long_absence() {
    play("absent.mjs");
}

#[test]
fn the_sdk_polls_where_a_proxy_swallows_websockets() {
    play("swallowed.mjs");
}

#[test]
fn the_sdk_takes_a_fresh_connection_where_a_line_is_silent() {
    play("blackout.mjs");
}

#[test]
fn players_chat_form_parties_and_miss_no_message() {
    play("people.mjs");
}

#[test]
fn a_cut_connection_loses_neither_seat_nor_chat() {
    play("dropped.mjs");
}

#[test]
fn a_private_room_has_a_code_spectators_and_an_exit() {
    play("private.mjs");
}

#[test]
fn the_end_of_a_match_keeps_the_other_namespaces() {
    play("farewell.mjs");
}

#[test]
fn a_python_client_chats_queues_and_plays() {
    play_python("play.py");
}

#[test]
fn an_acknowledgement_arrives_or_times_out() {
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
fn binary_data_goes_both_ways_with_either_parser() {
    play("binary.mjs");
}

#[test]
fn the_official_browser_client_is_served() {
    play("bundle.mjs");
}

#[test]
fn a_client_from_a_script_tag_connects_in_chromium() {
    browse("script_tag.mjs");
}

#[test]
fn a_browser_plays_and_sees_who_joins() {
    browse("page.mjs");
}

#[test]
fn a_name_in_a_browser_loses_no_click_and_locks_nobody_out() {
    browse("names.mjs");
}

#[test]
fn keys_in_a_browser_neither_stick_nor_leave_the_match() {
    browse("keys.mjs");
}

#[test]
fn gamepads_thumbs_and_sound_work_in_a_browser() {
    browse("controls.mjs");
}

#[test]
fn the_own_avatar_answers_in_the_picture_after_a_key() {
    browse("feel.mjs");
}

#[test]
fn the_inspector_measures_simulates_a_line_and_finds_changed_rules() {
    browse("inspector.mjs");
}

#[test]
fn the_split_view_shows_two_players_of_one_match() {
    browse("split.mjs");
}

#[test]
fn friends_in_a_browser_stay_together() {
    browse("friends.mjs");
}

#[test]
fn the_page_can_be_read_on_small_and_on_light_screens() {
    browse("layout.mjs");
}

#[test]
fn reload_and_back_in_a_browser_lead_where_they_should() {
    browse("views_page.mjs");
}

#[test]
fn a_party_on_the_page_chats_queues_and_plays_in_one_team() {
    browse("party_page.mjs");
}

#[test]
fn a_visitor_watches_a_match_and_takes_a_seat() {
    browse("watch_page.mjs");
}

#[test]
fn a_match_on_the_page_has_scores_chat_keys_and_votes() {
    browse("match_page.mjs");
}

#[test]
fn one_draws_on_a_phone_and_another_guesses_at_a_desk() {
    browse("scribble.mjs");
}

#[test]
fn a_cell_of_swarm_eats_grows_and_splits_in_a_browser() {
    browse("swarm_page.mjs");
}

#[test]
fn tactics_is_played_in_a_browser_and_hides_units_from_either_side() {
    browse("tactics.mjs");
}

#[test]
fn every_state_of_the_page_is_accessible_in_three_sizes() {
    browse("accessible.mjs");
}

#[test]
fn a_browser_reports_a_server_that_stops_and_returns() {
    browse("restart.mjs");
}
