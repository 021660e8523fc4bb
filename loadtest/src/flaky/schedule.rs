//! The deaths of a client's lines: at which steps they come, and what they look like. A seed and a client's number give the same
//! deaths each time.

use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

/// The probability that a line dies at a step.
const AT_A_STEP: f64 = 0.35;

/// The longest time from a request to the death after it, so that the answer comes through sometimes.
const LONGEST_DELAY: Duration = Duration::from_millis(40);

/// A step on the way into a match and out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// The handshake of the first connection.
    Handshake,
    /// Entering `/lobby` for the first time, as a new guest.
    Lobby,
    /// The request `enqueue`.
    Queue,
    /// The event `ready_check`.
    Ready,
    /// The request `accept`.
    Accept,
    /// The event `matched`.
    Matched,
    /// Entering `/gameplay` with a ticket.
    Join,
    /// The time in the seat. The death before it comes between `welcome` and the first input.
    Play,
    /// Entering `/gameplay` with a resume token.
    Resume,
    /// The request `leave`.
    Leave,
}

impl Step {
    pub(crate) const ALL: [Self; 10] = [
        Self::Handshake,
        Self::Lobby,
        Self::Queue,
        Self::Ready,
        Self::Accept,
        Self::Matched,
        Self::Join,
        Self::Play,
        Self::Resume,
        Self::Leave,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Lobby => "lobby",
            Self::Queue => "queue",
            Self::Ready => "ready",
            Self::Accept => "accept",
            Self::Matched => "matched",
            Self::Join => "join",
            Self::Play => "play",
            Self::Resume => "resume",
            Self::Leave => "leave",
        }
    }
}

/// The moment of a death, as seen from its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// The request does not reach the server, or the event does not reach the client.
    Before,
    /// The request reaches the server, and the answer is mostly lost; or the client has the event.
    After,
}

/// The way in which a line dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Nothing moves any more, and both sockets stay open.
    HalfOpen,
    /// Both ends get a reset.
    Reset,
    /// The bytes to the server vanish.
    SwallowedToServer,
    /// The bytes to the client vanish.
    SwallowedToClient,
    /// Both ends are closed.
    Closed,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::HalfOpen, Self::Reset, Self::SwallowedToServer, Self::SwallowedToClient, Self::Closed];
}

/// The death of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Death {
    pub(crate) step: Step,
    pub(crate) moment: Moment,
    pub(crate) kind: Kind,
    /// The time from the moment to the death.
    pub(crate) delay: Duration,
}

/// The deaths that are still to come for one client, at most one for each step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule(Vec<Death>);

impl Schedule {
    /// Draws the deaths of a client that plays for `play`.
    pub(crate) fn draw(seed: u64, client: usize, play: Duration) -> Self {
        // Both numbers count: the streams of neighbours have nothing in common.
        let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(client as u64));
        Self(Step::ALL.into_iter().filter_map(|step| Self::draw_step(&mut rng, step, play)).collect())
    }

    /// Takes the same amount of random numbers for each step, so that a step has its death whatever happens at the others.
    fn draw_step(rng: &mut ChaCha8Rng, step: Step, play: Duration) -> Option<Death> {
        let (dies, before) = (rng.random_bool(AT_A_STEP), rng.random_bool(0.5));
        let kind = Kind::ALL[rng.random_range(0..Kind::ALL.len())];
        let (is_late, part) = (rng.random_bool(0.5), rng.random::<f64>());
        let moment = if before { Moment::Before } else { Moment::After };
        let delay = match (step, moment) {
            (_, Moment::Before) => Duration::ZERO,
            (Step::Play, Moment::After) => play.mul_f64(part),
            _ if is_late => LONGEST_DELAY.mul_f64(part),
            _ => Duration::ZERO,
        };
        dies.then_some(Death { step, moment, kind, delay })
    }

    /// Takes the death at this step and moment, if one is still to come.
    pub(crate) fn take(&mut self, step: Step, moment: Moment) -> Option<Death> {
        let at = self.0.iter().position(|death| (death.step, death.moment) == (step, moment))?;
        Some(self.0.remove(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAY: Duration = Duration::from_secs(3);

    #[test]
    fn a_seed_and_a_client_give_the_same_deaths() {
        for client in 0..50 {
            assert_eq!(Schedule::draw(7, client, PLAY), Schedule::draw(7, client, PLAY));
        }
        assert_ne!(Schedule::draw(7, 0, PLAY), Schedule::draw(8, 0, PLAY));
        assert_ne!(Schedule::draw(7, 0, PLAY), Schedule::draw(7, 1, PLAY));
    }

    #[test]
    fn every_step_has_every_kind_of_death_at_both_moments() {
        let all: Vec<_> = (0..1000).flat_map(|client| Schedule::draw(1, client, PLAY).0).collect();
        for step in Step::ALL {
            for (moment, kind) in [Moment::Before, Moment::After].into_iter().flat_map(|m| Kind::ALL.map(|kind| (m, kind))) {
                let deaths = all.iter().filter(|death| (death.step, death.moment, death.kind) == (step, moment, kind)).count();
                assert!((10..80).contains(&deaths), "{deaths} of 1000 clients die by {kind:?} {moment:?} {step:?}");
            }
        }
        assert!(all.iter().all(|death| death.moment == Moment::After || death.delay.is_zero()));
        assert!(all.iter().all(|death| death.delay <= if death.step == Step::Play { PLAY } else { LONGEST_DELAY }));
    }

    #[test]
    fn each_death_comes_once() {
        let mut schedules = (0..100).map(|client| Schedule::draw(1, client, PLAY));
        let mut schedule = schedules.find(|schedule| !schedule.0.is_empty()).unwrap();
        let death = schedule.0[0];
        assert_eq!(schedule.take(death.step, death.moment), Some(death));
        assert_eq!(schedule.take(death.step, death.moment), None);
    }
}
