//! The predicted rules of the game in the guide, as a module for clients:
//! `cargo build -p coins-module --target wasm32-unknown-unknown --profile module`.

tickcast::predictor!(coins::Coins);
