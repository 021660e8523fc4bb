//! The tick driver, one task for each room.

use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use super::{running::Running, schedule::Schedule, seating::Activity};

/// The most steps that a room which fell behind takes at once. Further missing steps are dropped.
const MAX_STEPS: u32 = 4;

/// Steps a room while anybody plays in it. Returns when the room has closed.
pub(super) async fn drive(running: Arc<Running>) {
    loop {
        match running.upkeep(Instant::now()) {
            Activity::Playing => {
                play(&running).await;
                running.stop();
            }
            Activity::Waiting(until) => {
                tokio::select! {
                    () = running.wake.notified() => {}
                    () = sleep_until(until) => {}
                }
            }
            Activity::Closed => return,
        }
    }
}

async fn play(running: &Running) {
    let now = Instant::now();
    let mut schedule = Schedule::new(running.next_phase(now), running.def.hz());
    running.go(now);
    loop {
        sleep_until(schedule.next()).await;
        let due = schedule.due(Instant::now(), MAX_STEPS);
        if due.steps == 0 {
            continue;
        }
        running.meters.tick_lateness.record(due.late);
        if due.dropped > 0 {
            running.meters.ticks_dropped.increment(due.dropped);
            tracing::debug!(room = %running.id, dropped = due.dropped, "the room fell too far behind, steps were dropped");
        }
        for _ in 0..due.steps {
            running.step(due.at);
        }
        if running.upkeep_in_play(Instant::now()) != Activity::Playing {
            return;
        }
    }
}
