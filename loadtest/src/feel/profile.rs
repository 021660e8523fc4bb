//! The conditions of a line, which the inspector of the SDK and the load test read from one file.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

const FILE: &str = include_str!("../../../assets/sdk/src/conditions.json");

/// How a line treats the packets that are sent over it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) name: String,
    /// The time there and back, in milliseconds. Each way takes half of it.
    pub(crate) round_trip_ms: f64,
    /// By how much the time there and back varies, up and down, in milliseconds. Each way varies by half of it, evenly.
    pub(crate) jitter_ms: f64,
    /// The share of segments that are lost, from 0 to 1.
    pub(crate) loss: f64,
    pub(crate) blackout: Option<Blackout>,
}

/// How often nothing gets through in either direction, and for how long, in seconds. The first begins after half of that time.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Blackout {
    pub(crate) every_s: f64,
    pub(crate) for_s: f64,
}

impl Profile {
    pub(crate) fn all() -> Vec<Self> {
        serde_json::from_str(FILE).expect("the file is part of the program, and a test reads it")
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = Self::all();
        let names: Vec<String> = all.iter().map(|profile| profile.name.clone()).collect();
        let found = all.into_iter().find(|profile| profile.name == name);
        found.ok_or_else(|| format!("there is no profile {name:?}: take one of {}", names.join(", ")))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, round_trip_ms, jitter_ms, loss, blackout } = self;
        write!(f, "{name}: {round_trip_ms} ms there and back, {jitter_ms} ms jitter, {} % loss", loss * 100.0)?;
        if let Some(Blackout { every_s, for_s }) = blackout {
            write!(f, ", nothing for {for_s} s every {every_s} s")?;
        }
        Ok(())
    }
}

impl Blackout {
    /// Returns the end of the blackout in which a moment lies. Moments count from the line's start.
    pub(crate) fn end(&self, now: Duration) -> Option<Duration> {
        let since = (now.as_secs_f64() + self.every_s / 2.0) % self.every_s;
        (since < self.for_s).then(|| now + Duration::from_secs_f64(self.for_s - since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_profile_can_be_simulated() {
        let profiles = Profile::all();
        let names: Vec<_> = profiles.iter().map(|profile| profile.name.as_str()).collect();
        assert_eq!(names, ["lan", "good", "average", "poor", "mobile"]);
        for Profile { name, round_trip_ms, jitter_ms, loss, blackout } in &profiles {
            assert!(jitter_ms <= round_trip_ms, "{name}: no way takes less than no time");
            assert!((0.0..1.0).contains(loss), "{name}: something gets through");
            assert!(blackout.is_none_or(|b| b.for_s < b.every_s), "{name}: something gets through between blackouts");
        }
    }

    #[test]
    fn profiles_are_found_by_name() {
        let average: Profile = "average".parse().unwrap();
        assert_eq!(average.to_string(), "average: 100 ms there and back, 15 ms jitter, 2 % loss");
        assert!("fine".parse::<Profile>().unwrap_err().contains("take one of lan, good"));
    }

    #[test]
    fn blackouts_come_again_and_again() {
        let blackout = Blackout { every_s: 20.0, for_s: 2.0 };
        let end = |s: f64| blackout.end(Duration::from_secs_f64(s)).map(|end| end.as_secs_f64());
        assert_eq!([0.5, 9.9, 12.1, 29.9].map(end), [None; 4]);
        assert_eq!([10.5, 11.5, 31.0].map(end), [Some(12.0), Some(12.0), Some(32.0)]);
    }
}
