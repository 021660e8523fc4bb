//! Limits the connections and the handshakes of one address.
//!
//! A session that polls outlives its connections, so handshakes have a count of their own. A session that enters no namespace is
//! forgotten after [`CONNECT_TIMEOUT`]; in that time an address may begin as many sessions as it may have connections.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

use crate::net::limits::{CONNECT_TIMEOUT, NetLimits};

/// The number of known addresses from which on unused ones are forgotten.
const SWEEP_FROM: usize = 1024;

/// The addresses that are connected, or were connected lately.
#[derive(Clone)]
pub(crate) struct Addresses {
    limit: usize,
    counts_local: bool,
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    /// IPv6 addresses are counted by network, because one machine has a whole network.
    accounts: HashMap<IpAddr, Account>,
    /// The number of accounts that the last sweep left.
    swept: usize,
}

struct Account {
    connections: usize,
    /// The handshakes that the address may make at once.
    handshakes: f32,
    filled: Instant,
}

/// One connection in the count of its address. Dropping it takes the connection out of the count.
pub(crate) struct Share(Option<Counted>);

#[derive(Clone)]
struct Counted {
    addresses: Addresses,
    key: IpAddr,
}

/// Counts the handshakes of a connection's address.
#[derive(Clone, Default)]
pub(crate) struct Handshakes(Option<Counted>);

impl Addresses {
    pub(crate) fn new(limits: &NetLimits) -> Self {
        Self { limit: limits.connections_per_address, counts_local: limits.counts_local_addresses, book: Arc::default() }
    }

    /// Counts one more connection. `None` if the address has as many as it may have.
    pub(crate) fn take(&self, peer: IpAddr) -> Option<Share> {
        let peer = peer.to_canonical();
        if self.limit == 0 || (is_local(peer) && !self.counts_local) {
            return Some(Share(None));
        }
        let key = network(peer);
        let mut book = self.book();
        self.sweep(&mut book);
        let account = book.accounts.entry(key).or_insert_with(|| self.open());
        if account.connections >= self.limit {
            return None;
        }
        account.connections += 1;
        Some(Share(Some(Counted { addresses: self.clone(), key })))
    }

    fn open(&self) -> Account {
        Account { connections: 0, handshakes: self.limit as f32, filled: Instant::now() }
    }

    fn fill(&self, account: &mut Account) {
        let rate = self.limit as f32 / CONNECT_TIMEOUT.as_secs_f32();
        let now = Instant::now();
        let more = now.saturating_duration_since(account.filled).as_secs_f32() * rate;
        account.handshakes = (account.handshakes + more).min(self.limit as f32);
        account.filled = now;
    }

    /// Forgets addresses with no connection and all handshakes left, whenever twice as many are known as after the last sweep.
    fn sweep(&self, book: &mut Book) {
        if book.accounts.len() < SWEEP_FROM.max(2 * book.swept) {
            return;
        }
        book.accounts.retain(|_, account| {
            self.fill(account);
            account.connections > 0 || account.handshakes < self.limit as f32
        });
        book.swept = book.accounts.len();
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    pub(crate) fn handshakes(&self) -> Handshakes {
        Handshakes(self.0.clone())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some(Counted { addresses, key }) = &self.0 else { return };
        if let Some(account) = addresses.book().accounts.get_mut(key) {
            account.connections -= 1;
        }
    }
}

impl Handshakes {
    /// Counts a handshake. Returns false if it is one too many.
    pub(crate) fn take(&self) -> bool {
        let Some(Counted { addresses, key }) = &self.0 else { return true };
        let mut book = addresses.book();
        let account = book.accounts.entry(*key).or_insert_with(|| addresses.open());
        addresses.fill(account);
        let taken = account.handshakes >= 1.0;
        if taken {
            account.handshakes -= 1.0;
        }
        taken
    }
}

/// Returns whether an address is loopback, private or link-local: a proxy's, or a machine of the host's own.
fn is_local(peer: IpAddr) -> bool {
    match peer {
        IpAddr::V4(peer) => peer.is_loopback() || peer.is_private() || peer.is_link_local(),
        IpAddr::V6(peer) => peer.is_loopback() || peer.is_unique_local() || peer.is_unicast_link_local(),
    }
}

/// Returns the address under which a peer is counted.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(peer) => Ipv6Addr::from_bits(peer.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    fn addresses(limit: usize) -> Addresses {
        Addresses::new(&NetLimits { connections_per_address: limit, ..NetLimits::default() })
    }

    #[tokio::test]
    async fn an_address_has_a_limited_number_of_connections() {
        let addresses = addresses(2);
        let take = |text: &str| addresses.take(text.parse().unwrap());
        for (peer, same) in [("8.8.8.8", "::ffff:8.8.8.8"), ("2001:db8::1", "2001:db8::ffff:1")] {
            let first = take(peer);
            let second = take(same);
            assert!(first.is_some() && second.is_some() && take(peer).is_none(), "{peer}");
            drop(second);
            assert!(take(same).is_some(), "{peer}");
        }
        let others = ["8.8.8.8", "8.8.8.9", "2001:db8::1", "2001:db8:0:1::1"].map(|peer| [take(peer), take(peer)]);
        assert!(others.iter().flatten().all(Option::is_some), "each has its own");
    }

    #[tokio::test]
    async fn local_addresses_and_unlimited_servers_are_not_counted() {
        for peer in ["127.0.0.1", "127.8.0.1", "::1", "10.1.2.3", "172.17.0.1", "192.168.0.9", "fd00::1", "fe80::1"] {
            let addresses = addresses(1);
            let all: Vec<_> = (0..3).map(|_| addresses.take(peer.parse().unwrap())).collect();
            assert!(all.iter().all(Option::is_some) && addresses.book().accounts.is_empty(), "{peer}");
            assert!(all.iter().flatten().all(|share| (0..100).all(|_| share.handshakes().take())));
        }
        let unlimited = addresses(0);
        assert!((0..1000).map(|_| unlimited.take("8.8.8.8".parse().unwrap())).all(|share| share.is_some()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_makes_a_limited_number_of_handshakes() {
        let addresses = addresses(20);
        let share = addresses.take("8.8.8.8".parse().unwrap()).unwrap();
        let taken = |share: &Share| (0..100).filter(|_| share.handshakes().take()).count();
        assert_eq!(taken(&share), 20);
        drop(share);
        let share = addresses.take("8.8.8.8".parse().unwrap()).unwrap();
        assert_eq!(taken(&share), 0, "another connection brings no more");
        advance(CONNECT_TIMEOUT / 2).await;
        assert_eq!(taken(&share), 10);
        assert_eq!(taken(&addresses.take("8.8.4.4".parse().unwrap()).unwrap()), 20, "each has its own");
    }

    #[tokio::test(start_paused = true)]
    async fn unused_addresses_are_forgotten() {
        let addresses = addresses(2);
        let stays = addresses.take("8.8.8.8".parse().unwrap()).unwrap();
        for n in 0..10 * SWEEP_FROM as u32 {
            let share = addresses.take(IpAddr::V4((0x0900_0000 + n).into())).unwrap();
            share.handshakes().take();
            drop(share);
            advance(Duration::from_millis(50)).await;
            assert!(addresses.book().accounts.len() <= 2 * SWEEP_FROM);
        }
        drop(stays);
    }
}
