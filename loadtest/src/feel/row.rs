//! The figures of one system on one line, and whether they reach the goals.

use clap::ValueEnum;
use serde::Serialize;

use super::figures::Shares;
use super::game::HZ;
use super::profile::Profile;
use super::recovery::Recovery;
use super::trace::{Run, Told, Trace};

/// The system that plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum System {
    /// Tickcast with prediction.
    Tickcast,
    /// Tickcast without prediction.
    TickcastUnpredicted,
    /// Colyseus with its prediction.
    Colyseus,
}

impl System {
    pub(crate) const ALL: [Self; 3] = [Self::Tickcast, Self::TickcastUnpredicted, Self::Colyseus];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tickcast => "Tickcast",
            Self::TickcastUnpredicted => "Tickcast, no prediction",
            Self::Colyseus => "Colyseus",
        }
    }
}

/// The figures of what a player sees. Times are in milliseconds and distances in units.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Figures {
    /// From a key to the frame in which the own avatar moves.
    pub(crate) input_ms: Option<Shares>,
    /// The same in frames: 1 is the first one after the key.
    pub(crate) input_frames: Option<Shares>,
    /// How old the drawn state of others is.
    pub(crate) age_ms: Option<Shares>,
    /// How far 95% of the predicted states were from the server's at most: in straight play, and in a fight.
    pub(crate) error_straight: Option<f64>,
    pub(crate) error_fight: Option<f64>,
    /// Corrections that a player sees in straight play, and all in a fight, a minute.
    pub(crate) visible_corrections: f64,
    pub(crate) fight_corrections: Option<f64>,
    /// How often the picture of others stops, a minute.
    pub(crate) underruns: f64,
    pub(crate) recovery: Option<Recovery>,
    /// The times between two frames.
    pub(crate) frame_ms: Option<Shares>,
    /// The SDK's figures at the end, by match.
    pub(crate) told: Vec<Told>,
    /// Errors of the browser and of the SDK.
    pub(crate) faults: Vec<String>,
}

impl Figures {
    /// `blackouts` are in the run's time.
    pub(crate) fn of(run: &Run, blackouts: &[(f64, f64)]) -> Self {
        let mut figures = Self { faults: run.complaints.clone(), ..Self::default() };
        for room in &run.rooms {
            figures.faults.extend(room.prediction.faults.iter().cloned());
            figures.told.push(room.prediction.clone());
            match room.fight {
                true => figures.fight(room),
                false => figures.straight(room, blackouts),
            }
        }
        figures
    }

    fn straight(&mut self, room: &Trace, blackouts: &[(f64, f64)]) {
        let answers = room.answers();
        self.input_ms = Shares::of(answers.iter().map(|answer| answer.ms).collect());
        self.input_frames = Shares::of(answers.iter().map(|answer| answer.frames).collect());
        self.age_ms = Shares::of(room.ages().into_iter().map(|(_, age)| age).collect());
        self.error_straight = room.prediction.error.map(|error| error.p95);
        self.visible_corrections = room.corrections().len() as f64 / room.minutes();
        self.underruns = room.underruns() as f64 / room.minutes();
        self.recovery = Recovery::of(room, blackouts);
        self.frame_ms = room.gaps();
    }

    fn fight(&mut self, room: &Trace) {
        self.error_fight = room.prediction.error.map(|error| error.p95);
        self.fight_corrections = room.prediction.corrections.map(|count| count / room.minutes());
    }
}

/// Whether a row reaches the goals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "because")]
pub(crate) enum Verdict {
    /// It has no goals.
    NoGoal,
    Reached,
    /// The machine was too busy to draw, or nothing was measured.
    NotJudged(Vec<String>),
    Missed(Vec<String>),
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) profile: Profile,
    pub(crate) system: System,
    /// The figures, or why there are none.
    pub(crate) figures: Result<Figures, String>,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
}

/// A picture every 60th of a second. A machine that takes longer than this for one in twenty is too busy.
const DRAWN_WITHIN_MS: f64 = 25.0;

/// The goals for Tickcast.
const INPUT_MS: f64 = 34.0;
const STEP: f64 = 1.0 / 32.0;
const FIGHT_ERROR: f64 = 0.25;
const CORRECTIONS: f64 = 1.0;
const IN_STEP_MS: f64 = 500.0;
/// The camera may follow its avatar's own walk beyond the blackout's error, in units.
const WALKED: f64 = 0.3;

impl Row {
    pub(crate) fn new(profile: Profile, system: System, figures: Result<Figures, String>) -> Self {
        let verdict = match (&figures, system) {
            (Err(why), System::Tickcast) => Verdict::NotJudged(vec![why.clone()]),
            (Ok(figures), System::Tickcast) => judge(&profile, figures),
            _ => Verdict::NoGoal,
        };
        Self { profile, system, figures, verdict }
    }
}

fn judge(profile: &Profile, figures: &Figures) -> Verdict {
    let at_most = |name: &str, value: Option<f64>, most: f64| match value {
        Some(value) if value <= most => None,
        Some(value) => Some(format!("{name} is {value:.2}, beyond {most:.2}")),
        None => Some(format!("{name} was not measured")),
    };
    let mut missed: Vec<Option<String>> = figures.faults.iter().cloned().map(Some).collect();
    let name = profile.name.as_str();
    if name != "mobile" {
        missed.push(at_most("input to movement, p95 in ms,", figures.input_ms.map(|shares| shares.p95), INPUT_MS));
    }
    if name == "average" {
        missed.push(at_most("the error in straight play, p95 in units,", figures.error_straight, STEP));
        missed.push(at_most("visible corrections a minute", Some(figures.visible_corrections), CORRECTIONS));
        missed.push(at_most("the error in a fight, p95 in units,", figures.error_fight, FIGHT_ERROR));
        missed.push(at_most("the age of others, p95 in ms,", figures.age_ms.map(|shares| shares.p95), age_goal(profile)));
    }
    if profile.blackout.is_some() {
        let in_step = figures.recovery.map(|recovery| recovery.in_step_ms);
        missed.push(at_most("the time to be in step after a blackout, in ms,", in_step, IN_STEP_MS));
        let jump = figures.recovery.map(|recovery| recovery.jump - recovery.owed);
        missed.push(at_most("the camera's jump beyond the blackout's own, in units,", jump, WALKED));
    }
    let missed: Vec<String> = missed.into_iter().flatten().collect();
    let slow = figures.frame_ms.map_or(f64::INFINITY, |shares| shares.p95);
    match (missed.is_empty(), slow > DRAWN_WITHIN_MS) {
        (true, _) => Verdict::Reached,
        (false, true) => Verdict::NotJudged(vec![format!("one frame in twenty took more than {slow:.0} ms")]),
        (false, false) => Verdict::Missed(missed),
    }
}

/// How old others may be, in milliseconds: one way, a tick, and the jitter of two frames.
pub(crate) fn age_goal(profile: &Profile) -> f64 {
    profile.round_trip_ms / 2.0 + 1000.0 / f64::from(HZ) + 2.0 * profile.jitter_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str) -> Profile {
        name.parse().unwrap()
    }

    fn shares(p95: f64) -> Option<Shares> {
        Some(Shares { p95, ..Shares::default() })
    }

    fn good() -> Figures {
        Figures {
            input_ms: shares(20.0),
            age_ms: shares(100.0),
            error_straight: Some(0.02),
            error_fight: Some(0.2),
            visible_corrections: 0.5,
            recovery: Some(Recovery { in_step_ms: 300.0, jump: 2.1, owed: 2.0 }),
            frame_ms: shares(17.0),
            ..Figures::default()
        }
    }

    fn verdict(name: &str, figures: Figures) -> Verdict {
        Row::new(profile(name), System::Tickcast, Ok(figures)).verdict
    }

    type Change = fn(&mut Figures);

    const MISSES: [(&str, &str, Change); 8] = [
        ("poor", "input to movement", |figures| figures.input_ms = shares(40.0)),
        ("lan", "oops", |figures| figures.faults.push("oops".into())),
        ("average", "straight play", |figures| figures.error_straight = Some(0.04)),
        ("average", "visible", |figures| figures.visible_corrections = 2.0),
        ("average", "fight", |figures| figures.error_fight = Some(0.3)),
        ("average", "age of others", |figures| figures.age_ms = shares(130.0)),
        ("mobile", "in step", |figures| figures.recovery.as_mut().unwrap().in_step_ms = 600.0),
        ("mobile", "jump", |figures| figures.recovery.as_mut().unwrap().jump = 3.0),
    ];

    #[test]
    fn good_figures_reach_the_goals() {
        for profile in Profile::all() {
            assert_eq!(verdict(&profile.name, good()), Verdict::Reached);
        }
    }

    #[test]
    fn each_goal_is_judged() {
        for (name, expected, change) in MISSES {
            let mut figures = good();
            change(&mut figures);
            let Verdict::Missed(missed) = verdict(name, figures) else { panic!("{expected}") };
            assert!(missed.len() == 1 && missed[0].contains(expected), "{expected}: {missed:?}");
        }
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        let none = Figures { age_ms: None, ..good() };
        assert_eq!(verdict("average", none), Verdict::Missed(vec!["the age of others, p95 in ms, was not measured".into()]));
    }

    #[test]
    fn misses_on_a_machine_that_cannot_draw_are_not_judged() {
        for (name, expected, change) in MISSES {
            let mut figures = Figures { frame_ms: shares(60.0), ..good() };
            assert_eq!(verdict(name, figures.clone()), Verdict::Reached);
            change(&mut figures);
            assert!(matches!(verdict(name, figures), Verdict::NotJudged(_)), "{expected}");
        }
    }

    #[test]
    fn only_tickcast_with_prediction_has_goals() {
        let unpredicted = Row::new(profile("poor"), System::TickcastUnpredicted, Ok(Figures::default()));
        assert_eq!(unpredicted.verdict, Verdict::NoGoal);
        let failed = Row::new(profile("poor"), System::Tickcast, Err("no Node".into()));
        assert_eq!(failed.verdict, Verdict::NotJudged(vec!["no Node".into()]));
        assert!(Verdict::NoGoal < Verdict::Reached && Verdict::NotJudged(vec![]) < Verdict::Missed(vec![]));
    }

    #[test]
    fn the_goal_for_others_depends_on_the_line() {
        assert!((age_goal(&profile("average")) - 113.3).abs() < 0.1);
    }
}
