//! The recording of the page of [`mod@super`], and the paths in it. Times are in milliseconds, places in units.

use serde::{Deserialize, Serialize};

/// The traces of one run in a browser.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Run {
    /// The time of the traces' 0, in milliseconds since 1970.
    pub(crate) epoch: f64,
    pub(crate) rooms: Vec<Trace>,
    /// Errors of the page's console and scripts.
    pub(crate) complaints: Vec<String>,
}

/// A time, and the places of the player and of the reference.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Moment(
    pub(crate) f64,
    pub(crate) Option<f64>,
    pub(crate) Option<f64>,
    pub(crate) Option<f64>,
    pub(crate) Option<f64>,
);

/// A key went down or up: the time, the direction from then on, and whether the player had rested.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Key(pub(crate) f64, pub(crate) String, pub(crate) bool);

/// One match, from the player's window.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Trace {
    pub(crate) fight: bool,
    /// The time that counts. What was recorded before it is the history of the reference.
    pub(crate) begun: f64,
    pub(crate) ended: f64,
    /// The drawn states, frame by frame.
    pub(crate) frames: Vec<Moment>,
    /// The server's states as the reference got them, without delay.
    pub(crate) told: Vec<Moment>,
    pub(crate) keys: Vec<Key>,
    pub(crate) prediction: Told,
}

/// The SDK's figures about itself.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Told {
    /// How far the predicted state was from the server's, in units. `None` without prediction.
    pub(crate) error: Option<Error>,
    /// The states of the server that replaced the predicted one, in the last minute.
    pub(crate) corrections: Option<f64>,
    /// How far in the past others are drawn and how far ahead inputs are meant to act, in ticks, at the end.
    pub(crate) delay: Option<f64>,
    pub(crate) lead: Option<f64>,
    /// The round trip, in milliseconds.
    pub(crate) rtt: Option<f64>,
    /// The errors.
    pub(crate) faults: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
pub(crate) struct Error {
    pub(crate) p95: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Place {
    pub(crate) fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    pub(crate) fn distance(self, other: Self) -> f64 {
        let (x, y) = (self.x - other.x, self.y - other.y);
        (x * x + y * y).sqrt()
    }

    pub(crate) fn towards(self, other: Self, share: f64) -> Self {
        Self { x: self.x + (other.x - self.x) * share, y: self.y + (other.y - self.y) * share }
    }
}

impl Moment {
    pub(crate) fn player(&self) -> Option<Place> {
        Some(Place { x: self.1?, y: self.2? })
    }

    pub(crate) fn reference(&self) -> Option<Place> {
        Some(Place { x: self.3?, y: self.4? })
    }
}

/// A place at times that grow.
#[derive(Debug, Clone, Default)]
pub(crate) struct Path(pub(crate) Vec<(f64, Place)>);

impl Path {
    pub(crate) fn new(moments: &[Moment], who: impl Fn(&Moment) -> Option<Place>) -> Self {
        Self(moments.iter().filter_map(|moment| Some((moment.0, who(moment)?))).collect())
    }

    /// Returns the part of the path that overlaps a span of time.
    pub(crate) fn within(&self, from: f64, to: f64) -> &[(f64, Place)] {
        let start = self.0.partition_point(|(t, _)| *t < from);
        let end = self.0.partition_point(|(t, _)| *t <= to);
        &self.0[start.min(end)..end]
    }

    /// Returns the newest time, within a span, at which the path was nearest to a place, and the distance then.
    pub(crate) fn nearest(&self, place: Place, from: f64, to: f64) -> Option<(f64, f64)> {
        let points = self.within(from, to);
        let (last, at) = points.last()?;
        let mut nearest = (*last, at.distance(place));
        for pair in points.windows(2).rev() {
            let ((t0, a), (t1, b)) = (pair[0], pair[1]);
            let (dx, dy) = (b.x - a.x, b.y - a.y);
            let length = dx * dx + dy * dy;
            let along = if length > 0.0 { ((place.x - a.x) * dx + (place.y - a.y) * dy) / length } else { 1.0 };
            let along = along.clamp(0.0, 1.0);
            let distance = a.towards(b, along).distance(place);
            if distance < nearest.1 - 1e-9 {
                nearest = (t0 + (t1 - t0) * along, distance);
            }
        }
        Some(nearest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_read() {
        let text = r#"{"epoch": 1.5, "complaints": [], "rooms": [{"fight": false, "begun": 1, "ended": 2, "keys": [[1, "E", true]],
            "frames": [[1, 2, 3, null, null]], "told": [], "prediction": {"error": {"p50": 0, "p95": 0.5}, "lead": 3}}]}"#;
        let run: Run = serde_json::from_str(text).unwrap();
        let [room] = &run.rooms[..] else { panic!("one room") };
        assert_eq!((room.frames[0].player(), room.frames[0].reference()), (Some(Place::new(2.0, 3.0)), None));
        assert_eq!((room.prediction.error.unwrap().p95, room.prediction.corrections), (0.5, None));
    }

    #[test]
    fn the_nearest_place_of_a_path_is_found() {
        let path = Path(vec![(0.0, Place::new(0.0, 0.0)), (10.0, Place::new(10.0, 0.0)), (20.0, Place::new(10.0, 10.0))]);
        assert_eq!(path.nearest(Place::new(4.0, 1.0), 0.0, 20.0), Some((4.0, 1.0)));
        assert_eq!(path.nearest(Place::new(12.0, 5.0), 0.0, 20.0), Some((15.0, 2.0)));
        assert_eq!(path.nearest(Place::new(4.0, 1.0), 10.0, 20.0), Some((11.0, 6.0)));
        assert_eq!(path.nearest(Place::new(4.0, 1.0), 30.0, 40.0), None);
    }

    #[test]
    fn of_equally_near_times_the_newest_counts() {
        let rest = Path(vec![(0.0, Place::new(1.0, 1.0)), (10.0, Place::new(1.0, 1.0)), (20.0, Place::new(1.0, 1.0))]);
        assert_eq!(rest.nearest(Place::new(1.0, 1.0), 0.0, 20.0), Some((20.0, 0.0)));
    }
}
