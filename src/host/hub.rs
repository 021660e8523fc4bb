//! The people of the lobby and the sink of each of their connections, shared by the rooms and the queue.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::events::EventSink;
use crate::lobby::{ConnectionId, Identity, Social, SocialEvent, SocialLimits};

/// Presence, chat and parties of the people in the lobby.
pub struct Hub {
    people: Mutex<People>,
    left: Notify,
    epoch: Instant,
    /// The time since the Unix epoch at `epoch`. A monotonic clock counts from there.
    began: Duration,
}

struct People {
    social: Social,
    sinks: HashMap<ConnectionId, Arc<dyn EventSink<SocialEvent>>>,
}

impl Hub {
    #[expect(clippy::disallowed_methods, reason = "messages carry the time of day, read once")]
    pub(super) fn new(limits: SocialLimits) -> Self {
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let people = People { social: Social::new(rand::random(), limits), sinks: HashMap::new() };
        Self { people: Mutex::new(people), left: Notify::new(), epoch: Instant::now(), began }
    }

    /// Adds a connection. Its sink gets the events that concern its user from now on.
    pub fn connect(&self, identity: &Identity, sink: Arc<dyn EventSink<SocialEvent>>) -> ConnectionId {
        let mut people = self.people();
        let connection = people.social.connect(identity);
        people.sinks.insert(connection, sink);
        people.tell();
        connection
    }

    /// Removes a connection.
    pub fn disconnect(&self, connection: ConnectionId) {
        self.people().sinks.remove(&connection);
        self.change(|social, now| social.disconnect(connection, now));
    }

    /// Calls `act` with the people and the time, and then tells everybody what concerns them.
    pub fn change<R>(&self, act: impl FnOnce(&mut Social, Duration) -> R) -> R {
        let mut people = self.people();
        let result = act(&mut people.social, self.now());
        people.tell();
        if people.social.forget_due().is_some() {
            self.left.notify_one();
        }
        result
    }

    /// Forgets people some time after they left, for as long as the host runs.
    pub(super) async fn forget(self: Arc<Self>) {
        loop {
            self.left.notified().await;
            loop {
                // A statement of its own, so that the lock is released before the wait.
                let due = self.people().social.forget_due();
                let Some(due) = due else { break };
                sleep_until(self.epoch + due.saturating_sub(self.began)).await;
                let now = self.now();
                let mut people = self.people();
                people.social.forget(now);
                people.tell();
            }
        }
    }

    fn now(&self) -> Duration {
        self.began + self.epoch.elapsed()
    }

    fn people(&self) -> MutexGuard<'_, People> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl People {
    fn tell(&mut self) {
        for notice in self.social.take_notices() {
            for sink in notice.to.iter().filter_map(|connection| self.sinks.get(connection)) {
                sink.send(&notice.event);
            }
        }
    }
}
