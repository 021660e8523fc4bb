//! Properties that hold for any mode and any sequence of requests.

use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Debug, Clone)]
enum Act {
    Enqueue { size: usize, rating: u16 },
    Leave(usize),
    Answer(usize, bool),
    Wait(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (1usize..=3, 500u16..2500).prop_map(|(size, rating)| Act::Enqueue { size, rating }),
        1 => (0usize..60).prop_map(Act::Leave),
        4 => (0usize..60, prop::bool::weighted(0.8)).prop_map(|(user, yes)| Act::Answer(user, yes)),
        2 => (0u64..20).prop_map(Act::Wait),
    ];
    vec(act, 1..80)
}

fn any_mode() -> impl Strategy<Value = Mode> {
    let steps = [(seconds(0), 50.0), (seconds(10), 300.0), (seconds(40), f64::INFINITY)];
    let shape = (1usize..=3, 1usize..=3, 0usize..=1);
    (shape, any::<bool>(), any::<bool>()).prop_map(move |((teams, size, more), asks, skilled)| {
        let mut mode = Mode::teams(teams).of(size..=size + more).hold_out(seconds(15));
        if asks {
            mode = mode.ready_check(seconds(10));
        }
        if skilled { mode.skill(steps) } else { mode }
    })
}

/// Checks that each user is in exactly one place.
fn check_places(matchmaker: &Matchmaker) -> Result<(), TestCaseError> {
    let mut seen = BTreeSet::new();
    let waiting = matchmaker.queues.iter().flat_map(Queue::entries).flat_map(QueueEntry::users).cloned();
    let asked = matchmaker.checks.values().flat_map(|check| check.users());
    for user in waiting.chain(asked) {
        prop_assert!(matchmaker.has(&user), "{user} is missing from the index");
        prop_assert!(seen.insert(user.clone()), "{user} is in two places");
    }
    prop_assert_eq!(seen.len(), matchmaker.users.len());
    Ok(())
}

/// Returns whether entries of these sizes could fill the teams, by brute force.
fn could_fill(sizes: &[usize], rooms: &mut [usize]) -> bool {
    if rooms.iter().all(|room| *room == 0) {
        return true;
    }
    let Some((first, rest)) = sizes.split_first() else { return false };
    for team in 0..rooms.len() {
        if rooms[team] >= *first {
            rooms[team] -= first;
            if could_fill(rest, rooms) {
                return true;
            }
            rooms[team] += first;
        }
    }
    could_fill(rest, rooms)
}

proptest! {
    #[test]
    fn entries_are_in_one_place_and_all_possible_matches_form(mode in any_mode(), acts in acts()) {
        let max = *mode.size.end();
        let mut hall = Hall::new(mode.clone());
        let mut all: Vec<UserId> = Vec::new();
        let mut played = BTreeSet::new();
        let mut checked = Vec::new();
        let mut take = |events: Vec<MatchmakerEvent>, checked: &mut Vec<CheckId>| {
            for event in events {
                match event {
                    MatchmakerEvent::Formed(found) => {
                        for team in &found.teams {
                            let size: usize = team.iter().map(QueueEntry::size).sum();
                            prop_assert!(mode.size.contains(&size), "a team of {}", size);
                        }
                        for user in found.users() {
                            prop_assert!(played.insert(user.clone()), "{user} is in two matches");
                        }
                    }
                    MatchmakerEvent::Asked { check, .. } => checked.push(check),
                    _ => {}
                }
            }
            Ok(())
        };
        for act in acts {
            match act {
                Act::Enqueue { size, rating } => {
                    let size = size.min(max);
                    let party: Vec<_> = (all.len()..all.len() + size).map(|n| user(&format!("u{n}"))).collect();
                    all.extend(party.iter().cloned());
                    let members = party.into_iter().map(|user| Entrant { user, rating: f64::from(rating) }).collect();
                    hall.enqueue_with(members, &QueueRequest::default()).unwrap();
                }
                Act::Leave(at) => if let Some(user) = all.get(at) {
                    let events = hall.matchmaker.leave(user, hall.now).unwrap_or_default();
                    take(events, &mut checked)?;
                },
                Act::Answer(at, yes) => if let (Some(user), Some(check)) = (all.get(at), checked.last()) {
                    let answer = if yes {
                        hall.matchmaker.accept(user, *check, hall.now)
                    } else {
                        hall.matchmaker.decline(user, *check, hall.now)
                    };
                    take(answer.unwrap_or_default(), &mut checked)?;
                },
                Act::Wait(time) => {
                    hall.now += seconds(time);
                    let events = hall.pass();
                    take(events, &mut checked)?;
                }
            }
            check_places(&hall.matchmaker)?;
        }
        // From now on everybody accepts, and time passes until every limit is gone.
        for _ in 0..20 {
            hall.now += seconds(5);
            let events = hall.pass();
            take(events, &mut checked)?;
            let open: Vec<_> = hall.matchmaker.checks.iter().map(|(id, check)| (*id, check.users())).collect();
            for (id, users) in open {
                for user in users {
                    let events = hall.matchmaker.accept(&user, id, hall.now).unwrap_or_default();
                    take(events, &mut checked)?;
                }
            }
            check_places(&hall.matchmaker)?;
        }
        let left: Vec<usize> = hall.matchmaker.queues[0].entries().map(QueueEntry::size).collect();
        prop_assume!(left.len() <= 16);
        for size in mode.size.clone() {
            prop_assert!(!could_fill(&left, &mut vec![size; mode.teams]), "{:?} could play {:?}", left, mode);
        }
    }
}
