//! The players who took part in a match, for its result.

use super::{
    record::{self, Player},
    stay::{Attendance, Stays},
};
use crate::{
    lobby::{Identity, UserId},
    protocol::Seat,
};

/// The most players who left that are remembered, the newest ones. Without a limit an endless room would collect them for ever.
const MAX_GONE: usize = 64;

/// The result of a match that its rules ended.
pub(super) struct Played {
    pub(super) began: u64,
    pub(super) ended: u64,
    pub(super) winners: Vec<Seat>,
    pub(super) players: Vec<Player>,
}

/// The players who entered a room.
#[derive(Default)]
pub(super) struct Attendees {
    /// Players who entered and left.
    gone: Vec<Player>,
    /// When the first player entered, in milliseconds since 1970.
    began: Option<u64>,
}

impl Attendees {
    /// Notes that a player enters.
    pub(super) fn enter(&mut self) {
        self.began.get_or_insert_with(record::now);
    }

    /// Notes that a player who has entered leaves.
    pub(super) fn leave(&mut self, seat: Seat, who: &Identity) {
        if self.gone.len() == MAX_GONE {
            self.gone.remove(0);
        }
        self.gone.push(Player::new(seat, who));
    }

    /// Returns whether a user has entered and left.
    pub(super) fn has_left(&self, user: &UserId) -> bool {
        self.gone.iter().any(|player| player.user == *user)
    }

    /// Makes the result of a match that ends now.
    pub(super) fn played(&mut self, stays: &Stays, winners: &[Seat]) -> Played {
        let ended = record::now();
        let seated = stays.seated().filter(|(_, stay)| !matches!(stay.attendance, Attendance::Reserved));
        let mut players: Vec<Player> = seated
            .map(|(seat, stay)| Player { won: winners.contains(&seat), stayed: true, ..Player::new(seat, &stay.who) })
            .collect();
        for player in self.gone.drain(..).rev() {
            if players.iter().all(|other| other.user != player.user) {
                players.push(player);
            }
        }
        players.sort_by_key(|player| (player.seat, !player.stayed));
        Played { began: self.began.unwrap_or(ended), ended, winners: winners.to_vec(), players }
    }
}
