//! Tickets and resume tokens: JSON Web Tokens, signed with a random key that this process keeps in memory.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    identity::{SigningKey, unix_seconds},
    lobby::RoomId,
    protocol::Seat,
};

/// The purpose of a pass. A ticket cannot be used as a resume token, nor the reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Purpose {
    Ticket,
    Resume,
}

/// The claims of a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pass {
    pub(super) purpose: Purpose,
    pub(super) room: String,
    pub(super) seat: u8,
    /// Distinguishes one person's stay in the seat from the next one's.
    pub(super) stay: String,
    /// 128 random bits, new for each ticket, and for the resume token of each welcome.
    pub(super) jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exp: Option<u64>,
}

/// A reserved seat, as its ticket names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) seat: Seat,
    pub(super) stay: u128,
    pub(super) ticket: u128,
}

/// The key that signs this process's passes.
pub(super) struct Keys(SigningKey);

impl Keys {
    pub(super) fn random() -> Self {
        Self(SigningKey::new(&rand::random()))
    }

    pub(super) fn ticket(&self, room: &RoomId, grant: Grant, life: Duration) -> String {
        let exp = Some(unix_seconds() + life.as_secs());
        let Grant { seat, stay, ticket } = grant;
        self.0.sign(&Pass {
            purpose: Purpose::Ticket,
            room: room.to_string(),
            seat: seat.0,
            stay: hex(stay),
            jti: hex(ticket),
            exp,
        })
    }

    pub(super) fn resume(&self, room: &RoomId, seat: Seat, stay: u128, newest: u128) -> String {
        self.0.sign(&Pass {
            purpose: Purpose::Resume,
            room: room.to_string(),
            seat: seat.0,
            stay: hex(stay),
            jti: hex(newest),
            exp: None,
        })
    }

    /// Returns the claims of a pass, if this process signed it for that purpose. The room judges expiry, by its own record of the
    /// ticket and its own clock.
    pub(super) fn verify(&self, purpose: Purpose, token: &str) -> Option<Pass> {
        self.0.verify(token).filter(|pass: &Pass| pass.purpose == purpose)
    }
}

/// Writes a random number as a pass carries it.
pub(super) fn hex(number: u128) -> String {
    format!("{number:032x}")
}

/// Checks that a pass is taken only if it was signed, with bytes that come from anywhere. The first says whether the others are the
/// pass, or replace a part of a true one, which begins at the second.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn check(bytes: &[u8]) {
    let Some((&[how, at], text)) = bytes.split_first_chunk() else { return };
    let (keys, room) = (Keys(SigningKey::new(&[7; 32])), RoomId::named("abc"));
    let ticket = keys.ticket(&room, Grant { seat: Seat(2), stay: 7, ticket: 9 }, Duration::from_secs(30));
    let resume = keys.resume(&room, Seat(2), 7, 8);
    for (purpose, token) in [(Purpose::Ticket, ticket), (Purpose::Resume, resume)] {
        let signed = keys.verify(purpose, &token);
        assert!(signed.is_some(), "a true pass is not taken");
        let mut changed = if how % 2 == 0 { Vec::new() } else { token.clone().into_bytes() };
        let at = usize::from(at).min(changed.len());
        let end = (at + text.len()).min(changed.len());
        changed.splice(at..end, text.iter().copied());
        let changed = String::from_utf8_lossy(&changed);
        for asked in [Purpose::Ticket, Purpose::Resume] {
            let taken = keys.verify(asked, &changed);
            assert!(taken.is_none() || asked == purpose && taken == signed, "{changed} is taken as {taken:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(30);

    #[test]
    fn a_pass_is_good_for_its_purpose_and_its_process() {
        let (keys, others) = (Keys::random(), Keys::random());
        let room = RoomId::named("abc");
        let ticket = keys.ticket(&room, Grant { seat: Seat(2), stay: 7, ticket: 9 }, LIFE);
        let pass = keys.verify(Purpose::Ticket, &ticket).unwrap();
        assert_eq!((pass.room.as_str(), pass.seat, pass.stay, pass.jti), ("abc", 2, hex(7), hex(9)));
        assert_eq!(keys.verify(Purpose::Resume, &ticket), None);
        assert_eq!(others.verify(Purpose::Ticket, &ticket), None);
        let resume = keys.resume(&room, Seat(2), 7, 8);
        assert_eq!(keys.verify(Purpose::Resume, &resume).unwrap().jti, hex(8));
    }

    #[test]
    fn no_other_algorithm_is_taken() {
        // {"alg":"none","typ":"JWT"} with an empty signature over valid claims.
        let keys = Keys::random();
        let ticket = keys.ticket(&RoomId::named("abc"), Grant { seat: Seat(1), stay: 1, ticket: 2 }, LIFE);
        let claims = ticket.split('.').nth(1).unwrap();
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
        assert_eq!(keys.verify(Purpose::Ticket, &unsigned), None);
        for garbage in ["", ".", "..", "a.b.c", "é"] {
            assert_eq!(keys.verify(Purpose::Ticket, garbage), None, "{garbage:?}");
        }
    }
}
