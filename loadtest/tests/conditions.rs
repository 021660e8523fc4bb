//! The conditions of a line, which the inspector of the SDK and the load test read from one file.

use serde::Deserialize;

const FILE: &str = include_str!("../../assets/sdk/src/conditions.json");

/// What a line does to what is sent over it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    name: String,
    /// The time there and back, in milliseconds. Each way takes half of it.
    round_trip_ms: f64,
    /// By how much the time there and back varies, up and down, in milliseconds.
    jitter_ms: f64,
    /// The share of segments that are lost, from 0 to 1.
    loss: f64,
    blackout: Option<Blackout>,
}

/// How often nothing gets through in either direction, and for how long, in seconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Blackout {
    every_s: f64,
    for_s: f64,
}

#[test]
fn each_profile_can_be_simulated() {
    let profiles: Vec<Profile> = serde_json::from_str(FILE).unwrap();
    let names: Vec<_> = profiles.iter().map(|profile| profile.name.as_str()).collect();
    assert_eq!(names, ["lan", "good", "average", "poor", "mobile"]);
    for Profile { name, round_trip_ms, jitter_ms, loss, blackout } in &profiles {
        assert!(jitter_ms <= round_trip_ms, "{name}: no way takes less than no time");
        assert!((0.0..1.0).contains(loss), "{name}: something gets through");
        assert!(blackout.as_ref().is_none_or(|b| b.for_s < b.every_s), "{name}: something gets through between blackouts");
    }
}
