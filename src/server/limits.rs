//! Sets limits by their names, as the command line gives them.
//!
//! The names are those of the fields, so a new field of [`Limits`](crate::host::Limits) or [`NetLimits`](crate::net::NetLimits) can
//! be set without a line here.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value as Json};
use thiserror::Error;

use super::builder::Config;

/// The longest time that a limit may be, in seconds: a year. A moment that is farther away could not be represented on every system.
const MAX_SECONDS: f64 = 365.0 * 24.0 * 60.0 * 60.0;

/// Why a limit cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LimitError {
    /// No limit has this name.
    #[error("there is no limit named \"{name}\"; the limits are: {known}")]
    Name {
        /// The name that was given.
        name: String,
        /// All names, separated by commas.
        known: String,
    },
    /// The limit cannot have this value.
    #[error("the limit {name} cannot be \"{value}\": give {expected}")]
    Value {
        /// The limit.
        name: String,
        /// The value that was given.
        value: String,
        /// The kind of value that the limit takes.
        expected: &'static str,
    },
}

impl Config {
    /// Sets the field of [`Config::host`] or [`Config::net`] that has this name. Durations are given in seconds.
    ///
    /// # Errors
    ///
    /// No field has the name, or the value is not one that the field can have.
    ///
    /// # Examples
    ///
    /// ```
    /// # let mut config = tickcast::server::Config::default();
    /// config.set_limit("max_rooms", "200")?;
    /// config.set_limit("ticket_life", "2.5")?;
    /// assert_eq!(config.host.ticket_life.as_millis(), 2500);
    /// # Ok::<(), tickcast::server::LimitError>(())
    /// ```
    pub fn set_limit(&mut self, name: &str, value: &str) -> Result<(), LimitError> {
        let is_set = set(&mut self.host, name, value)? || set(&mut self.net, name, value)?;
        if is_set {
            return Ok(());
        }
        let known: Vec<String> = self.limits().keys().cloned().collect();
        Err(LimitError::Name { name: name.to_owned(), known: known.join(", ") })
    }

    /// Returns all limits by their names.
    fn limits(&self) -> Map<String, Json> {
        fields(&self.host).into_iter().chain(fields(&self.net)).collect()
    }
}

fn fields(limits: &impl Serialize) -> Map<String, Json> {
    match serde_json::to_value(limits) {
        Ok(Json::Object(fields)) => fields,
        other => unreachable!("limits are a struct of numbers: {other:?}"),
    }
}

/// Sets a field of a struct. Returns false if there is none with that name.
fn set<L: Serialize + DeserializeOwned>(limits: &mut L, name: &str, value: &str) -> Result<bool, LimitError> {
    let mut fields = fields(limits);
    let Some(field) = fields.get_mut(name) else { return Ok(false) };
    let expected = expected(field);
    let wrong = || LimitError::Value { name: name.to_owned(), value: value.to_owned(), expected };
    *field = read(field, value).ok_or_else(wrong)?;
    // A number that its field cannot hold is only seen here.
    *limits = serde_json::from_value(Json::Object(fields)).map_err(|_| wrong())?;
    Ok(true)
}

/// Returns what a field takes, judged by its value.
fn expected(now: &Json) -> &'static str {
    match now {
        Json::Bool(_) => "true or false",
        Json::Number(number) if number.is_u64() => "a whole number",
        Json::Number(_) => "a number that is not negative",
        _ => "seconds, at most a year of them, like 2.5",
    }
}

/// Reads a value of the same kind as the one that the field has.
fn read(now: &Json, value: &str) -> Option<Json> {
    let number = || value.parse::<f64>().ok().filter(|number| (0.0..=f32::MAX.into()).contains(number));
    match now {
        Json::Bool(_) => value.parse::<bool>().ok().map(Json::from),
        Json::Number(old) if old.is_u64() => value.parse::<u64>().ok().map(Json::from),
        Json::Number(_) => number().map(Json::from),
        _ => {
            let seconds = number().filter(|seconds| *seconds <= MAX_SECONDS)?;
            serde_json::to_value(std::time::Duration::from_secs_f64(seconds)).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const PAGE: &str = include_str!("../../docs/OPERATIONS.md");

    /// Returns the defaults in the page's tables of limits, by name.
    fn rows() -> BTreeMap<&'static str, &'static str> {
        let tables = PAGE.split("<!-- limits -->").skip(1).map(|rest| rest.split("\n\n## ").next().unwrap());
        let mut rows = BTreeMap::new();
        for line in tables.flat_map(str::lines).filter_map(|line| line.strip_prefix("| `")) {
            let (name, rest) = line.split_once("` | ").unwrap_or_else(|| panic!("no name: {line}"));
            let cells: Vec<&str> = rest.split(" | ").collect();
            assert!(cells.len() == 4 && cells.iter().all(|cell| !cell.trim().is_empty()), "a row has five cells: {line}");
            assert_eq!(rows.insert(name, cells[0]), None, "docs/OPERATIONS.md has two rows for {name}");
        }
        rows
    }

    #[test]
    fn the_page_for_operators_has_a_row_for_each_limit_with_its_default() {
        let (limits, rows) = (Config::default().limits(), rows());
        let missing: Vec<_> = limits.keys().filter(|name| !rows.contains_key(name.as_str())).collect();
        assert!(missing.is_empty(), "docs/OPERATIONS.md has no row for {missing:?}");
        for (name, default) in rows {
            let mut config = Config::default();
            let seconds = default.strip_suffix(" s").unwrap_or(default);
            config.set_limit(name, seconds).unwrap_or_else(|error| panic!("docs/OPERATIONS.md: {error}"));
            assert_eq!(config.limits(), limits, "docs/OPERATIONS.md: {name} is not {default} by default");
        }
    }

    #[test]
    fn each_limit_has_a_name_of_its_own_and_can_be_set() {
        let (host, net) = (fields(&Config::default().host), fields(&Config::default().net));
        assert!(host.keys().all(|name| !net.contains_key(name)), "{host:?} {net:?}");
        for name in host.keys().chain(net.keys()) {
            let mut config = Config::default();
            let changed = ["7", "true", "false"]
                .iter()
                .any(|value| config.set_limit(name, value).is_ok() && config.limits()[name] != Config::default().limits()[name]);
            assert!(changed, "{name}");
        }
    }

    #[test]
    fn a_wrong_limit_says_what_would_be_right() {
        let mut config = Config::default();
        let mut error = |name: &str, value: &str| config.set_limit(name, value).unwrap_err().to_string();
        let unknown = error("max_room", "3");
        assert!(unknown.starts_with("there is no limit named \"max_room\"; the limits are: "), "{unknown}");
        assert!(unknown.contains("max_rooms, ") && unknown.contains("message_bytes, "), "{unknown}");
        for (name, values, expected) in [
            ("max_rooms", ["", "-1", "2.5", "many"], "a whole number"),
            ("request_burst", ["4294967296", "1e3", "+", "0x10"], "a whole number"),
            ("requests_per_second", ["-0.5", "NaN", "inf", "ten"], "a number that is not negative"),
            ("ticket_life", ["-1", "NaN", "1e9", "10s"], "seconds, at most a year of them, like 2.5"),
        ] {
            for value in values {
                assert_eq!(error(name, value), format!("the limit {name} cannot be \"{value}\": give {expected}"));
            }
        }
        assert_eq!(config.limits(), Config::default().limits());
    }
}
