//! Measures what matches of tactics cost while somebody thinks: 10,000 of two players.
//!
//! `cargo bench -p tactics --bench rest`. Linux only, because it reads its CPU time and its memory from `/proc`. It takes a minute.

#[path = "../../../tests/support/at_rest.rs"]
mod at_rest;

fn main() -> std::io::Result<()> {
    at_rest::measure::<tactics::Tactics>()
}
