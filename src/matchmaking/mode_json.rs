//! The JSON form of modes: fields with the names of the builder's methods, and times in seconds.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

use super::Mode;
use crate::game::Strength;

/// A mode in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModeJson {
    /// The number of teams. If it is absent, everybody plays for themselves.
    teams: Option<usize>,
    players: Players,
    #[serde(default)]
    hold_out: f64,
    ready_check: Option<f64>,
    /// Waiting times and rating differences; `null` removes the limit.
    skill: Option<Vec<(f64, Option<f64>)>>,
    #[serde(default)]
    regions: Vec<String>,
    latency: Option<Vec<(f64, u16)>>,
    #[serde(default)]
    same: Vec<String>,
    bots_after: Option<f64>,
    #[serde(default)]
    backfill: bool,
    #[serde(default)]
    rated: bool,
    /// How strong the bots play.
    strength: Option<Strength>,
}

/// The number of players in a team.
#[derive(Deserialize)]
#[serde(untagged)]
enum Players {
    Exactly(usize),
    Between(usize, usize),
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        ModeJson::deserialize(from)?.try_into().map_err(D::Error::custom)
    }
}

impl TryFrom<ModeJson> for Mode {
    type Error = String;

    fn try_from(written: ModeJson) -> Result<Self, String> {
        let size = match written.players {
            Players::Exactly(players) => players..=players,
            Players::Between(min, max) => min..=max,
        };
        let mode = written.teams.map_or_else(|| Self::free_for_all(1..=1), Self::teams);
        let mut mode = mode.of(size).hold_out(time(written.hold_out)?);
        mode = mode.regions(written.regions).same(written.same);
        mode.ready_check = written.ready_check.map(time).transpose()?;
        mode.bots_after = written.bots_after.map(time).transpose()?;
        let far = |(from, distance): (f64, Option<f64>)| Ok((time(from)?, distance.unwrap_or(f64::INFINITY)));
        if let Some(skill) = written.skill {
            mode = mode.skill(skill.into_iter().map(far).collect::<Result<Vec<_>, String>>()?);
        }
        let late = |(from, ms): (f64, u16)| Ok((time(from)?, ms));
        if let Some(latency) = written.latency {
            mode = mode.latency(latency.into_iter().map(late).collect::<Result<Vec<_>, String>>()?);
        }
        (mode.backfill, mode.rated, mode.strength) = (written.backfill, written.rated, written.strength);
        Ok(mode)
    }
}

fn time(seconds: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(seconds).map_err(|_| format!("{seconds} is not a valid time in seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn json_and_the_builder_make_the_same_mode() {
        let written = r#"{"teams": 2, "players": [2, 3], "hold_out": 5, "ready_check": 10, "skill": [[0, 100], [30, null]],
            "regions": ["eu", "us"], "latency": [[0, 60]], "same": ["map"], "bots_after": 45, "backfill": true, "rated": true,
            "strength": "hard"}"#;
        let built = Mode::teams(2).of(2..=3).hold_out(seconds(5)).ready_check(seconds(10));
        let built = built.skill([(seconds(0), 100.0), (seconds(30), f64::INFINITY)]).regions(["eu", "us"]);
        let built = built.latency([(seconds(0), 60)]).same(["map"]).bots_after(seconds(45)).backfill().rated();
        let built = built.strength(Strength::Hard);
        assert_eq!(serde_json::from_str::<Mode>(written).unwrap(), built);
        assert_eq!(serde_json::from_str::<Mode>(r#"{"players": 8}"#).unwrap(), Mode::free_for_all(8..=8));
    }

    #[test]
    fn invalid_json_modes_are_refused() {
        for (written, expected) in [
            (r#"{"players": 2, "ready_check": -1}"#, "-1 is not a valid time in seconds"),
            (r#"{"players": 2, "skil": []}"#, "unknown field `skil`"),
            (r#"{"teams": 2}"#, "missing field `players`"),
            (r#"{"players": 2, "strength": "brutal"}"#, "unknown variant `brutal`, expected one of `easy`, `normal`, `hard`"),
        ] {
            let said = serde_json::from_str::<Mode>(written).unwrap_err().to_string();
            assert!(said.contains(expected), "{written}: {said}");
        }
    }
}
