//! The block list: what this process knows, and what is kept where others change it.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use tokio::time::{Instant, timeout};

use crate::lobby::UserId;

/// How long a word of this process counts more than what is kept, which may not have been told yet.
const OWN_WORD: Duration = Duration::from_secs(30);

/// How long whoever keeps blocks may take to answer; then what is known here counts.
const PATIENCE: Duration = Duration::from_secs(1);

/// A block list that outlives the process, and that others may change.
pub trait BlockStore: Send + Sync + 'static {
    /// Whether somebody is on it; `None` if that cannot be told now.
    fn is_blocked<'a>(&'a self, user: &'a UserId) -> Pin<Box<dyn Future<Output = Option<bool>> + Send + 'a>>;
}

#[derive(Default)]
pub(super) struct Blocks {
    known: RwLock<HashMap<UserId, Word>>,
    kept: Option<Arc<dyn BlockStore>>,
}

/// What was said of somebody.
struct Word {
    blocked: bool,
    /// When what is kept counts again; never for who is blocked by configuration.
    until: Option<Instant>,
}

impl Word {
    fn is_old(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }
}

impl Blocks {
    /// Blocks people for as long as the process lives, unless it lets them in itself.
    pub(super) fn always(&self, users: impl IntoIterator<Item = UserId>) {
        self.write().extend(users.into_iter().map(|user| (user, Word { blocked: true, until: None })));
    }

    /// Asks somebody else from now on; `known` is who is blocked there.
    pub(super) fn keep(&mut self, kept: Arc<dyn BlockStore>, known: impl IntoIterator<Item = UserId>) {
        self.kept = Some(kept);
        for user in known {
            self.say(&user, Word { blocked: true, until: Some(Instant::now()) });
        }
    }

    pub(super) fn contains(&self, user: &UserId) -> bool {
        self.read().get(user).is_some_and(|word| word.blocked)
    }

    /// Blocks somebody, or lets them in again. False if that changes nothing.
    pub(super) fn set(&self, user: &UserId, blocked: bool) -> bool {
        self.say(user, Word { blocked, until: Some(Instant::now() + OWN_WORD) })
    }

    /// Asks what is kept about somebody. True if they are blocked now and were not before.
    pub(super) async fn refresh(&self, user: &UserId) -> bool {
        let Some(kept) = &self.kept else { return false };
        if self.read().get(user).is_some_and(|word| !word.is_old()) {
            return false;
        }
        match timeout(PATIENCE, kept.is_blocked(user)).await {
            Ok(Some(blocked)) => self.say(user, Word { blocked, until: Some(Instant::now()) }) && blocked,
            Ok(None) | Err(_) => false,
        }
    }

    fn say(&self, user: &UserId, word: Word) -> bool {
        let mut known = self.write();
        let blocked = word.blocked;
        if blocked && known.get(user).is_some_and(|word| word.until.is_none()) {
            return false;
        }
        // Who may come in is everybody else: a word about them is only worth keeping while others may still say otherwise.
        let settled = !blocked && (self.kept.is_none() || word.is_old());
        let before = if settled { known.remove(user) } else { known.insert(user.clone(), word) };
        before.is_some_and(|word| word.blocked) != blocked
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<UserId, Word>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<UserId, Word>> {
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
    async fn what_is_kept_counts_unless_this_process_spoke_of_late() {
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
        advance(OWN_WORD).await;
        assert!(blocks.refresh(&user).await && blocks.contains(&user), "blocked again elsewhere");

        assert!(!blocks.set(&user, true), "they are");
        kept.store(0, Ordering::Relaxed);
        assert!(!blocks.refresh(&user).await && blocks.contains(&user), "not written yet");
        advance(OWN_WORD).await;
        assert!(!blocks.refresh(&user).await && !blocks.contains(&user), "let in elsewhere");
        assert!(!blocks.refresh(&always).await && blocks.contains(&always), "by configuration");
        assert!(blocks.set(&always, false) && !blocks.contains(&always));
        advance(OWN_WORD).await;
        assert!(!blocks.refresh(&always).await && blocks.read().is_empty(), "nothing is left over");
    }
}
