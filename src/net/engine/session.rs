//! The polling sessions of one endpoint, and how far each is on its way to a WebSocket.
//!
//! ```text
//!            101 is sent          3probe is sent        5 came
//! Polling ---------------> Asked ---------------> Probed ------> Upgraded
//!    ^                       |                       |
//!    +-----------------------+-----------------------+  the probe fails: nothing has happened
//! ```
//!
//! The library knows nothing of a session's probe until the client has sent `5`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use tokio::{sync::watch, time::sleep};

use crate::net::engine::inside::Inside;

/// How long a poll waits that comes while a client is free to upgrade. The client waits for its end before it upgrades.
const RELEASE_INTERVAL: Duration = Duration::from_millis(100);

/// The polling sessions of an endpoint by their ids.
#[derive(Clone, Default)]
pub(crate) struct Sessions(Arc<Mutex<HashMap<String, Weak<Session>>>>);

/// A session that began with polling. The library holds it in the extensions of its first request, and so drops it when it
/// forgets the session.
pub(crate) struct Session {
    stage: watch::Sender<Stage>,
    inside: Arc<Inside>,
    entry: OnceLock<(Sessions, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Polling,
    Asked,
    Probed,
    Upgraded,
}

/// A probe of a session, of which there is one at a time. The session polls on if this is dropped.
pub(crate) struct Probe(Arc<Session>);

impl Sessions {
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Session>> {
        self.lock().get(id)?.upgrade()
    }

    /// Adds a session, which is forgotten when it is dropped.
    pub(crate) fn add(&self, id: String, session: &Arc<Session>) {
        if session.entry.set((self.clone(), id.clone())).is_ok() {
            session.inside.name(&id);
            self.lock().insert(id, Arc::downgrade(session));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Weak<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    pub(crate) fn new(inside: Arc<Inside>) -> Arc<Self> {
        Arc::new(Self { stage: watch::Sender::new(Stage::Polling), inside, entry: OnceLock::new() })
    }

    /// Returns the namespaces that the session is in.
    pub(crate) fn inside(&self) -> Arc<Inside> {
        self.inside.clone()
    }

    /// Begins a probe. `None` if another one is on its way, or the session is a WebSocket already.
    pub(crate) fn begin_probe(self: &Arc<Self>) -> Option<Probe> {
        let begun = self.stage.send_if_modified(|stage| {
            let polls = *stage == Stage::Polling;
            if polls {
                *stage = Stage::Asked;
            }
            polls
        });
        begun.then(|| Probe(self.clone()))
    }

    /// Returns whether the client is free to upgrade, and so about to leave its HTTP connections.
    pub(crate) fn is_probed(&self) -> bool {
        *self.stage.borrow() == Stage::Probed
    }

    /// Waits until a poll must end, so that the client can upgrade.
    pub(crate) async fn release(&self) {
        let mut stage = self.stage.subscribe();
        loop {
            if *stage.borrow_and_update() == Stage::Probed {
                sleep(RELEASE_INTERVAL).await;
            } else if stage.wait_for(|stage| *stage == Stage::Probed).await.is_err() {
                // Never happens: the session holds the sender.
                return std::future::pending().await;
            }
            if self.is_probed() {
                return;
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some((sessions, id)) = self.entry.take() {
            sessions.lock().remove(&id);
        }
    }
}

impl Probe {
    /// Returns the namespaces that the session is in.
    pub(crate) fn inside(&self) -> Arc<Inside> {
        self.0.inside()
    }

    /// Notes that the client may upgrade now.
    pub(crate) fn note_probed(&self) {
        self.0.stage.send_replace(Stage::Probed);
    }

    /// Notes that the client has upgraded. Returns the session's id.
    pub(crate) fn upgrade(self) -> String {
        self.0.stage.send_replace(Stage::Upgraded);
        self.0.entry.get().map(|(_, id)| id.clone()).unwrap_or_default()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.stage.send_if_modified(|stage| {
            let failed = *stage != Stage::Upgraded;
            if failed {
                *stage = Stage::Polling;
            }
            failed
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn a_poll_waits_until_the_client_may_upgrade() {
        let session = Session::new(Arc::default());
        assert!(timeout(HOUR, session.release()).await.is_err(), "nobody probes");
        let probe = session.begin_probe().unwrap();
        assert!(timeout(HOUR, session.release()).await.is_err(), "a probe hangs");
        let waiting = tokio::spawn({
            let session = session.clone();
            async move { session.release().await }
        });
        tokio::task::yield_now().await;
        let now = Instant::now();
        probe.note_probed();
        waiting.await.unwrap();
        assert_eq!(now.elapsed(), Duration::ZERO, "the poll that waits ends at once");
        session.release().await;
        assert_eq!(now.elapsed(), RELEASE_INTERVAL, "the next one a little later");
        drop(probe);
        assert!(timeout(HOUR, session.release()).await.is_err(), "the probe failed");
    }

    #[test]
    fn one_probe_at_a_time_and_none_after_the_upgrade() {
        let (sessions, session) = (Sessions::default(), Session::new(Arc::default()));
        sessions.add("id".to_owned(), &session);
        let probe = session.begin_probe().unwrap();
        assert!(session.begin_probe().is_none());
        drop(probe);
        assert_eq!(session.begin_probe().unwrap().upgrade(), "id");
        assert!(session.begin_probe().is_none());
    }

    #[test]
    fn a_session_that_is_dropped_is_forgotten() {
        let (sessions, session) = (Sessions::default(), Session::new(Arc::default()));
        sessions.add("id".to_owned(), &session);
        assert!(Arc::ptr_eq(&sessions.find("id").unwrap(), &session));
        assert!(sessions.find("other").is_none());
        drop(session);
        assert!(sessions.find("id").is_none() && sessions.lock().is_empty());
    }
}
