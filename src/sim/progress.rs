//! The progress of a step: the match writes which system runs, and a host reads it when a step takes too long.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use bevy_ecs::{
    prelude::*,
    schedule::{Chain, ScheduleConfigs},
    system::{ScheduleSystem, System},
};

/// The name of the systems that note where a step is.
const MARK: &str = "tickcast::mark";

/// The parts of a step that are no systems of the rules. The numbers of systems begin behind them.
const PARTS: [&str; 5] = ["", "on_join or on_leave", "the bots", "finish_when", "the frames for the clients"];

/// A part of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part(usize);

/// The part of its step that a match is in.
#[derive(Debug, Default)]
pub struct Progress {
    part: AtomicUsize,
    systems: OnceLock<Vec<String>>,
}

impl Part {
    /// No step is going on.
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const SEATS: Self = Self(1);
    pub(crate) const BOTS: Self = Self(2);
    pub(crate) const FINISH: Self = Self(3);
    pub(crate) const FRAMES: Self = Self(4);
}

impl Progress {
    pub(crate) fn enter(&self, part: Part) {
        self.part.store(part.0, Ordering::Relaxed);
    }

    /// Returns the part that the match is in now.
    pub fn part(&self) -> Part {
        Part(self.part.load(Ordering::Relaxed))
    }

    /// Returns the name of a part: that of the system, if it is one. `None` if no step was going on.
    pub fn name(&self, part: Part) -> Option<&str> {
        let names = self.systems.get().into_iter().flatten().map(String::as_str);
        PARTS.into_iter().chain(names).nth(part.0).filter(|name| !name.is_empty())
    }

    /// Puts a mark before each of these systems. `marks` counts the marks. Systems that are not ordered among themselves have one mark.
    pub(crate) fn mark(
        self: &Arc<Self>, systems: ScheduleConfigs<ScheduleSystem>, marks: &mut usize,
    ) -> ScheduleConfigs<ScheduleSystem> {
        match systems {
            ScheduleConfigs::Configs { configs, collective_conditions, metadata: metadata @ Chain::Chained(_) } => {
                let configs = configs.into_iter().map(|system| self.mark(system, marks)).collect();
                ScheduleConfigs::Configs { configs, collective_conditions, metadata }
            }
            systems => {
                let (progress, part) = (self.clone(), Part(PARTS.len() + *marks));
                *marks += 1;
                (named(MARK, move || progress.enter(part)), systems).chain()
            }
        }
    }

    /// Takes the names of the systems from a schedule that has been initialised.
    pub(crate) fn name_systems(&self, schedule: &Schedule) {
        let mut names: Vec<String> = Vec::new();
        for (_, system) in schedule.systems().into_iter().flatten() {
            let name = system.name().to_string();
            match names.last_mut() {
                _ if name == MARK => names.push(String::new()),
                Some(last) if system.system_type() != ApplyDeferred.system_type() => {
                    if !last.is_empty() {
                        last.push_str(" or ");
                    }
                    last.push_str(&name);
                }
                _ => {}
            }
        }
        // The first names stay.
        let _ = self.systems.set(names);
    }
}

/// Makes a system with a name of its own.
fn named(name: &'static str, mark: impl Fn() + Send + Sync + 'static) -> ScheduleSystem {
    Box::new(IntoSystem::into_system(mark).with_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts that systems saw themselves in.
    #[derive(Resource)]
    struct Seen(Arc<Progress>, Vec<String>);

    impl Seen {
        fn look(&mut self) {
            let name = self.0.name(self.0.part()).unwrap_or_default();
            self.1.push(name.rsplit("::").next().unwrap_or_default().to_owned());
        }
    }

    fn walk(mut seen: ResMut<Seen>, mut commands: Commands) {
        seen.look();
        commands.spawn_empty();
    }

    fn shoot(mut seen: ResMut<Seen>) {
        seen.look();
    }

    fn tidy(mut seen: ResMut<Seen>) {
        seen.look();
    }

    #[test]
    fn each_system_is_found_by_its_name() {
        let progress = Arc::<Progress>::default();
        let (mut world, mut schedule, mut marks) = (World::new(), Schedule::default(), 0);
        schedule.add_systems(progress.mark((walk, (shoot, tidy).chain(), walk).chain(), &mut marks));
        schedule.initialize(&mut world).unwrap();
        progress.name_systems(&schedule);
        world.insert_resource(Seen(progress.clone(), Vec::new()));
        schedule.run(&mut world);
        assert_eq!(world.resource::<Seen>().1, ["walk", "shoot", "tidy", "walk"]);
        assert_eq!(progress.name(Part::BOTS), Some("the bots"));
        progress.enter(Part::NONE);
        assert_eq!(progress.name(progress.part()), None);
    }

    #[test]
    fn systems_without_an_order_are_named_together() {
        let progress = Arc::<Progress>::default();
        let (mut world, mut schedule) = (World::new(), Schedule::default());
        schedule.add_systems(progress.mark((shoot, tidy).into_configs(), &mut 0));
        schedule.initialize(&mut world).unwrap();
        progress.name_systems(&schedule);
        let name = progress.name(Part(PARTS.len())).unwrap();
        assert!(name.contains("shoot") && name.contains(" or ") && name.contains("tidy"), "{name}");
    }
}
