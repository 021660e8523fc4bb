//! Making matches: a game's `check` and `build`, which may take as long as they like.
//!
//! They do not keep a worker of the runtime from the connections that it serves. A few run at a time, others wait a little.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{aside::aside, limits::Limits, refusal::Refusal};
use crate::protocol::ErrorCode;

/// The most requests that wait for their turn. Each of them keeps a thread.
const MAX_WAITING: usize = 64;

/// One wait for a turn. After it a request looks whether a match in the making has come to count as stuck.
const WAIT: Duration = Duration::from_millis(100);

/// The most waits of one request.
const MAX_WAITS: u32 = 20;

/// The matches that are being made.
pub(super) struct Builds {
    limits: Limits,
    max_waits: u32,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    running: Vec<Build>,
    waiting: usize,
    newest: u64,
}

struct Build {
    number: u64,
    game: &'static str,
    since: Instant,
}

/// The turn of one match. It ends when this is dropped, also by a panic.
struct Turn<'a> {
    builds: &'a Builds,
    number: u64,
}

impl Builds {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), max_waits: MAX_WAITS, state: Mutex::default(), freed: Condvar::new() }
    }

    /// Calls `make`, which runs code of a game, once it is its turn. On a worker of a runtime, the worker's other tasks go on elsewhere.
    ///
    /// # Errors
    /// `server_full` if too many matches are being made.
    pub(super) fn run<R>(&self, game: &'static str, make: impl FnOnce() -> R) -> Result<R, Refusal> {
        aside(|| {
            let _turn = self.turn(game)?;
            Ok(make())
        })
    }

    /// Counts the matches of a game that have been in the making for too long. They may never be done.
    pub(super) fn stuck(&self, game: &str) -> usize {
        let state = self.state();
        state.running.iter().filter(|build| build.game == game && self.is_stuck(build)).count()
    }

    fn turn(&self, game: &'static str) -> Result<Turn<'_>, Refusal> {
        let mut state = self.state();
        if self.is_full(&state) {
            if state.waiting >= MAX_WAITING {
                return Err(too_many());
            }
            state.waiting += 1;
            for _ in 0..self.max_waits {
                let wait = self.freed.wait_timeout_while(state, WAIT, |state| self.is_full(state));
                state = wait.unwrap_or_else(PoisonError::into_inner).0;
                if !self.is_full(&state) {
                    break;
                }
            }
            state.waiting -= 1;
            if self.is_full(&state) {
                return Err(too_many());
            }
        }
        state.newest += 1;
        let number = state.newest;
        state.running.push(Build { number, game, since: Instant::now() });
        Ok(Turn { builds: self, number })
    }

    fn is_full(&self, state: &State) -> bool {
        state.running.iter().filter(|build| !self.is_stuck(build)).count() >= self.limits.matches_in_the_making.max(1)
    }

    fn is_stuck(&self, build: &Build) -> bool {
        build.since.elapsed() >= self.limits.stuck_after
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.builds.state().running.retain(|build| build.number != self.number);
        self.builds.freed.notify_one();
    }
}

fn too_many() -> Refusal {
    let message = "too many rooms are being opened, and it takes long: try again in a few seconds";
    Refusal::new(ErrorCode::ServerFull, message).retry_after(WAIT * MAX_WAITS)
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    fn builds(change: impl FnOnce(&mut Limits)) -> Builds {
        let mut limits = Limits { matches_in_the_making: 1, ..Limits::default() };
        change(&mut limits);
        Builds { max_waits: u32::MAX, ..Builds::new(&limits) }
    }

    #[test]
    fn matches_are_made_one_after_the_other() {
        let (builds, made) = (builds(|_| {}), Mutex::new(Vec::new()));
        let (began, begins) = mpsc::channel();
        thread::scope(|scope| {
            let (builds, made) = (&builds, &made);
            scope.spawn(move || {
                builds.run("slow", || {
                    began.send(()).unwrap();
                    while builds.state().waiting == 0 {
                        thread::yield_now();
                    }
                    made.lock().unwrap().push("slow");
                })
            });
            begins.recv().unwrap();
            builds.run("quick", || made.lock().unwrap().push("quick")).unwrap();
        });
        assert_eq!(*made.lock().unwrap(), ["slow", "quick"]);
        assert!(builds.state().running.is_empty());
    }

    #[test]
    fn a_match_that_is_never_done_keeps_no_turn_and_counts_as_stuck() {
        let builds = builds(|limits| limits.stuck_after = Duration::ZERO);
        builds
            .run("stuck", || {
                assert_eq!((builds.stuck("stuck"), builds.stuck("other")), (1, 0));
                assert_eq!(builds.run("other", || 5).unwrap(), 5);
            })
            .unwrap();
        assert_eq!(builds.stuck("stuck"), 0);
    }

    #[test]
    fn a_turn_ends_with_a_panic() {
        let builds = builds(|_| {});
        let panicked = thread::scope(|scope| scope.spawn(|| builds.run("broken", || panic!("as the test wished"))).join());
        assert!(panicked.is_err());
        assert!(builds.run("broken", || ()).is_ok());
    }

    #[test]
    fn no_more_than_a_few_wait() {
        let builds = builds(|_| {});
        builds
            .run("slow", || {
                builds.state().waiting = MAX_WAITING;
                assert_eq!(builds.run("other", || ()).unwrap_err().code, ErrorCode::ServerFull);
            })
            .unwrap();
    }
}
