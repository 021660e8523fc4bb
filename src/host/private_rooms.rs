//! The ways into rooms that only a code opens.

use std::sync::PoisonError;

use super::{admission::Admission, opener::RoomOptions, refusal::Refusal, registry::Host};
use crate::{
    lobby::{ClosedRoom, Code, Entrance, Identity, RoomId},
    protocol::ErrorCode,
};

impl Host {
    /// Reserves a seat in the private room with this code. If that room has closed, opens another with the same game, configuration
    /// and code, as [`create`](Self::create) does: so friends who play again meet there. Users who were removed from that room stay so.
    ///
    /// # Errors
    /// As for [`join`](Self::join) or [`create`](Self::create), no room has this code, or the user has typed too many wrong codes.
    pub fn join_private(&self, typed: &str, who: &Identity) -> Result<Admission, Refusal> {
        let found = self.try_code(who, || {
            let code = Code::parse(typed).ok_or_else(|| unknown_code(typed))?;
            let lobby = self.services().board.lobby();
            match (lobby.by_code(&code), lobby.closed(&code)) {
                (Some(room), _) => Ok(Err(room)),
                (None, Some(closed)) => Ok(Ok(closed.clone())),
                (None, None) => Err(unknown_code(typed)),
            }
        })?;
        match found {
            Ok(closed) => self.reopen(closed, who),
            Err(room) => self.join(&room, who),
        }
    }

    fn reopen(&self, closed: ClosedRoom, who: &Identity) -> Result<Admission, Refusal> {
        if closed.removed.contains(&who.user) {
            return Err(Refusal::banned());
        }
        let opener = self.opener(who)?;
        let room = self.make(closed.game, Some(&closed.config))?;
        // If two friends play again at the same time, one opens the room and the other joins it.
        let one_by_one = self.services().reopening.lock().unwrap_or_else(PoisonError::into_inner);
        let (opened, newest) = {
            let lobby = self.services().board.lobby();
            (lobby.by_code(&closed.code), lobby.closed(&closed.code).cloned())
        };
        if let Some(opened) = opened {
            drop(one_by_one);
            return self.join(&opened, who);
        }
        // It may have been open in the meantime, and others removed from it.
        let closed = newest.unwrap_or(closed);
        let (entrance, strength) = (Entrance::Code, closed.strength);
        let options = RoomOptions { entrance, strength, reopens: Some(closed), ..RoomOptions::default() };
        self.open_for(room, &options, opener, who)
    }

    fn room_of_code(&self, typed: &str, who: &Identity) -> Result<RoomId, Refusal> {
        self.try_code(who, || {
            let room = Code::parse(typed).and_then(|code| self.services().board.lobby().by_code(&code));
            room.ok_or_else(|| unknown_code(typed))
        })
    }

    /// Tries a secret code that a user has typed. A user who was wrong too often must pause, longer each time; the guests of one
    /// address count together.
    ///
    /// # Errors
    /// That of `attempt`, or `rate_limited` during the pause.
    pub fn try_code<R, E: Into<Refusal>>(&self, who: &Identity, attempt: impl FnOnce() -> Result<R, E>) -> Result<R, Refusal> {
        self.services().codes.with(who, attempt)
    }

    /// Gives out a ticket to spectate in the private room with this code.
    ///
    /// # Errors
    /// As for [`spectate`](Self::spectate), or no room has this code.
    pub fn spectate_private(&self, typed: &str, who: &Identity) -> Result<Admission, Refusal> {
        self.spectate(&self.room_of_code(typed, who)?, who)
    }
}

fn unknown_code(typed: &str) -> Refusal {
    Refusal::new(ErrorCode::UnknownCode, format!("there is no private room with the code \"{typed}\""))
}
