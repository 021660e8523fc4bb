//! The list of rooms, shared by every room of the host, and its changes on their way to subscribers.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, broadcast},
    time::{Instant, sleep_until},
};

use super::limits::Limits;
use crate::{
    lobby::{Changes, Listing, Missed, RoomId, RoomList, Search},
    room::Population,
};

/// How many changes a subscriber may be behind. One that is further behind has to read the list again.
const CHANGES_KEPT: usize = 16;

/// The listed rooms at one point in time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedRooms {
    /// The number of the newest change. Changes with higher numbers apply to this list; a change may repeat what is in it.
    pub seq: u64,
    /// The rooms.
    pub rooms: Vec<Listing>,
}

/// The changes of the listing since an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangesSince {
    /// The number of the newest change.
    pub seq: u64,
    /// The changes, oldest first. `None` if some of them are not kept any more: then the list has to be read again.
    pub changes: Option<Vec<Arc<Changes>>>,
}

pub(super) struct Board {
    lobby: Mutex<RoomList>,
    dirty: Notify,
    news: broadcast::Sender<Arc<Changes>>,
    pub(super) epoch: Instant,
}

impl Board {
    pub(super) fn new(limits: &Limits) -> Self {
        let news = broadcast::Sender::new(CHANGES_KEPT);
        Self { lobby: Mutex::new(RoomList::new(limits.codes_kept)), dirty: Notify::new(), news, epoch: Instant::now() }
    }

    /// The list, to read.
    pub(super) fn lobby(&self) -> MutexGuard<'_, RoomList> {
        self.lobby.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The listed rooms that match a search.
    pub(super) fn rooms(&self, search: &Search) -> ListedRooms {
        let (seq, rooms) = self.lobby().rooms(search);
        ListedRooms { seq, rooms }
    }

    pub(super) fn changes_since(&self, seq: u64) -> ChangesSince {
        let (seq, missed) = self.lobby().missed(seq);
        let changes = match missed {
            Missed::News(changes) => Some(changes),
            Missed::TooMany => None,
        };
        ChangesSince { seq, changes }
    }

    /// Changes the list. Subscribers are told with the next flush.
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

    /// Sends the changes to the subscribers for as long as the host runs.
    pub(super) async fn tell_news(self: Arc<Self>) {
        loop {
            self.dirty.notified().await;
            loop {
                let Some(due) = self.lobby().flush_due() else { break };
                sleep_until(self.epoch + due).await;
                let changes = self.lobby().flush(self.now());
                if let Some(changes) = changes {
                    // There may be no subscribers.
                    let _ = self.news.send(changes);
                }
            }
        }
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }
}
