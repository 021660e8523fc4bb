//! The ways into rooms that only a code opens.

use super::{admission::Admission, refusal::Refusal, registry::Host};
use crate::{
    lobby::{Code, Identity, RoomId},
    protocol::ErrorCode,
};

impl Host {
    /// Reserves a seat in the private room with this code.
    ///
    /// # Errors
    /// As for [`join`](Self::join), no room has this code, or the user has typed too many wrong codes.
    pub fn join_private(&self, typed: &str, who: &Identity) -> Result<Admission, Refusal> {
        self.join(&self.room_of_code(typed, who)?, who)
    }

    fn room_of_code(&self, typed: &str, who: &Identity) -> Result<RoomId, Refusal> {
        let unknown = || Refusal::new(ErrorCode::UnknownCode, format!("there is no private room with the code \"{typed}\""));
        self.try_code(who, || {
            let room = Code::parse(typed).and_then(|code| self.services().board.lobby().by_code(&code));
            room.ok_or_else(unknown)
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
