//! Clients that apply every event know the same as the server, after any sequence of requests.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Connect(usize),
    Disconnect(usize),
    Follow(usize, Vec<usize>),
    Queue(usize, bool),
    Sit(usize, usize, bool),
    Unseat(usize, usize),
    Create(usize),
    Join(usize, usize),
    Leave(usize),
    Kick(usize, usize),
    Ready(usize, bool),
    Say(usize, u8),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0usize..5;
    let room = 0usize..2;
    let step = prop_oneof![
        3 => who.clone().prop_map(Step::Connect),
        2 => (0usize..12).prop_map(Step::Disconnect),
        2 => (0usize..12, vec(who.clone(), 0..4)).prop_map(|(connection, users)| Step::Follow(connection, users)),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, queued)| Step::Queue(who, queued)),
        2 => (who.clone(), room.clone(), any::<bool>()).prop_map(|(who, room, away)| Step::Sit(who, room, away)),
        2 => (who.clone(), room).prop_map(|(who, room)| Step::Unseat(who, room)),
        1 => who.clone().prop_map(Step::Create),
        3 => (who.clone(), who.clone()).prop_map(|(who, of)| Step::Join(who, of)),
        1 => who.clone().prop_map(Step::Leave),
        1 => (who.clone(), who.clone()).prop_map(|(by, who)| Step::Kick(by, who)),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, ready)| Step::Ready(who, ready)),
        2 => (who, 0u8..4).prop_map(|(who, channel)| Step::Say(who, channel)),
        1 => (1u64..90).prop_map(Step::Pass),
    ];
    vec(step, 0..150)
}

/// The state that one client knows from answers and events.
#[derive(Default)]
struct Client {
    who: usize,
    people: BTreeMap<UserId, PersonInfo>,
    party: Option<PartyInfo>,
}

impl Client {
    fn hear(&mut self, event: SocialEvent) {
        match event {
            SocialEvent::Presence(person) => {
                let before = self.people.insert(person.user.clone(), person.clone());
                assert!(before.is_some_and(|before| before != person), "only changes of followed people are sent");
            }
            SocialEvent::Party(party) => self.party = Some(party),
            SocialEvent::PartyLeft { party, .. } => {
                assert_eq!(self.party.take().map(|info| info.party), Some(party));
            }
            _ => {}
        }
    }
}

fn take(social: &mut Social, step: Step, clients: &mut BTreeMap<ConnectionId, Client>, now: &mut u64) {
    let nth = |clients: &BTreeMap<ConnectionId, Client>, n| clients.keys().nth(n).copied();
    // Refused steps are ignored here: the checks after each step show that they change nothing.
    match step {
        Step::Connect(who) => {
            let party = social.party_info(&user(who));
            let connection = social.connect(&person(who));
            clients.insert(connection, Client { who, party, ..Client::default() });
        }
        Step::Disconnect(n) => {
            let Some(connection) = nth(clients, n) else { return };
            clients.remove(&connection);
            social.disconnect(connection, at(*now));
        }
        Step::Follow(n, users) => {
            let Some(connection) = nth(clients, n) else { return };
            let users: Vec<_> = users.into_iter().map(user).collect();
            let people = social.follow(connection, &users).unwrap();
            let client = clients.get_mut(&connection).unwrap();
            client.people = people.into_iter().map(|person| (person.user.clone(), person)).collect();
        }
        Step::Queue(who, queued) => social.set_queued(&person(who), queued, at(*now)),
        Step::Sit(who, room, away) => {
            let sitting = if away { Sitting::Away } else { Sitting::Playing };
            social.sit(&person(who), &RoomId::named(&room.to_string()), sitting);
        }
        Step::Unseat(who, room) => social.unseat(&user(who), &RoomId::named(&room.to_string()), at(*now)),
        Step::Create(who) => drop(social.party_create(&person(who))),
        Step::Join(who, of) => {
            let code = social.party(&user(of)).map_or(String::new(), |party| party.code.to_string());
            let _ = social.party_join(&person(who), &code);
        }
        Step::Leave(who) => drop(social.party_leave(&person(who))),
        Step::Kick(by, who) => drop(social.party_kick(&person(by), &user(who))),
        Step::Ready(who, ready) => drop(social.party_ready(&person(who), ready)),
        Step::Say(who, channel) => {
            let channel = [Channel::Lobby, Channel::Party, Channel::Room].get(usize::from(channel));
            let target = channel.map_or(ChatTarget::User(user((who + 1) % 5)), |channel| ChatTarget::Channel(*channel));
            let _ = social.chat(&person(who), &target, "hello", at(*now));
        }
        Step::Pass(seconds) => {
            *now += seconds;
            social.forget(at(*now));
        }
    }
}

proptest! {
    #[test]
    fn clients_that_apply_every_event_match_the_server(steps in steps()) {
        let (mut social, mut clients, mut now) = (Social::new([1; 32], SocialLimits::default()), BTreeMap::new(), 0);
        for step in steps {
            take(&mut social, step, &mut clients, &mut now);
            for Notice { to, event } in social.take_notices() {
                for connection in to {
                    clients.get_mut(&connection).expect("only open connections are notified").hear(event.clone());
                }
            }
            for client in clients.values() {
                for (user, known) in &client.people {
                    prop_assert_eq!((&known.user, known.status), (user, social.status(user)));
                }
                prop_assert_eq!(&client.party, &social.party_info(&user(client.who)));
            }
        }
        // After everybody has left, no state remains.
        for connection in clients.into_keys() {
            social.disconnect(connection, at(now));
        }
        for who in 0..5 {
            social.set_queued(&person(who), false, at(now));
            (0..2).for_each(|room| social.unseat(&user(who), &RoomId::named(&room.to_string()), at(now)));
        }
        social.forget(at(now) + REMEMBERED_FOR);
        prop_assert_eq!(social.forget_due(), None);
        prop_assert!((0..5).all(|who| social.status(&user(who)) == PresenceStatus::Offline && social.party(&user(who)).is_none()));
        social.chat.forget(&LogKey::Lobby);
        prop_assert!(social.chat.is_empty());
    }
}
