//! The commands that seats send.

use super::Room;
use crate::protocol::{ErrorCode, Seat, decode_command};

impl Room {
    /// Takes the bytes that a seat sent as event `c`. The command acts in the next step. One that came before is not taken again.
    ///
    /// # Errors
    /// The code of the fault: no command of the schema, or more than a seat may send.
    pub fn command(&mut self, seat: Seat, bytes: &[u8]) -> Result<(), ErrorCode> {
        let (now, hz) = (self.sim.tick(), u32::from(self.def.hz()));
        let occupant = self.seats.get_mut(seat).ok_or(ErrorCode::ResumeExpired)?;
        let command = decode_command(self.def.schema(), bytes).map_err(|_| ErrorCode::BadCommand)?;
        if command.number <= self.sim.newest_command(seat) {
            return Ok(());
        }
        if !occupant.delivery.spend_command(bytes.len(), hz) {
            return Err(ErrorCode::RateLimited);
        }
        occupant.active_at = now;
        self.sim.commands().offer(seat, command);
        Ok(())
    }

    /// Returns the number of the newest command that was taken from a seat; 0 before the first.
    pub fn newest_command(&self, seat: Seat) -> u32 {
        self.sim.newest_command(seat)
    }
}
