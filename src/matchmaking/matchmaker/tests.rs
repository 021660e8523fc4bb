use super::*;
use crate::{lobby::RoomId, matchmaking::Terms};

mod properties;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

/// Makes entrants with equal ratings from their names.
fn party(names: &str) -> Vec<Entrant> {
    names.split_whitespace().map(|name| Entrant { user: user(name), rating: 1500.0 }).collect()
}

fn duo() -> Mode {
    Mode::teams(2).of(2..=2)
}

struct Hall {
    matchmaker: Matchmaker,
    now: Duration,
}

impl Hall {
    fn new(mode: Mode) -> Self {
        let mut matchmaker = Matchmaker::default();
        matchmaker.open("duel", "2v2", mode);
        Self { matchmaker, now: seconds(100) }
    }

    fn enqueue(&mut self, names: &str) -> Result<usize, QueueError> {
        self.enqueue_with(party(names), &QueueRequest::default())
    }

    fn enqueue_with(&mut self, members: Vec<Entrant>, request: &QueueRequest) -> Result<usize, QueueError> {
        self.matchmaker.enqueue(&QueueRequest { game: "duel".into(), ..request.clone() }, members, self.now)
    }

    /// Waits some seconds and makes a pass. Returns the names in each team of each match.
    fn pass_after(&mut self, wait: u64) -> Vec<Vec<String>> {
        self.now += seconds(wait);
        formed(self.matchmaker.pass(&[], self.now))
    }

    fn pass(&mut self) -> Vec<MatchmakerEvent> {
        self.matchmaker.pass(&[], self.now)
    }

    fn ask(&mut self) -> CheckId {
        match &self.pass()[..] {
            [MatchmakerEvent::Asked { check, .. }] => *check,
            other => panic!("{other:?}"),
        }
    }

    fn accept(&mut self, name: &str, check: CheckId) -> Vec<MatchmakerEvent> {
        self.matchmaker.accept(&user(name), check, self.now).unwrap()
    }

    fn waiting(&self) -> Vec<String> {
        self.matchmaker.queues[0].entries().map(names).collect()
    }
}

fn names(entry: &QueueEntry) -> String {
    entry.users().map(UserId::as_str).collect::<Vec<_>>().join(" ")
}

fn teams(found: &Match) -> Vec<String> {
    found.teams.iter().map(|team| team.iter().map(names).collect::<Vec<_>>().join("+")).collect()
}

fn formed(events: Vec<MatchmakerEvent>) -> Vec<Vec<String>> {
    let formed = |event| if let MatchmakerEvent::Formed(found) = event { Some(teams(&found)) } else { None };
    events.into_iter().filter_map(formed).collect()
}

fn unready(events: &[MatchmakerEvent]) -> Vec<(String, bool)> {
    let unready = |event: &MatchmakerEvent| match event {
        MatchmakerEvent::Unready { users, requeued, .. } => {
            Some((users.iter().map(UserId::as_str).collect::<Vec<_>>().join(" "), *requeued))
        }
        _ => None,
    };
    events.iter().filter_map(unready).collect()
}

#[test]
fn two_parties_of_two_play_each_other() {
    let mut hall = Hall::new(duo());
    assert_eq!((hall.enqueue("ada bob"), hall.enqueue("cy dee")), (Ok(1), Ok(2)));
    assert_eq!(hall.pass_after(0), [["ada bob", "cy dee"]]);
    assert!(!hall.matchmaker.is_busy());
}

#[test]
fn a_party_plays_two_singles_and_is_not_split() {
    let mut hall = Hall::new(duo());
    for names in ["ada", "bob cy", "dee"] {
        hall.enqueue(names).unwrap();
    }
    assert_eq!(hall.pass_after(0), [["ada+dee", "bob cy"]]);
    for names in ["ada", "bob cy"] {
        hall.enqueue(names).unwrap();
    }
    assert_eq!(hall.pass_after(1000), Vec::<Vec<String>>::new(), "three players cannot fill four seats");
}

#[test]
fn teams_are_balanced_by_rating() {
    let mut hall = Hall::new(duo());
    for (name, rating) in [("a", 1900.0), ("b", 1800.0), ("c", 1200.0), ("d", 1100.0)] {
        hall.enqueue_with(vec![Entrant { user: user(name), rating }], &QueueRequest::default()).unwrap();
    }
    assert_eq!(hall.pass_after(0), [["a+d", "b+c"]]);
}

#[test]
fn the_skill_window_widens_with_the_oldest_wait() {
    let steps = [(seconds(0), 100.0), (seconds(10), 400.0), (seconds(30), f64::INFINITY)];
    let mut hall = Hall::new(Mode::teams(2).skill(steps));
    let enter = |hall: &mut Hall, name: &str, rating| {
        hall.enqueue_with(vec![Entrant { user: user(name), rating }], &QueueRequest::default()).unwrap()
    };
    enter(&mut hall, "a", 1500.0);
    enter(&mut hall, "b", 1800.0);
    enter(&mut hall, "c", 3000.0);
    assert!(hall.pass_after(9).is_empty());
    assert_eq!(hall.pass_after(1), [["b", "a"]]);
    enter(&mut hall, "d", 1500.0);
    assert!(hall.pass_after(19).is_empty());
    assert_eq!(hall.pass_after(1), [["c", "d"]], "after a long wait any rating is accepted");
}

#[test]
fn the_nearest_region_decides_then_latency_then_age() {
    let mut hall = Hall::new(Mode::teams(2).regions(["eu", "us"]).latency([(seconds(0), 100), (seconds(10), 300)]));
    let enter = |hall: &mut Hall, name: &str, regions: &[(&str, f64)]| {
        let regions = regions.iter().map(|(name, ms)| (name.to_string(), *ms)).collect();
        hall.enqueue_with(party(name), &QueueRequest { regions, ..QueueRequest::default() }).unwrap()
    };
    enter(&mut hall, "berlin", &[("eu", 20.0), ("us", 95.0)]);
    enter(&mut hall, "denver", &[("eu", 98.0), ("us", 30.0)]);
    enter(&mut hall, "lisbon", &[("eu", 45.0), ("us", 90.0)]);
    enter(&mut hall, "madrid", &[("eu", 41.0), ("us", 99.0)]);
    let MatchmakerEvent::Formed(found) = hall.pass().remove(0) else { panic!("expected a match") };
    assert_eq!((teams(&found), found.region.as_deref()), (vec!["berlin".into(), "lisbon".into()], Some("eu")));
    assert_eq!(hall.waiting(), Vec::<String>::new());
    enter(&mut hall, "perth", &[("eu", 290.0), ("us", 250.0)]);
    enter(&mut hall, "paris", &[("eu", 20.0)]);
    assert!(hall.pass_after(9).is_empty());
    assert_eq!(hall.pass_after(1), [["perth", "paris"]]);
}

#[test]
fn only_entries_with_equal_properties_meet() {
    let mut hall = Hall::new(Mode::teams(2).same(["map"]));
    let request = |map: &str| QueueRequest { properties: [("map".to_owned(), map.into())].into(), ..QueueRequest::default() };
    hall.enqueue_with(party("a"), &request("moon")).unwrap();
    hall.enqueue_with(party("b"), &request("mars")).unwrap();
    assert!(hall.pass_after(1000).is_empty());
    hall.enqueue_with(party("c"), &request("mars")).unwrap();
    assert_eq!(hall.pass_after(0), [["b", "c"]]);
    let level = QueueRequest { properties: [("level".to_owned(), 3.into())].into(), ..QueueRequest::default() };
    assert_eq!(hall.enqueue_with(party("d"), &level), Err(QueueError::BadProperty("level".into())));
    let list = QueueRequest { properties: [("map".to_owned(), serde_json::json!([]))].into(), ..QueueRequest::default() };
    assert_eq!(hall.enqueue_with(party("d"), &list), Err(QueueError::BadProperty("map".into())));
}

#[test]
fn bots_take_the_missing_seats_after_a_while() {
    let mut hall = Hall::new(duo().bots_after(seconds(20)));
    hall.enqueue("ada bob").unwrap();
    hall.enqueue("cy").unwrap();
    assert!(hall.pass_after(19).is_empty());
    hall.now += seconds(1);
    let MatchmakerEvent::Formed(found) = hall.pass().remove(0) else { panic!("expected a match") };
    assert_eq!((teams(&found), found.bots), (vec!["ada bob".into(), "cy".into()], 1));
}

#[test]
fn fewer_players_are_enough_after_the_hold_out() {
    let mut hall = Hall::new(Mode::free_for_all(2..=4).hold_out(seconds(10)));
    for name in ["a", "b", "c"] {
        hall.enqueue(name).unwrap();
    }
    assert!(hall.pass_after(9).is_empty());
    assert_eq!(hall.pass_after(1), [["a+b+c"]]);
}

#[test]
fn a_match_forms_when_everybody_accepts() {
    let mut hall = Hall::new(duo().ready_check(seconds(10)));
    hall.enqueue("ada bob").unwrap();
    hall.enqueue("cy dee").unwrap();
    let check = hall.ask();
    assert!(hall.pass().is_empty(), "users in a ready check are not matched again");
    assert_eq!(hall.enqueue("ada"), Err(QueueError::AlreadyQueued(user("ada"))));
    for (accepted, name) in (1..).zip(["ada", "cy", "dee"]) {
        assert!(
            matches!(hall.accept(name, check)[..], [MatchmakerEvent::Answered { accepted: told, players: 4, .. }] if told == accepted)
        );
    }
    assert_eq!(formed(hall.accept("bob", check)), [["ada bob", "cy dee"]]);
    assert_eq!(hall.matchmaker.accept(&user("bob"), check, hall.now), Err(QueueError::UnknownCheck(check)));
}

#[test]
fn accepted_entries_keep_their_place_after_a_decline() {
    let mut hall = Hall::new(duo().ready_check(seconds(10)));
    hall.enqueue("ada bob").unwrap();
    hall.enqueue("cy").unwrap();
    hall.enqueue("dee").unwrap();
    let check = hall.ask();
    hall.now += seconds(5);
    hall.enqueue("eve").unwrap();
    hall.accept("ada", check);
    hall.accept("bob", check);
    let declined = hall.matchmaker.decline(&user("dee"), check, hall.now).unwrap();
    assert_eq!(unready(&declined), [("dee".into(), false)]);
    assert_eq!(hall.enqueue("dee"), Err(QueueError::Paused { user: user("dee"), left: seconds(10) }));
    assert_eq!(unready(&hall.accept("cy", check)), [("ada bob cy".into(), true)]);
    assert_eq!(hall.waiting(), ["ada bob", "cy", "eve"]);
    let again = hall.ask();
    assert!(hall.matchmaker.checks[&again].users().len() == 4 && hall.waiting().is_empty());
}

/// Lets three players accept again and again, and one decline or stay silent and then queue again. Returns how many checks that one
/// breaks in a minute.
fn broken_in_a_minute(is_silent: bool) -> usize {
    let mut hall = Hall::new(duo().ready_check(seconds(1)));
    for name in ["ada", "bob", "cy"] {
        hall.enqueue(name).unwrap();
    }
    let (mut broken, end) = (0, hall.now + seconds(60));
    while hall.now < end {
        if hall.enqueue("dee").is_ok() {
            let check = hall.ask();
            ["ada", "bob", "cy"].iter().for_each(|name| drop(hall.accept(name, check)));
            if !is_silent {
                hall.matchmaker.decline(&user("dee"), check, hall.now).unwrap();
            }
            broken += 1;
        }
        hall.now += seconds(1);
        hall.pass();
        assert_eq!(hall.waiting().len(), 3, "the others keep their place");
    }
    broken
}

#[test]
fn one_player_cannot_break_check_after_check() {
    assert_eq!([broken_in_a_minute(false), broken_in_a_minute(true)], [3, 3]);
}

#[test]
fn a_pause_is_for_those_who_broke_the_check_and_for_who_brings_them() {
    let mut hall = Hall::new(duo().ready_check(seconds(10)));
    hall.enqueue("ada bob").unwrap();
    hall.enqueue("cy dee").unwrap();
    let check = hall.ask();
    hall.accept("ada", check);
    hall.now += seconds(10);
    hall.pass();
    let paused = |hall: &mut Hall, names: &str| match hall.enqueue(names) {
        Err(error @ QueueError::Paused { .. }) => Some((error.to_string(), error.retry_after().unwrap())),
        Err(error) => panic!("{error}"),
        Ok(_) => None,
    };
    hall.now += Duration::from_millis(2500);
    let (said, left) = paused(&mut hall, "ada bob").unwrap();
    assert_eq!(said, "bob declined or missed a ready check and may queue again in 8 s");
    assert_eq!(left, Duration::from_millis(7500));
    assert_eq!(paused(&mut hall, "ada"), None, "ada had accepted");
    hall.now += left;
    assert_eq!(paused(&mut hall, "bob cy"), None);
}

#[test]
fn a_party_that_breaks_a_check_by_changing_must_pause() {
    let mut hall = Hall::new(duo().ready_check(seconds(10)));
    hall.enqueue("ada bob").unwrap();
    hall.enqueue("cy dee").unwrap();
    hall.ask();
    hall.matchmaker.regroup(&user("bob"), &[], hall.now);
    for name in ["ada", "bob"] {
        assert_eq!(hall.enqueue(name), Err(QueueError::Paused { user: user(name), left: seconds(10) }));
    }
}

#[test]
fn a_group_that_asks_again_keeps_its_place() {
    let mut hall = Hall::new(duo().ready_check(seconds(10)));
    for names in ["ada", "bob cy", "dee eve"] {
        hall.enqueue(names).unwrap();
    }
    assert_eq!([hall.enqueue("ada"), hall.enqueue("bob cy"), hall.enqueue("dee eve")], [Ok(1), Ok(2), Ok(3)]);
    assert_eq!(hall.enqueue("bob"), Err(QueueError::AlreadyQueued(user("bob"))), "not the same group");
    assert_eq!(hall.waiting(), ["ada", "bob cy", "dee eve"]);
    let check = hall.ask();
    hall.now += seconds(4);
    assert_eq!(hall.enqueue("dee eve"), Ok(1), "they are asked, and do not wait");
    let asked = hall.matchmaker.asked(&user("dee"), hall.now).unwrap();
    let MatchmakerEvent::Asked { check: told, time, players: 4, .. } = asked else { panic!("{asked:?}") };
    assert_eq!((told, time), (check, seconds(6)));
    hall.accept("dee", check);
    assert_eq!(hall.matchmaker.asked(&user("dee"), hall.now), None, "dee has answered");
    assert_eq!(hall.matchmaker.asked(&user("ada"), hall.now), None, "ada is not asked");
}

#[test]
fn a_party_leaves_if_one_member_does_not_answer() {
    let mut hall = Hall::new(duo().ready_check(seconds(10)));
    hall.enqueue("ada bob").unwrap();
    hall.enqueue("cy").unwrap();
    hall.enqueue("dee").unwrap();
    let check = hall.ask();
    hall.accept("ada", check);
    hall.accept("cy", check);
    hall.now += seconds(10);
    assert_eq!(unready(&hall.pass()), [("cy".into(), true), ("ada bob dee".into(), false)]);
    assert_eq!(hall.waiting(), ["cy"]);
    assert!(!hall.matchmaker.has(&user("ada")) && hall.matchmaker.has(&user("cy")));
}

#[test]
fn leaving_the_queue_removes_the_whole_party() {
    let mut hall = Hall::new(duo());
    hall.enqueue("ada bob").unwrap();
    let events = hall.matchmaker.leave(&user("bob"), hall.now).unwrap();
    assert_eq!(events, [MatchmakerEvent::Left { users: vec![user("ada")] }]);
    assert_eq!(hall.matchmaker.leave(&user("ada"), hall.now), Err(QueueError::NotQueued));
    assert!(!hall.matchmaker.is_busy());
}

#[test]
fn a_changed_party_leaves_the_queue_and_all_are_told() {
    let members = |names: &str| names.split_whitespace().map(user).collect::<Vec<_>>();
    let changes = [("bob", "bob ada", false), ("ada", "ada bob cy", true), ("bob", "", true), ("ada", "ada cy", true)];
    for (of, now, is_out) in changes {
        let mut hall = Hall::new(duo());
        hall.enqueue("ada bob").unwrap();
        let events = hall.matchmaker.regroup(&user(of), &members(now), hall.now);
        let left = MatchmakerEvent::Left { users: members("ada bob") };
        assert_eq!(events, if is_out { vec![left] } else { vec![] }, "{now}");
        assert_eq!(hall.matchmaker.has(&user("ada")), !is_out);
        assert!(
            hall.matchmaker.regroup(&user("cy"), &[], hall.now).is_empty(),
            "regrouping a user who is not queued does nothing"
        );
    }
    let mut hall = Hall::new(duo());
    hall.enqueue("ada").unwrap();
    assert!(
        hall.matchmaker.regroup(&user("ada"), &members("ada"), hall.now).is_empty(),
        "a party of one counts as a single player"
    );
    assert_eq!(
        hall.matchmaker.regroup(&user("ada"), &members("bob ada"), hall.now),
        [MatchmakerEvent::Left { users: members("ada") }]
    );
}

#[test]
fn a_party_that_changes_during_a_ready_check_declines() {
    let mut hall = Hall::new(duo().ready_check(seconds(10)));
    hall.enqueue("ada bob").unwrap();
    hall.enqueue("cy dee").unwrap();
    let check = hall.ask();
    for name in ["ada", "bob", "cy"] {
        hall.accept(name, check);
    }
    assert!(hall.matchmaker.regroup(&user("bob"), &[user("bob"), user("ada")], hall.now).is_empty());
    let events = hall.matchmaker.regroup(&user("bob"), &[], hall.now);
    assert_eq!(unready(&events), [("ada bob".into(), false)]);
    assert!(hall.matchmaker.regroup(&user("ada"), &[], hall.now).is_empty(), "the entry has already declined");
    assert_eq!(unready(&hall.accept("dee", check)), [("cy dee".into(), true)]);
    assert_eq!(hall.waiting(), ["cy dee"]);
}

fn opening(free: &[usize], terms: Terms) -> Opening {
    Opening { room: RoomId::named("r"), game: "duel", mode: "2v2".into(), free: free.to_vec(), terms }
}

#[test]
fn running_matches_are_filled_first() {
    let mut hall = Hall::new(duo().backfill().skill([(seconds(0), 200.0)]));
    let of = |rating| Terms { same: String::new(), region: None, rating };
    hall.enqueue("ada bob").unwrap();
    hall.enqueue("cy").unwrap();
    assert!(hall.matchmaker.pass(&[opening(&[1, 1], of(900.0))], hall.now).is_empty(), "the match is too weak");
    let MatchmakerEvent::Formed(found) = hall.matchmaker.pass(&[opening(&[1, 1], of(1500.0))], hall.now).remove(0) else {
        panic!("expected a match")
    };
    assert_eq!((teams(&found), found.room), (vec!["cy".into(), String::new()], Some(RoomId::named("r"))));
    assert_eq!(hall.waiting(), ["ada bob"], "a party is not split between two teams");
}

#[test]
fn backfill_respects_properties_and_latency() {
    let mode = Mode::teams(2).backfill().same(["map"]).regions(["eu", "us"]).latency([(seconds(0), 100)]);
    let mut hall = Hall::new(mode);
    let enter = |hall: &mut Hall, name: &str, map: &str, regions: &[(&str, f64)]| {
        let properties = [("map".to_owned(), map.into())].into();
        let regions = regions.iter().map(|(name, ms)| (name.to_string(), *ms)).collect();
        hall.enqueue_with(party(name), &QueueRequest { properties, regions, ..QueueRequest::default() }).unwrap()
    };
    enter(&mut hall, "berlin", "moon", &[("eu", 20.0)]);
    enter(&mut hall, "lisbon", "moon", &[("eu", 45.0)]);
    let MatchmakerEvent::Formed(running) = hall.pass().remove(0) else { panic!("expected a match") };
    enter(&mut hall, "madrid", "mars", &[("eu", 20.0)]);
    enter(&mut hall, "denver", "moon", &[("us", 20.0)]);
    enter(&mut hall, "perth", "moon", &[("eu", 290.0)]);
    enter(&mut hall, "anywhere", "moon", &[]);
    let MatchmakerEvent::Formed(found) = hall.matchmaker.pass(&[opening(&[1, 0], running.terms())], hall.now).remove(0) else {
        panic!("expected a match")
    };
    assert_eq!(teams(&found), ["anywhere", ""]);
    assert_eq!(hall.waiting(), ["madrid", "denver", "perth"]);
}

#[test]
fn statuses_tell_the_position_and_the_estimated_wait() {
    let mut hall = Hall::new(Mode::teams(2));
    hall.enqueue("a").unwrap();
    let stand = |hall: &mut Hall| hall.matchmaker.statuses(hall.now).into_iter().map(|(_, status)| status).collect::<Vec<_>>();
    let first = stand(&mut hall).remove(0);
    assert_eq!((first.position, first.waiting, first.needed, first.waited, first.estimate), (1, 1, 2, 0, None));
    assert!(stand(&mut hall).is_empty(), "nothing changed");
    hall.now += seconds(6);
    assert_eq!(stand(&mut hall)[0].waited, 6);
    hall.enqueue("b").unwrap();
    assert_eq!(hall.pass_after(2).len(), 1);
    hall.enqueue("c").unwrap();
    assert_eq!(stand(&mut hall)[0].estimate, Some(7), "the average moves to the wait of 2 s from that of 8 s");
}

#[test]
fn invalid_requests_are_refused() {
    let mut hall = Hall::new(duo());
    assert_eq!(hall.enqueue("a b c"), Err(QueueError::PartyTooLarge { members: 3, max: 2 }));
    assert_eq!(hall.enqueue("a a"), Err(QueueError::AlreadyQueued(user("a"))));
    let request = |game: &str, mode: Option<&str>| QueueRequest {
        game: game.into(),
        mode: mode.map(Into::into),
        ..QueueRequest::default()
    };
    let mut refused = |request| hall.matchmaker.enqueue(&request, party("a"), seconds(0)).unwrap_err().code().as_str();
    assert_eq!(refused(request("chess", None)), "unknown_game");
    assert_eq!(refused(request("duel", Some("9v9"))), "unknown_mode");
    assert_eq!(hall.matchmaker.leave(&user("a"), seconds(0)), Err(QueueError::NotQueued));
    assert_eq!(hall.matchmaker.accept(&user("a"), CheckId(1), seconds(0)), Err(QueueError::UnknownCheck(CheckId(1))));
}

#[test]
fn an_unheld_match_returns_to_the_queue_in_order() {
    let mut hall = Hall::new(duo());
    hall.enqueue("ada bob").unwrap();
    hall.enqueue("cy dee").unwrap();
    let MatchmakerEvent::Formed(found) = hall.pass().remove(0) else { panic!("expected a match") };
    hall.now += seconds(1);
    hall.enqueue("cy").unwrap();
    hall.matchmaker.put_back(found);
    assert_eq!(hall.waiting(), ["ada bob", "cy"], "cy has queued again, alone");
}
