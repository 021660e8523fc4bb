//! The systems of a match, in the order in which they run.
//!
//! A schedule finds that order once. After that, its graph and a resource that it leaves in its world would only take memory of each
//! match, so the order is found with another world, and kept alone.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use bevy_ecs::{
    error::ErrorHandler,
    prelude::*,
    schedule::{FixedBitSet, ScheduleBuildError, SingleThreadedExecutor, SystemExecutor, SystemSchedule},
};

/// The systems of a match.
pub(crate) struct Systems {
    ordered: SystemSchedule,
    executor: SingleThreadedExecutor,
    /// The world's handler of errors. It does not change, and a look-up in each tick would take memory that nothing else needs.
    fails: ErrorHandler,
}

/// An executor that runs nothing, and keeps the systems.
struct Keeper(Arc<Mutex<SystemSchedule>>);

impl Systems {
    /// Initialises the systems of a schedule for a world, and orders them. `look` sees the schedule with its systems in their order.
    ///
    /// # Errors
    /// Says why there is no order.
    pub(crate) fn order(mut schedule: Schedule, world: &mut World, look: impl FnOnce(&Schedule)) -> Result<Self, String> {
        schedule.graph_mut().initialize(world);
        let kept = Arc::new(Mutex::new(SystemSchedule::new()));
        schedule.set_executor(Keeper(kept.clone()));
        let mut elsewhere = World::new();
        let built = schedule.initialize(&mut elsewhere).map(drop);
        built.map_err(|error: ScheduleBuildError| error.to_string(schedule.graph(), world))?;
        look(&schedule);
        schedule.run(&mut elsewhere);
        let ordered = mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
        let mut executor = SingleThreadedExecutor::new();
        executor.init(&ordered);
        Ok(Self { ordered, executor, fails: world.fallback_error_handler() })
    }

    /// Runs each system once.
    pub(super) fn run(&mut self, world: &mut World) {
        world.check_change_ticks();
        self.executor.run(&mut self.ordered, world, None, self.fails);
    }
}

impl SystemExecutor for Keeper {
    fn init(&mut self, _: &SystemSchedule) {}

    fn run(&mut self, systems: &mut SystemSchedule, _: &mut World, _: Option<&FixedBitSet>, _: ErrorHandler) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = mem::take(systems);
    }

    fn set_apply_final_deferred(&mut self, _: bool) {}
}

#[cfg(test)]
mod tests {
    use bevy_ecs::schedule::Schedules;

    use super::*;

    #[derive(Resource, Default)]
    struct Seen(Vec<u8>);

    fn spawn(mut seen: ResMut<Seen>, mut commands: Commands) {
        seen.0.push(1);
        commands.spawn_empty();
    }

    fn count(mut seen: ResMut<Seen>, entities: Query<Entity>) {
        seen.0.push(entities.iter().count() as u8 + 10);
    }

    #[test]
    fn systems_run_in_their_order_and_leave_no_schedules() {
        let (mut schedule, mut world) = (Schedule::default(), World::new());
        world.init_resource::<Seen>();
        let others = world.query::<Entity>().iter(&world).count() as u8 + 10;
        schedule.add_systems((spawn, count).chain());
        let mut systems = Systems::order(schedule, &mut world, |_| ()).unwrap();
        systems.run(&mut world);
        systems.run(&mut world);
        assert_eq!(world.resource::<Seen>().0, [1, others + 1, 1, others + 2]);
        assert!(!world.contains_resource::<Schedules>());
    }
}
