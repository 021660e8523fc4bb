//! Parties and friends of people who come and go, without a network and in virtual time.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tickcast::{
    host::{EventSink, Host, RoomOptions},
    lobby::{ConnectionId, Identity, PresenceStatus, SocialEvent},
};

use crate::{
    host::{ada, enter, host, options, seconds, walk_in},
    server::GRACE,
};

/// Records the events that a connection to the lobby would get.
#[derive(Default)]
struct Heard(Mutex<Vec<SocialEvent>>);

impl EventSink<SocialEvent> for Heard {
    fn send(&self, event: &SocialEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Heard {
    /// How many members each party had that was told of.
    fn parties(&self) -> Vec<usize> {
        let size = |event| if let SocialEvent::Party(party) = event { Some(party.members.len()) } else { None };
        std::mem::take(&mut *self.0.lock().unwrap()).into_iter().filter_map(size).collect()
    }

    fn statuses(&self) -> Vec<PresenceStatus> {
        let status = |event| if let SocialEvent::Presence(person) = event { Some(person.status) } else { None };
        std::mem::take(&mut *self.0.lock().unwrap()).into_iter().filter_map(status).collect()
    }
}

fn come(host: &Host, who: &Identity) -> (ConnectionId, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    (host.social().connect(who, heard.clone()), heard)
}

#[tokio::test(start_paused = true)]
async fn an_absent_party_member_is_out_after_a_minute() {
    let (host, ada, bob) = (host(), ada(), ada());
    let ((_, heard), (bobs, _)) = (come(&host, &ada), come(&host, &bob));
    host.social().change(|social, _| {
        social.party_create(&ada).unwrap();
        let code = social.party(&ada.user).unwrap().code.clone();
        social.party_join(&bob, code.as_str()).unwrap();
    });
    host.social().disconnect(bobs);
    seconds(30.0).await;
    let (bobs, bob_heard) = come(&host, &bob);
    host.social().disconnect(bobs);
    assert_eq!(bob_heard.parties(), [2], "back in time");
    seconds(59.0).await;
    assert_eq!(heard.parties(), [1, 2, 2, 2, 2]);
    seconds(1.0).await;
    assert_eq!(heard.parties(), [1]);
    assert_eq!(host.social().change(|social, _| social.status(&bob.user)), PresenceStatus::Offline);
}

#[tokio::test(start_paused = true)]
async fn friends_see_a_held_seat_until_it_is_given_up() {
    let (host, ada, bob) = (host(), ada(), ada());
    let (follower, heard) = come(&host, &ada);
    host.social().change(|social, _| social.follow(follower, std::slice::from_ref(&bob.user))).unwrap();
    let admission = host.create("duel", &RoomOptions::default(), &bob).unwrap();
    assert_eq!(heard.statuses(), [], "a ticket is no seat");
    let (connection, memory) = walk_in(&host, &admission.ticket);
    seconds(1.0).await;
    connection.disconnect();
    assert_eq!(heard.statuses(), [PresenceStatus::Match, PresenceStatus::Away]);
    let back = host.claim_back(&memory.resume(), None).unwrap();
    enter(&back);
    back.disconnect();
    seconds(GRACE + 0.2).await;
    assert_eq!(heard.statuses(), [PresenceStatus::Match, PresenceStatus::Away, PresenceStatus::Offline]);
    let admission = host.create("duel", &options(json!({"panic_at": 20})), &bob).unwrap();
    walk_in(&host, &admission.ticket);
    seconds(2.0).await;
    assert_eq!(heard.statuses(), [PresenceStatus::Match, PresenceStatus::Offline]);
}
