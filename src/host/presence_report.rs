//! Tells the lobby who plays in a room, and who may come back.

use std::sync::{Arc, Mutex, PoisonError};

use super::{hub::Hub, stay::Stay};
use crate::lobby::{Identity, RoomId, Sitting};

pub(super) struct PresenceReport {
    hub: Arc<Hub>,
    /// The people that the hub was told of last.
    told: Mutex<Vec<Seated>>,
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
    pub(super) fn tell<'a>(&self, room: &RoomId, stays: impl Iterator<Item = &'a Stay> + Clone) {
        let seated = stays.filter_map(|stay| Some((stay, stay.sitting()?)));
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let known = told.iter().map(|seated| (seated.stay, seated.sitting));
        if known.eq(seated.clone().map(|(stay, sitting)| (stay.id, sitting))) {
            return;
        }
        let mut now: Vec<_> = seated.map(|(stay, sitting)| Seated { stay: stay.id, who: stay.who.clone(), sitting }).collect();
        let before = std::mem::take(&mut *told);
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
}
