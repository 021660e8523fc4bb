//! The prelude's derives of serde's traits do what serde's own do.

use serde_json::{from_value, json, to_value};
use tickcast::prelude::*;

#[derive(Component, Serialize, Deserialize, Debug, PartialEq)]
struct Vel(Vec2);

#[derive(Component, Serialize, Deserialize, Debug, PartialEq)]
struct Marker;

#[derive(Resource, Serialize, Deserialize, Debug, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Config {
    frag_limit: u16,
    mode: Mode,
    #[serde(skip)]
    cache: Vec<u8>,
}

impl Default for Config {
    fn default() -> Self {
        Self { frag_limit: 20, mode: Mode::Plain, cache: vec![1] }
    }
}

#[derive(Serialize, Deserialize, Default, Debug, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Plain,
    TimeLimit {
        seconds: Option<u8>,
    },
    Sides(u8, u8),
}

#[test]
fn values_are_written_and_read() {
    assert_eq!(to_value(Vel(Vec2::new(1.0, 2.0))).unwrap(), json!([1.0, 2.0]));
    assert_eq!(from_value::<Vel>(json!([1.0, 2.0])).unwrap(), Vel(Vec2::new(1.0, 2.0)));
    assert_eq!(from_value::<Marker>(to_value(Marker).unwrap()).unwrap(), Marker);
    for mode in [Mode::Plain, Mode::TimeLimit { seconds: Some(9) }, Mode::Sides(1, 2)] {
        let bytes = rmp_serde::to_vec(&mode).unwrap();
        assert_eq!(rmp_serde::from_slice::<Mode>(&bytes).unwrap(), mode);
    }
}

#[test]
fn attributes_of_serde_are_obeyed() {
    let config = Config { frag_limit: 5, mode: Mode::TimeLimit { seconds: None }, cache: vec![] };
    assert_eq!(to_value(&config).unwrap(), json!({"fragLimit": 5, "mode": {"time_limit": {"seconds": null}}}));
    assert_eq!(from_value::<Config>(json!({"mode": "plain"})).unwrap(), Config { cache: vec![1], ..Config::default() });
    let said = from_value::<Config>(json!({"frags": 5})).unwrap_err().to_string();
    assert!(said.contains("unknown field `frags`, expected `fragLimit` or `mode`"), "{said}");
    let said = from_value::<Config>(json!(5)).unwrap_err().to_string();
    assert!(said.contains("expected struct Config"), "{said}");
}
