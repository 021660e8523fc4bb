//! Calls into the rules of a game, which may panic: a panic ends the room, not the process.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::refusal::Refusal;
use crate::{
    observe::GameMeters,
    room::{Room, RoomError},
};

/// Calls `act` and turns a panic into a refusal, which it logs.
pub(super) fn guarded<R>(room: Option<&mut Room>, meters: &GameMeters, act: impl FnOnce(&mut Room) -> R) -> Result<R, Refusal> {
    let room = room.ok_or_else(|| Refusal::from(RoomError::Over))?;
    catch_unwind(AssertUnwindSafe(|| act(room))).map_err(|panic| {
        tracing::error!(
            game = room.def().name(),
            tick = room.current_tick().0,
            panic = panic_text(&*panic),
            "the rules panicked"
        );
        meters.rules_panics.increment(1);
        Refusal::rules_panicked()
    })
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
