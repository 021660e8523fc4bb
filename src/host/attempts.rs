//! Guesses at secret codes: whoever is wrong too often must pause, longer each time.

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{limits::Limits, refusal::Refusal};
use crate::{
    lobby::{Identity, UserId},
    matchmaking::Pauses,
    protocol::ErrorCode,
};

pub(super) struct Attempts {
    epoch: Instant,
    pauses: Mutex<ByOwner>,
}

/// A person has a record of their own, and so have all guests of an address together.
struct ByOwner {
    people: Pauses<UserId>,
    addresses: Pauses<IpAddr>,
}

impl Attempts {
    pub(super) fn new(limits: &Limits) -> Self {
        let rule = limits.wrong_code_pauses();
        let pauses = ByOwner { people: Pauses::new(rule), addresses: Pauses::new(rule) };
        Self { epoch: Instant::now(), pauses: Mutex::new(pauses) }
    }

    /// Calls `attempt`, unless the person must pause. An unknown code is held against them.
    pub(super) fn with<R, E: Into<Refusal>>(&self, who: &Identity, attempt: impl FnOnce() -> Result<R, E>) -> Result<R, Refusal> {
        let address = who.shared_address();
        if let Some(left) = self.locked(|pauses, now| {
            let by_address = address.and_then(|address| pauses.addresses.left(&address, now));
            pauses.people.left(&who.user, now).max(by_address)
        }) {
            let message = format!("too many wrong codes: try again in {} s", left.as_secs_f64().ceil());
            return Err(Refusal::new(ErrorCode::RateLimited, message).retry_after(left));
        }
        // Not under the lock, because `attempt` takes locks of its own.
        attempt().map_err(Into::into).inspect_err(|refusal: &Refusal| {
            if refusal.code == ErrorCode::UnknownCode {
                self.locked(|pauses, now| {
                    pauses.people.add(&who.user, now);
                    address.iter().for_each(|address| pauses.addresses.add(address, now));
                });
            }
        })
    }

    fn locked<R>(&self, act: impl FnOnce(&mut ByOwner, Duration) -> R) -> R {
        let now = self.epoch.elapsed();
        act(&mut self.pauses.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn guess(attempts: &Attempts, who: &Identity, right: bool) -> Result<(), ErrorCode> {
        let unknown = || Refusal::new(ErrorCode::UnknownCode, "wrong");
        attempts.with(who, || if right { Ok(()) } else { Err(unknown()) }).map_err(|refusal| refusal.code)
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_guesses_codes_must_pause_longer_each_time() {
        let attempts = Attempts::new(&Limits::default());
        let ada = Identity::guest(None, &mut rand::rng());
        for _ in 0..6 {
            assert_eq!(guess(&attempts, &ada, false), Err(ErrorCode::UnknownCode));
        }
        assert_eq!(guess(&attempts, &ada, true), Err(ErrorCode::RateLimited), "the right code is not tried either");
        assert_eq!(guess(&attempts, &Identity::guest(None, &mut rand::rng()), true), Ok(()));
        advance(Duration::from_secs(2)).await;
        assert_eq!(guess(&attempts, &ada, true), Ok(()));
        assert_eq!(guess(&attempts, &ada, false), Err(ErrorCode::UnknownCode));
        advance(Duration::from_secs(2)).await;
        assert_eq!(guess(&attempts, &ada, true), Err(ErrorCode::RateLimited), "the second pause is twice as long");
    }

    #[tokio::test(start_paused = true)]
    async fn new_guests_of_one_address_guess_no_more_than_one() {
        let attempts = Attempts::new(&Limits::default());
        let guest = || Identity::guest(None, &mut rand::rng()).from_address(Some([9, 9, 9, 9].into()));
        let wrong = (0..100).filter(|_| guess(&attempts, &guest(), false) == Err(ErrorCode::UnknownCode)).count();
        assert_eq!(wrong, 6);
    }
}
