//! Sequences of the lobby's requests. Each takes three bytes: what is asked, by whom, and about whom.

use std::{collections::BTreeMap, time::Duration};

use crate::lobby::{
    Channel, ChatTarget, ConnectionId, DisplayName, Identity, MAX_PARTY, RoomId, Sitting, Social, SocialEvent, SocialLimits,
    UserId,
};

/// More people than a party takes.
const PEOPLE: u8 = MAX_PARTY as u8 + 2;

/// A lobby, and what its people know of it.
struct Play {
    social: Social,
    connections: BTreeMap<u8, Vec<ConnectionId>>,
    /// The newest code of a party that anybody was told.
    code: String,
    now: Duration,
}

/// A sequence of requests by some people.
pub fn lobby(bytes: &[u8]) {
    let social = Social::new([7; 32], SocialLimits::default());
    let mut play = Play { social, connections: BTreeMap::new(), code: String::new(), now: Duration::from_secs(1) };
    for request in bytes.as_chunks().0 {
        play.ask(*request);
        play.check();
    }
}

fn user(number: u8) -> UserId {
    UserId::parse(&format!("u{}", number % PEOPLE)).expect("a letter and a number")
}

fn identity(number: u8) -> Identity {
    let user = user(number);
    let name = DisplayName::parse(user.as_str()).expect("a letter and a number");
    Identity { user, name, guest: false, address: None }
}

impl Play {
    /// Refusals are as good as answers.
    fn ask(&mut self, [what, who, whom]: [u8; 3]) {
        let (social, by, other, now) = (&mut self.social, &identity(who), &user(whom), self.now);
        match what % 20 {
            0 => {
                let connection = social.connect(by);
                self.connections.entry(who % PEOPLE).or_default().push(connection);
            }
            1 => {
                if let Some(connection) = self.connections.get_mut(&(who % PEOPLE)).and_then(Vec::pop) {
                    social.disconnect(connection, now);
                }
            }
            2 => drop(social.party_create(by)),
            3 => drop(social.party_join(by, &self.code)),
            4 => drop(social.party_leave(by)),
            5 => drop(social.party_invite(by, other, now)),
            6 => drop(social.party_promote(by, other)),
            7 => drop(social.party_kick(by, other)),
            8 => drop(social.party_ready(by, whom % 2 == 0)),
            9 => {
                let to = if whom % 3 == 0 { ChatTarget::User(other.clone()) } else { channel(whom) };
                drop(social.chat(by, &to, "hello", now));
            }
            10 => drop(social.typing(by, &channel(whom), now)),
            11 | 12 => {
                if let Some(&connection) = self.connections.get(&(who % PEOPLE)).and_then(|all| all.last()) {
                    let ChatTarget::Channel(channel) = channel(whom) else { return };
                    drop(social.listen(connection, by, channel, None));
                    drop(social.follow(connection, std::slice::from_ref(other)));
                }
            }
            13 => social.set_queued(by, whom % 2 == 0, now),
            14 => social.sit(by, &RoomId::named("a"), Sitting::Playing),
            15 => social.unseat(&by.user, &RoomId::named("a"), now),
            16 => drop(social.block(by, std::slice::from_ref(other), whom % 2 == 0)),
            17 => self.now += Duration::from_millis(100 * u64::from(whom)),
            18 => self.now += Duration::from_secs(u64::from(whom)),
            _ => drop(social.party_join(by, "ABC DEF")),
        }
        self.social.forget(self.now);
    }

    fn check(&mut self) {
        for notice in self.social.take_notices() {
            if let SocialEvent::PartyInvite { code, .. } = &notice.event {
                self.code = code.to_string();
            }
        }
        for number in 0..PEOPLE {
            let user = user(number);
            let Some(party) = self.social.party(&user) else { continue };
            let roster: Vec<_> = party.roster().collect();
            assert!(roster.len() <= MAX_PARTY, "a party has {} members", roster.len());
            assert!(roster.contains(&&user), "{user} is in a party that does not list them");
            let info = self.social.party_info(&user).expect("a party has information");
            assert_eq!(&info.leader, roster[0], "the leader comes first");
            self.code = info.code.to_string();
            for member in roster {
                let theirs = self.social.party(member).map(|party| party.roster().collect::<Vec<_>>());
                assert_eq!(theirs, Some(party.roster().collect()), "{member} is in another party");
            }
        }
    }
}

fn channel(number: u8) -> ChatTarget {
    ChatTarget::Channel(match number % 4 {
        0 => Channel::Lobby,
        1 => Channel::Party,
        2 => Channel::Room,
        _ => Channel::Private,
    })
}
