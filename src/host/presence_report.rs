//! Tells the lobby who plays in a room, and who may come back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    hub::Hub,
    stay::{Stay, Stays},
};
use crate::lobby::{Identity, RoomId, Sitting};

pub(super) struct PresenceReport {
    hub: Arc<Hub>,
    told: Mutex<Told>,
}

/// The last report to the hub.
#[derive(Default)]
struct Told {
    people: Vec<Seated>,
    /// The number of the stays' newest change by then.
    changes: u32,
}

struct Seated {
    stay: u128,
    who: Identity,
    sitting: Sitting,
}

impl PresenceReport {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self { hub, told: Mutex::default() }
    }

    /// Tells the hub what changed since the last call. Called after each step, which rarely changes anything.
    pub(super) fn tell(&self, room: &RoomId, stays: &Stays) {
        let mut told = self.told();
        if told.changes != stays.changes() {
            told.changes = stays.changes();
            self.update(&mut told.people, room, stays.iter());
        }
    }

    /// Tells the hub that nobody plays in the room any more.
    pub(super) fn tell_empty(&self, room: &RoomId) {
        self.update(&mut self.told().people, room, std::iter::empty());
    }

    fn update<'a>(&self, told: &mut Vec<Seated>, room: &RoomId, stays: impl Iterator<Item = &'a Stay> + Clone) {
        let seated = stays.filter_map(|stay| Some((stay, stay.sitting()?)));
        let known = told.iter().map(|seated| (seated.stay, seated.sitting));
        if known.eq(seated.clone().map(|(stay, sitting)| (stay.id, sitting))) {
            return;
        }
        let mut now: Vec<_> = seated.map(|(stay, sitting)| Seated { stay: stay.id, who: stay.who.clone(), sitting }).collect();
        let before = std::mem::take(told);
        self.hub.change(|social, time| {
            for gone in before.iter().filter(|gone| now.iter().all(|seated| seated.who.user != gone.who.user)) {
                social.unseat(&gone.who.user, room, time);
            }
            for new in &now {
                if !before.iter().any(|known| (known.stay, known.sitting) == (new.stay, new.sitting)) {
                    social.sit(&new.who, room, new.sitting);
                }
            }
        });
        now.shrink_to_fit();
        *told = now;
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
