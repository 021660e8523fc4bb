//! Compares predicted columns with the server's, and measures what a correction changes in the picture.

use std::f64::consts::{PI, TAU};

use crate::protocol::FieldKind;

/// The steps of a float or vector beyond which a correction is drawn at once, unless the game says another distance.
const SNAP_STEPS: f64 = 64.0;

/// One field of a component.
enum Part {
    /// An integer, a choice or a bool: it agrees if it is equal.
    Exact,
    /// Columns of steps: they agree if none differs by more than one step. Beyond the distance `snap` a correction is drawn at once.
    Steps { columns: usize, step: f64, snap: f64 },
    /// Steps of a turn, which agree likewise.
    Turn { steps: i64 },
}

/// How the columns of a component are compared.
pub(super) struct Agreement(Vec<Part>);

impl Agreement {
    /// `snap` is the distance beyond which a correction is drawn at once.
    pub fn of(fields: &[FieldKind], snap: Option<f32>) -> Self {
        let steps = |columns, step: f64| Part::Steps { columns, step, snap: snap.map_or(SNAP_STEPS * step, f64::from) };
        Self(
            fields
                .iter()
                .flat_map(FieldKind::elements)
                .filter_map(|field| match *field {
                    FieldKind::Bool | FieldKind::Int { .. } | FieldKind::Choice { .. } => Some(Part::Exact),
                    FieldKind::Float { step, .. } => Some(steps(1, step)),
                    FieldKind::Vec2 { step, .. } => Some(steps(2, step)),
                    FieldKind::Vec3 { step, .. } => Some(steps(3, step)),
                    FieldKind::Angle { steps } => Some(Part::Turn { steps: i64::from(steps) }),
                    // Components have no text and no bytes, and a list has its elements.
                    FieldKind::Text { .. } | FieldKind::Bytes { .. } | FieldKind::List { .. } => None,
                })
                .collect(),
        )
    }

    /// Returns whether predicted columns are the server's, give or take one step of what is rounded.
    pub fn holds(&self, mut predicted: &[i64], mut told: &[i64]) -> bool {
        self.0.iter().all(|part| {
            let columns = part.columns();
            let pairs = std::iter::zip(take(&mut predicted, columns), take(&mut told, columns));
            pairs.into_iter().all(|(predicted, told)| {
                let by = predicted.abs_diff(*told);
                match part {
                    Part::Exact => by == 0,
                    Part::Steps { .. } => by <= 1,
                    Part::Turn { steps } => by <= 1 || by == *steps as u64 - 1,
                }
            })
        })
    }

    /// Returns whether values are other ones `after` a correction than `before` it, give or take one step of what is rounded.
    pub fn changed(&self, mut before: &[f64], mut after: &[f64]) -> bool {
        self.0.iter().any(|part| {
            let columns = part.columns();
            let mut pairs = std::iter::zip(take(&mut before, columns), take(&mut after, columns));
            pairs.any(|(before, after)| match part {
                Part::Exact => before != after,
                Part::Steps { step, .. } => (before - after).abs() > *step,
                Part::Turn { steps } => wrapped(before - after).abs() > TAU / *steps as f64,
            })
        })
    }

    /// Writes by how much the picture `before` a correction is ahead of the one `after` it. Nothing is written for what is drawn at once.
    /// Returns whether anything was beyond its distance.
    pub fn error(&self, mut before: &[f64], mut after: &[f64], mut error: &mut [f64]) -> bool {
        let mut is_snapped = false;
        for part in &self.0 {
            let columns = part.columns();
            let (before, after) = (take(&mut before, columns), take(&mut after, columns));
            let (own, rest) = std::mem::take(&mut error).split_at_mut(columns);
            error = rest;
            own.fill(0.0);
            let differences = before.iter().zip(after).map(|(before, after)| before - after);
            match part {
                Part::Exact => {}
                Part::Turn { .. } => own[0] = wrapped(before[0] - after[0]),
                Part::Steps { snap, .. } => {
                    let square: f64 = differences.clone().map(|by| by * by).sum();
                    // A sum that is no number is beyond every distance.
                    if square <= snap * snap {
                        own.iter_mut().zip(differences).for_each(|(own, by)| *own = by);
                    } else {
                        is_snapped = true;
                    }
                }
            }
        }
        is_snapped
    }
}

impl Part {
    fn columns(&self) -> usize {
        match self {
            Self::Exact | Self::Turn { .. } => 1,
            Self::Steps { columns, .. } => *columns,
        }
    }
}

fn take<'a, T>(from: &mut &'a [T], count: usize) -> &'a [T] {
    let (taken, rest) = from.split_at(count);
    *from = rest;
    taken
}

/// Returns the same angle, the short way round.
fn wrapped(angle: f64) -> f64 {
    let turns = (angle + PI) / TAU;
    if turns.is_finite() { angle - turns.floor() * TAU } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Agreement {
        let step = 0.5;
        let fields = [
            FieldKind::Vec2 { step, min: None, max: None },
            FieldKind::Angle { steps: 256 },
            FieldKind::Int { min: 0, max: 255 },
        ];
        Agreement::of(&fields, None)
    }

    #[test]
    fn one_step_is_agreement_and_one_hit_is_not() {
        let body = body();
        assert!(body.holds(&[10, 20, 255, 100], &[11, 19, 0, 100]));
        assert!(!body.holds(&[10, 20, 255, 100], &[12, 20, 255, 100]));
        assert!(!body.holds(&[10, 20, 255, 100], &[10, 20, 1, 100]));
        assert!(!body.holds(&[10, 20, 255, 100], &[10, 20, 255, 99]));
    }

    #[test]
    fn a_correction_of_one_step_changes_nothing() {
        assert!(!body().changed(&[1.0, 2.0, 0.01, 100.0], &[1.5, 1.5, TAU - 0.01, 100.0]));
        assert!(body().changed(&[1.0, 2.0, 0.01, 100.0], &[1.6, 2.0, 0.01, 100.0]));
        assert!(body().changed(&[1.0, 2.0, 0.1, 100.0], &[1.0, 2.0, TAU - 0.1, 100.0]));
        assert!(body().changed(&[1.0, 2.0, 0.1, 100.0], &[1.0, 2.0, 0.1, 99.0]));
    }

    #[test]
    fn a_correction_is_measured_the_short_way_round() {
        let mut error = [9.0; 4];
        assert!(!body().error(&[1.0, 2.0, 0.1, 100.0], &[1.5, 1.0, 6.2, 80.0], &mut error));
        assert_eq!((error[0], error[1], error[3]), (-0.5, 1.0, 0.0));
        assert!((error[2] - (0.1 - 6.2 + TAU)).abs() < 1e-9, "{error:?}");
    }

    #[test]
    fn a_correction_beyond_the_distance_is_drawn_at_once() {
        let mut error = [9.0; 4];
        assert!(body().error(&[0.0, 0.0, 1.0, 0.0], &[32.0, 1.0, 0.5, 0.0], &mut error));
        assert_eq!(error, [0.0, 0.0, 0.5, 0.0]);
        let far = Agreement::of(&[FieldKind::Float { step: 0.5, min: None, max: None }], Some(100.0));
        assert!(!far.error(&[0.0], &[99.0], &mut error) && error[0] == -99.0);
        assert!(far.error(&[f64::NAN], &[99.0], &mut error) && error[0] == 0.0);
    }
}
