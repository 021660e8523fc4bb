//! The predicted rules of arena, as a module for clients:
//! `cargo build -p arena-module --target wasm32-unknown-unknown --profile module`.

tickcast::predictor!(arena::Arena);
