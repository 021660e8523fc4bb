//! The predicted rules of the game in the README, as a module for clients:
//! `cargo build -p race-module --target wasm32-unknown-unknown --profile module`.

tickcast::predictor!(race::Race);
