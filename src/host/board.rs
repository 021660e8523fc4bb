//! The lobby's listing, shared by every room of the host, and the news of it on their way to subscribers.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, broadcast},
    time::{Instant, sleep_until},
};

use crate::{
    lobby::{Changes, RoomId, RoomList},
    room::Population,
};

/// News that a subscriber may be behind before it misses some and has to ask for the listing again.
const NEWS_KEPT: usize = 16;

pub(super) struct Board {
    lobby: Mutex<RoomList>,
    dirty: Notify,
    news: broadcast::Sender<Arc<Changes>>,
    pub(super) epoch: Instant,
}

impl Board {
    pub(super) fn new() -> Self {
        let news = broadcast::Sender::new(NEWS_KEPT);
        Self { lobby: Mutex::default(), dirty: Notify::new(), news, epoch: Instant::now() }
    }

    /// The listing, to read.
    pub(super) fn lobby(&self) -> MutexGuard<'_, RoomList> {
        self.lobby.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the listing; the news go out in time.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut RoomList) -> R) -> R {
        let result = change(&mut self.lobby());
        self.dirty.notify_one();
        result
    }

    pub(super) fn update(&self, room: &RoomId, population: Population) {
        self.change(|lobby| lobby.update(room, population.players, population.bots));
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Changes>> {
        self.news.subscribe()
    }

    /// Sends the news for as long as the host lives.
    pub(super) async fn tell_news(self: Arc<Self>) {
        loop {
            self.dirty.notified().await;
            loop {
                let Some(due) = self.lobby().flush_due() else { break };
                sleep_until(self.epoch + due).await;
                let changes = self.lobby().flush(self.now());
                if let Some(changes) = changes {
                    // Nobody may be listening.
                    let _ = self.news.send(changes);
                }
            }
        }
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }
}
