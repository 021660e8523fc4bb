//! The block list: local blocks, and a stored list that other processes may change.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use tokio::time::{Instant, timeout};

use crate::lobby::UserId;

/// How long a local block overrides the stored list, which may lag behind.
const LOCAL_PRECEDENCE: Duration = Duration::from_secs(30);

/// Timeout of the stored list. After it the local list decides.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);

/// A block list that outlives the process and that other processes may change.
pub trait BlockStore: Send + Sync + 'static {
    /// Whether a user is on the list; `None` if the list cannot be read now.
    fn is_blocked<'a>(&'a self, user: &'a UserId) -> Pin<Box<dyn Future<Output = Option<bool>> + Send + 'a>>;
}

#[derive(Default)]
pub(super) struct Blocks {
    known: RwLock<HashMap<UserId, Status>>,
    kept: Option<Arc<dyn BlockStore>>,
}

/// The last known state of a user.
struct Status {
    blocked: bool,
    /// When the stored list counts again; never for users blocked by configuration.
    until: Option<Instant>,
}

impl Status {
    fn is_old(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }
}

impl Blocks {
    /// Blocks users for as long as the process lives, unless it unblocks them itself.
    pub(super) fn always(&self, users: impl IntoIterator<Item = UserId>) {
        self.write().extend(users.into_iter().map(|user| (user, Status { blocked: true, until: None })));
    }

    /// Asks a stored list from now on; `known` is its content.
    pub(super) fn keep(&mut self, kept: Arc<dyn BlockStore>, known: impl IntoIterator<Item = UserId>) {
        self.kept = Some(kept);
        for user in known {
            self.update(&user, Status { blocked: true, until: Some(Instant::now()) });
        }
    }

    pub(super) fn contains(&self, user: &UserId) -> bool {
        self.read().get(user).is_some_and(|status| status.blocked)
    }

    /// Blocks or unblocks a user. Returns `false` if that changes nothing.
    pub(super) fn set(&self, user: &UserId, blocked: bool) -> bool {
        self.update(user, Status { blocked, until: Some(Instant::now() + LOCAL_PRECEDENCE) })
    }

    /// Asks the stored list about a user. Returns `true` if they are blocked now and were not before.
    pub(super) async fn refresh(&self, user: &UserId) -> bool {
        let Some(kept) = &self.kept else { return false };
        if self.read().get(user).is_some_and(|status| !status.is_old()) {
            return false;
        }
        match timeout(STORE_TIMEOUT, kept.is_blocked(user)).await {
            Ok(Some(blocked)) => self.update(user, Status { blocked, until: Some(Instant::now()) }) && blocked,
            Ok(None) | Err(_) => false,
        }
    }

    fn update(&self, user: &UserId, status: Status) -> bool {
        let mut known = self.write();
        let blocked = status.blocked;
        if blocked && known.get(user).is_some_and(|status| status.until.is_none()) {
            return false;
        }
        // The list has blocked users only. An unblocked one stays on it just as long as the stored list may say otherwise.
        let settled = !blocked && (self.kept.is_none() || status.is_old());
        let before = if settled { known.remove(user) } else { known.insert(user.clone(), status) };
        before.is_some_and(|status| status.blocked) != blocked
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<UserId, Status>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<UserId, Status>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::ready,
        sync::atomic::{AtomicU8, Ordering},
    };

    use tokio::time::advance;

    use super::*;

    /// 0: not blocked, 1: blocked, 2: does not know.
    impl BlockStore for AtomicU8 {
        fn is_blocked<'a>(&'a self, _: &'a UserId) -> Pin<Box<dyn Future<Output = Option<bool>> + Send + 'a>> {
            Box::pin(ready([Some(false), Some(true), None][usize::from(self.load(Ordering::Relaxed))]))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_stored_list_counts_unless_a_local_change_is_recent() {
        let kept = Arc::new(AtomicU8::new(1));
        let mut blocks = Blocks::default();
        let (user, always) = (UserId::parse("mallory").unwrap(), UserId::parse("eve").unwrap());
        blocks.always([always.clone()]);
        blocks.keep(kept.clone(), [user.clone(), always.clone()]);
        kept.store(0, Ordering::Relaxed);
        for user in [&user, &always] {
            assert!(blocks.contains(user) && !blocks.refresh(user).await);
        }
        assert!(!blocks.contains(&user), "let in elsewhere, before the process began");
        kept.store(1, Ordering::Relaxed);
        assert!(blocks.refresh(&user).await && blocks.contains(&user), "blocked elsewhere");
        assert!(!blocks.refresh(&user).await, "that is known");
        kept.store(2, Ordering::Relaxed);
        assert!(!blocks.refresh(&user).await && blocks.contains(&user), "what is known counts while nobody answers");

        assert!(blocks.set(&user, false) && !blocks.set(&user, false));
        kept.store(1, Ordering::Relaxed);
        assert!(!blocks.refresh(&user).await && !blocks.contains(&user), "not written yet");
        advance(LOCAL_PRECEDENCE).await;
        assert!(blocks.refresh(&user).await && blocks.contains(&user), "blocked again elsewhere");

        assert!(!blocks.set(&user, true), "they are");
        kept.store(0, Ordering::Relaxed);
        assert!(!blocks.refresh(&user).await && blocks.contains(&user), "not written yet");
        advance(LOCAL_PRECEDENCE).await;
        assert!(!blocks.refresh(&user).await && !blocks.contains(&user), "let in elsewhere");
        assert!(!blocks.refresh(&always).await && blocks.contains(&always), "by configuration");
        assert!(blocks.set(&always, false) && !blocks.contains(&always));
        advance(LOCAL_PRECEDENCE).await;
        assert!(!blocks.refresh(&always).await && blocks.read().is_empty(), "nothing is left over");
    }
}
