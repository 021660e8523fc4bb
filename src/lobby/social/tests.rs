//! Tests of the people in the lobby.

mod properties;

use super::{
    super::{DisplayName, REMEMBERED_FOR},
    *,
};
use crate::protocol::ErrorCode;

fn user(n: usize) -> UserId {
    UserId::parse(&format!("user-{n}")).unwrap()
}

fn person(n: usize) -> Identity {
    Identity { user: user(n), ..Identity::guest(DisplayName::parse(&format!("User {n}")).ok(), &mut rand::rng()) }
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(1_000_000 + seconds)
}

/// Creates a lobby with people 0 to `count` - 1, each with one connection.
fn here(count: usize) -> (Social, Vec<ConnectionId>) {
    let mut social = Social::new([1; 32], SocialLimits::default());
    let connections = (0..count).map(|n| social.connect(&person(n))).collect();
    social.take_notices();
    (social, connections)
}

/// Creates a party of people 0 to `count` - 1 and returns its code.
fn party_of(social: &mut Social, count: usize) -> String {
    social.party_create(&person(0)).unwrap();
    let code = social.party(&user(0)).unwrap().code.to_string();
    for n in 1..count {
        social.party_join(&person(n), &code).unwrap();
    }
    social.take_notices();
    code
}

/// Takes the notices, as pairs of a connection's index in the list and an event.
fn heard(social: &mut Social, connections: &[ConnectionId]) -> Vec<(usize, SocialEvent)> {
    let place = |to: &ConnectionId| connections.iter().position(|connection| connection == to).unwrap();
    let notices = social.take_notices();
    notices
        .into_iter()
        .flat_map(|notice| notice.to.into_iter().map(move |to| (to, notice.event.clone())))
        .map(|(to, event)| (place(&to), event))
        .collect()
}

/// Takes the chat messages, as tuples of a connection's index, a number and a text.
fn texts(social: &mut Social, connections: &[ConnectionId]) -> Vec<(usize, u64, String)> {
    let chat = |(to, event)| match event {
        SocialEvent::Chat(message) => Some((to, message.seq, message.text.as_str().to_owned())),
        _ => None,
    };
    heard(social, connections).into_iter().filter_map(chat).collect()
}

fn names(social: &mut Social, connections: &[ConnectionId]) -> Vec<(usize, &'static str)> {
    heard(social, connections).into_iter().map(|(to, event)| (to, event.name())).collect()
}

const LOBBY: ChatTarget = ChatTarget::Channel(Channel::Lobby);
const PARTY: ChatTarget = ChatTarget::Channel(Channel::Party);
const ROOM: ChatTarget = ChatTarget::Channel(Channel::Room);

#[test]
fn a_listener_gets_missed_lobby_messages_on_return() {
    let (mut social, connections) = here(3);
    let known = social.listen(connections[1], &person(1), Channel::Lobby, None).unwrap();
    assert_eq!((known.seq, known.complete), (0, true));
    assert_eq!(social.chat(&person(0), &LOBBY, "one", at(0)), Ok(1));
    assert_eq!(texts(&mut social, &connections), [(1, 1, "one".to_owned())]);
    social.disconnect(connections[1], at(1));
    social.chat(&person(0), &LOBBY, "two", at(1)).unwrap();
    assert_eq!(texts(&mut social, &connections), []);
    let back = social.connect(&person(1));
    let missed = social.listen(back, &person(1), Channel::Lobby, Some((&known.id, 1))).unwrap();
    assert_eq!(missed.messages.iter().map(|message| message.text.as_str()).collect::<Vec<_>>(), ["two"]);
    assert_eq!((missed.seq, missed.complete, missed.messages[0].at), (2, true, 1_000_001_000));
}

#[test]
fn a_private_message_reaches_only_the_tabs_of_both() {
    let (mut social, mut connections) = here(3);
    connections.push(social.connect(&person(1)));
    connections.push(social.connect(&person(0)));
    social.chat(&person(2), &ChatTarget::User(user(1)), "first", at(0)).unwrap();
    social.take_notices();
    assert_eq!(
        social.chat(&person(0), &ChatTarget::User(user(1)), "psst", at(0)),
        Ok(1),
        "the number counts the sender's own messages"
    );
    let psst = |to, seq| (to, seq, "psst".to_owned());
    assert_eq!(texts(&mut social, &connections), [psst(1, 2), psst(3, 2), psst(0, 1), psst(4, 1)]);
    let kept = social.listen(connections[1], &person(1), Channel::Private, None).unwrap();
    assert_eq!((kept.seq, kept.messages[1].to.as_ref()), (2, Some(&user(1))));
}

#[test]
fn private_messages_wait_for_a_person_who_returns_soon() {
    let (mut social, connections) = here(2);
    social.disconnect(connections[1], at(0));
    social.chat(&person(0), &ChatTarget::User(user(1)), "later", at(1)).unwrap();
    let back = social.connect(&person(1));
    assert_eq!(social.listen(back, &person(1), Channel::Private, None).unwrap().messages.len(), 1);
    social.disconnect(back, at(2));
    social.forget(at(2) + REMEMBERED_FOR);
    let late = social.chat(&person(0), &ChatTarget::User(user(1)), "too late", at(70));
    assert_eq!(late, Err(SocialError::UnknownUser(user(1))));
}

#[test]
fn invalid_messages_are_refused() {
    let (mut social, connections) = here(2);
    let mut chat = |target: &ChatTarget, text: &str| social.chat(&person(0), target, text, at(0)).map_err(|error| error.code());
    assert_eq!(chat(&LOBBY, ""), Err(ErrorCode::BadText));
    assert_eq!(chat(&LOBBY, "a\u{202e}b"), Err(ErrorCode::BadText));
    assert_eq!(chat(&PARTY, "hello"), Err(ErrorCode::UnknownChannel));
    assert_eq!(chat(&ROOM, "hello"), Err(ErrorCode::UnknownChannel));
    assert_eq!(chat(&ChatTarget::Channel(Channel::Private), "hello"), Err(ErrorCode::UnknownChannel));
    assert_eq!(chat(&ChatTarget::User(user(0)), "myself"), Err(ErrorCode::UnknownUser));
    assert_eq!(chat(&ChatTarget::User(user(7)), "nobody"), Err(ErrorCode::UnknownUser));
    let said = (0..20).filter(|_| chat(&LOBBY, "flood").is_ok()).count();
    assert_eq!((said, chat(&LOBBY, "flood")), (5, Err(ErrorCode::RateLimited)), "refused messages do not count");
    assert_eq!(social.party_join(&person(0), "BCDFGH").map_err(|error| error.code()), Err(ErrorCode::UnknownCode));
    let too_many = vec![user(1); MAX_FOLLOWED + 1];
    assert_eq!(social.follow(connections[0], &too_many).map_err(|error| error.code()), Err(ErrorCode::BadRequest));
}

#[test]
fn a_room_keeps_its_chat_until_the_last_seat_is_free() {
    let (mut social, connections) = here(3);
    let (room, other) = (RoomId::named("room"), RoomId::named("other"));
    social.sit(&person(0), &room, Sitting::Playing);
    social.sit(&person(1), &room, Sitting::Playing);
    social.sit(&person(2), &other, Sitting::Playing);
    assert_eq!(social.chat(&person(0), &ROOM, "gg", at(0)), Ok(1));
    assert_eq!(texts(&mut social, &connections), [(0, 1, "gg".to_owned()), (1, 1, "gg".to_owned())]);
    social.unseat(&user(0), &room, at(1));
    assert_eq!(social.chat(&person(0), &ROOM, "gg", at(1)), Err(SocialError::UnknownChannel));
    assert_eq!(social.listen(connections[1], &person(1), Channel::Room, None).unwrap().messages.len(), 1);
    social.sit(&person(1), &other, Sitting::Playing);
    social.sit(&person(0), &room, Sitting::Playing);
    social.chat(&person(0), &ROOM, "alone", at(2)).unwrap();
    social.chat(&person(1), &ROOM, "elsewhere", at(2)).unwrap();
    let expected = [(0, 2, "alone".to_owned()), (1, 1, "elsewhere".to_owned()), (2, 1, "elsewhere".to_owned())];
    assert_eq!(texts(&mut social, &connections), expected, "the newer of two seats counts");
    (0..2).for_each(|n| social.unseat(&user(n), &room, at(3)));
    social.sit(&person(1), &room, Sitting::Playing);
    assert_eq!(social.listen(connections[1], &person(1), Channel::Room, None).unwrap().messages.len(), 0);
}

#[test]
fn typing_notices_are_sent_at_a_limited_rate() {
    let (mut social, connections) = here(3);
    party_of(&mut social, 2);
    social.typing(&person(0), &PARTY, at(0)).unwrap();
    let typing = SocialEvent::Typing { channel: Channel::Party, user: user(0), name: person(0).name };
    assert_eq!(heard(&mut social, &connections), [(1, typing)]);
    (0..20).for_each(|_| social.typing(&person(0), &ChatTarget::User(user(2)), at(0)).unwrap());
    assert_eq!(names(&mut social, &connections), [(2, "typing"); 4]);
    assert_eq!(social.typing(&person(2), &PARTY, at(0)), Err(SocialError::UnknownChannel));
}

#[test]
fn followers_see_every_change_of_status() {
    let (mut social, mut connections) = here(1);
    let told = social.follow(connections[0], &[user(1), user(0)]).unwrap();
    assert_eq!(
        told.iter().map(|person| (person.name.is_some(), person.status)).collect::<Vec<_>>(),
        [(false, PresenceStatus::Offline), (true, PresenceStatus::Online)]
    );
    let room = RoomId::named("room");
    connections.push(social.connect(&person(1)));
    connections.push(social.connect(&person(1)));
    social.set_queued(&person(1), true, at(0));
    social.sit(&person(1), &room, Sitting::Playing);
    social.set_queued(&person(1), false, at(1));
    social.sit(&person(1), &room, Sitting::Away);
    social.unseat(&user(1), &room, at(2));
    social.disconnect(connections[1], at(3));
    social.disconnect(connections[2], at(4));
    let seen: Vec<_> = heard(&mut social, &connections)
        .into_iter()
        .map(|(to, event)| match event {
            SocialEvent::Presence(person) => (to, person.status),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        PresenceStatus::Online,
        PresenceStatus::Queue,
        PresenceStatus::Match,
        PresenceStatus::Away,
        PresenceStatus::Online,
        PresenceStatus::Offline,
    ];
    assert_eq!(seen, expected.map(|status| (0, status)));
}

#[test]
fn a_disconnected_member_is_removed_after_a_minute() {
    let (mut social, mut connections) = here(2);
    party_of(&mut social, 2);
    social.party_ready(&person(0), true).unwrap();
    social.party_ready(&person(1), true).unwrap();
    social.disconnect(connections[0], at(0));
    let info = social.party_info(&user(1)).unwrap();
    let members: Vec<_> = info.members.iter().map(|member| (member.person.status, member.ready)).collect();
    assert_eq!(members, [(PresenceStatus::Away, false), (PresenceStatus::Online, true)]);
    connections[0] = social.connect(&person(0));
    assert_eq!(social.status(&user(0)), PresenceStatus::Online);
    social.disconnect(connections[0], at(10));
    social.take_notices();
    assert_eq!(social.forget_due(), Some(at(10) + REMEMBERED_FOR));
    social.forget(at(69));
    assert_eq!(social.party_info(&user(1)).unwrap().leader, user(0));
    social.forget(at(70));
    assert_eq!(names(&mut social, &connections), [(1, "party")]);
    let info = social.party_info(&user(1)).unwrap();
    assert_eq!((info.leader, info.members.len()), (user(1), 1));
    assert_eq!((social.status(&user(0)), social.forget_due()), (PresenceStatus::Offline, None));
}

#[test]
fn a_party_notifies_members_and_invited_and_kicked() {
    let (mut social, connections) = here(3);
    let code = party_of(&mut social, 2);
    social.party_invite(&person(1), &user(2), at(0)).unwrap();
    match &heard(&mut social, &connections)[..] {
        [(2, SocialEvent::PartyInvite { code: told, from, .. })] => assert_eq!((told.as_str(), &from.user), (&*code, &user(1))),
        other => panic!("{other:?}"),
    }
    social.party_join(&person(2), &code).unwrap();
    assert_eq!(names(&mut social, &connections), [(0, "party"), (1, "party"), (2, "party")]);
    social.chat(&person(2), &PARTY, "hello", at(0)).unwrap();
    assert_eq!(texts(&mut social, &connections).len(), 3);
    social.party_kick(&person(0), &user(2)).unwrap();
    assert_eq!(names(&mut social, &connections), [(0, "party"), (1, "party"), (2, "party_left")]);
    for (user, expected) in [(user(2), PartyError::NotInParty), (user(1), PartyError::NotLeader)] {
        let by = Identity { user, ..person(1) };
        assert_eq!(social.party_promote(&by, &self::user(0)), Err(SocialError::Party(expected)));
    }
    for absent in [user(0), user(8)] {
        assert_eq!(social.party_invite(&person(0), &absent, at(9)), Err(SocialError::UnknownUser(absent)));
    }
    social.party_leave(&person(0)).unwrap();
    social.party_leave(&person(1)).unwrap();
    assert!(social.chat.is_empty(), "the history is removed with the party");
}

#[test]
fn nothing_of_a_blocked_person_reaches_who_blocks_them() {
    let (mut social, connections) = here(3);
    let code = party_of(&mut social, 2);
    (0..3).for_each(|n| drop(social.listen(connections[n], &person(n), Channel::Lobby, None).unwrap()));
    assert_eq!(social.block(&person(0), &[user(1), user(2)], true), Ok(vec![user(1), user(2)]));
    for target in [LOBBY, PARTY] {
        social.chat(&person(1), &target, "spam", at(0)).unwrap();
        social.typing(&person(1), &target, at(0)).unwrap();
    }
    social.chat(&person(1), &ChatTarget::User(user(0)), "spam", at(0)).unwrap();
    social.typing(&person(1), &ChatTarget::User(user(0)), at(0)).unwrap();
    social.party_create(&person(2)).unwrap();
    social.party_invite(&person(2), &user(0), at(0)).unwrap();
    let reached: Vec<_> = names(&mut social, &connections).into_iter().filter(|(to, _)| *to == 0).collect();
    assert_eq!(reached, [(0, "chat_hidden"), (0, "chat_hidden")], "the numbers of the two shared channels have no gap");
    let replay = social.listen(connections[0], &person(0), Channel::Lobby, None).unwrap();
    assert_eq!((replay.seq, replay.messages.len(), replay.complete), (1, 0, true));
    assert_eq!(social.listen(connections[0], &person(0), Channel::Private, None).unwrap().seq, 0);
    assert_eq!(social.listen(connections[1], &person(1), Channel::Private, None).unwrap().seq, 1, "the sender notices nothing");
    social.party_leave(&person(2)).unwrap();
    assert_eq!(social.party_join(&person(2), &code), Err(SocialError::Party(PartyError::UnknownCode)));
    assert_eq!(social.block(&person(0), &[user(2)], false), Ok(vec![user(1)]));
    social.party_join(&person(2), &code).unwrap();
    social.take_notices();
    social.chat(&person(2), &LOBBY, "hello", at(0)).unwrap();
    assert_eq!(texts(&mut social, &connections).len(), 3);
}

#[test]
fn a_person_blocks_a_limited_number_and_not_themselves() {
    let limits = SocialLimits { blocks_per_person: 2, ..SocialLimits::default() };
    let mut social = Social::new([1; 32], limits);
    social.connect(&person(0));
    assert_eq!(social.block(&person(0), &[user(0)], true), Err(SocialError::UnknownUser(user(0))));
    assert_eq!(social.block(&person(1), &[user(0)], true), Err(SocialError::UnknownUser(user(1))));
    let refused = social.block(&person(0), &[user(1), user(2), user(2), user(3)], true);
    assert_eq!(refused, Err(SocialError::BlocksTooMany(2)));
    assert_eq!(social.block(&person(0), &[], true), Ok(vec![user(1), user(2)]));
}

#[test]
fn one_person_gets_a_limited_number_of_invitations_and_messages() {
    let (mut social, connections) = here(101);
    for n in 1..=100 {
        social.party_create(&person(n)).unwrap();
    }
    social.take_notices();
    let invited = (1..=100).filter(|n| social.party_invite(&person(*n), &user(0), at(0)).is_ok()).count();
    assert_eq!((invited, names(&mut social, &connections).len()), (20, 20));
    let refused = social.party_invite(&person(1), &user(0), at(1)).unwrap_err();
    assert_eq!((refused.code(), refused.retry_after()), (ErrorCode::RateLimited, Some(Duration::from_secs(2))));
    let told = (0..5).flat_map(|_| 1..=100).filter(|n| {
        let to = ChatTarget::User(user(0));
        social.chat(&person(*n), &to, "spam", at(10)).is_ok()
    });
    assert_eq!(told.count(), 120);
}

#[test]
fn one_person_sends_a_limited_number_of_invitations() {
    let (mut social, _) = here(40);
    social.party_create(&person(0)).unwrap();
    // Slow enough for the limit of messages.
    let sent = (1..40).filter(|n| social.party_invite(&person(0), &user(*n), at(*n as u64)).is_ok()).count();
    assert_eq!(sent, 20 + 12, "a burst, and one in three seconds");
}

#[test]
fn guests_of_one_address_share_their_messages() {
    let limits = SocialLimits { messages_per_minute_of_address: 30, ..SocialLimits::default() };
    let mut social = Social::new([1; 32], limits);
    let guests: Vec<_> = (0..20).map(|n| person(n).from_address(Some([9, 9, 9, 9].into()))).collect();
    for guest in &guests {
        social.connect(guest);
    }
    let said = guests.iter().flat_map(|guest| [guest; 5]).filter(|guest| social.chat(guest, &LOBBY, "spam", at(0)).is_ok());
    assert_eq!(said.count(), 30);
    let user = Identity { guest: false, ..guests[19].clone() };
    assert!(social.chat(&user, &LOBBY, "hello", at(10)).is_ok(), "a user with an account has an allowance of their own");
}

#[test]
fn queued_people_are_reported_when_their_party_changes() {
    let (mut social, _) = here(4);
    let code = party_of(&mut social, 2);
    assert!(social.take_regrouped().is_empty(), "nobody is queued");
    for n in 0..2 {
        social.set_queued(&person(n), true, at(0));
    }
    let duo = vec![user(0), user(1)];
    assert_eq!(social.take_regrouped(), [(user(0), duo.clone()), (user(1), duo)], "the party may have changed meanwhile");
    assert!(social.take_regrouped().is_empty());
    social.party_join(&person(2), &code).unwrap();
    let trio = vec![user(0), user(1), user(2)];
    assert_eq!(social.take_regrouped(), [(user(0), trio.clone()), (user(1), trio)], "people who are not queued are left out");
    social.party_kick(&person(0), &user(1)).unwrap();
    assert_eq!(social.take_regrouped(), [(user(0), vec![user(0), user(2)]), (user(1), vec![])]);
    social.party_leave(&person(0)).unwrap();
    social.set_queued(&person(0), false, at(1));
    assert!(social.take_regrouped().is_empty(), "people who left the queue are left out");
}
