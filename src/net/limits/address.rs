//! Limits the connections and the sessions of one address, and the sessions of all.
//!
//! A session that polls outlives its connections, so sessions have counts of their own. A session that enters no namespace is forgotten
//! after [`CONNECT_TIMEOUT`]; in that time an address may begin as many sessions as it may have.
//!
//! Behind a trusted proxy an address has no connections of its own. There each request that is being answered counts as one.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::time::Instant;

use crate::{
    net::limits::{CONNECT_TIMEOUT, NetLimits, bucket::Bucket, proxies::TrustedProxies},
    observe,
};

/// The number of known addresses from which on unused ones are forgotten.
const SWEEP_FROM: usize = 1024;

/// The addresses that are connected, or were connected lately.
#[derive(Clone)]
pub(crate) struct Addresses(Arc<Shared>);

struct Shared {
    limit: usize,
    counts_local: bool,
    max_connections: usize,
    max_sessions: usize,
    proxies: TrustedProxies,
    connections: AtomicUsize,
    sessions: AtomicUsize,
    /// The polling handshakes of all clients.
    polling: Mutex<Bucket>,
    book: Mutex<Book>,
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
    sessions: usize,
    handshakes: Bucket,
}

/// One connection in the count of its address. Dropping it takes the connection out of the count.
pub(crate) struct Share {
    addresses: Addresses,
    /// The address, if it is counted.
    key: Option<IpAddr>,
    /// Whether this is a TCP connection, which counts among those of all clients.
    is_accepted: bool,
}

/// One session in the counts of its address and of the server. It is with the other counts of the session in the extensions of the
/// request that began it, which are kept as long as the session.
pub(crate) struct SessionShare {
    addresses: Addresses,
    key: Option<IpAddr>,
}

/// Counts the sessions that begin on one connection, if its address is not counted.
pub(crate) struct OwnHandshakes(Mutex<Bucket>);

/// The limit that a connection or a session exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooMany {
    OfAddress,
    OfAll,
}

impl Addresses {
    pub(crate) fn new(limits: &NetLimits, proxies: TrustedProxies) -> Self {
        Self(Arc::new(Shared {
            limit: limits.connections_per_address,
            // Once the proxies are known, no other local address is taken for one.
            counts_local: limits.counts_local_addresses || !proxies.is_empty(),
            max_connections: limits.max_connections,
            max_sessions: limits.max_sessions,
            proxies,
            connections: AtomicUsize::new(0),
            sessions: AtomicUsize::new(0),
            polling: Mutex::new(handshakes(limits.polling_handshakes)),
            book: Mutex::default(),
        }))
    }

    pub(crate) fn proxies(&self) -> &TrustedProxies {
        &self.0.proxies
    }

    /// Counts one more TCP connection. A proxy's has no limit but the one for all.
    ///
    /// # Errors
    /// The address or all clients together have as many as they may have.
    pub(crate) fn accept(&self, peer: IpAddr) -> Result<Share, TooMany> {
        let share = if self.0.proxies.contain(peer) { Some(self.uncounted()) } else { self.take(peer) };
        let mut share = share.ok_or(TooMany::OfAddress)?;
        share.is_accepted = true;
        let before = self.0.connections.fetch_add(1, Ordering::Relaxed);
        if before >= self.0.max_connections { Err(TooMany::OfAll) } else { Ok(share) }
    }

    /// Counts a request that came over a proxy's connection as a connection of its client. A peer that is no proxy has counted its
    /// connection already. `None` if the address has as many as it may have.
    pub(crate) fn request(&self, peer: IpAddr, client: IpAddr) -> Option<Share> {
        if self.0.proxies.contain(peer) { self.take(client) } else { Some(self.uncounted()) }
    }

    fn uncounted(&self) -> Share {
        Share { addresses: self.clone(), key: None, is_accepted: false }
    }

    fn take(&self, client: IpAddr) -> Option<Share> {
        let key = self.key(client);
        if let Some(key) = key {
            let mut book = self.book();
            self.sweep(&mut book);
            let account = self.account(&mut book, key);
            if account.connections >= self.0.limit {
                return None;
            }
            account.connections += 1;
        }
        Some(Share { addresses: self.clone(), key, is_accepted: false })
    }

    /// Counts the beginning of a session.
    ///
    /// # Errors
    /// The address, its connection or all clients together have as many as they may have.
    pub(crate) fn begin(&self, client: IpAddr, polls: bool, own: &OwnHandshakes) -> Result<SessionShare, TooMany> {
        let now = Instant::now();
        let key = self.key(client);
        match key {
            None if self.0.limit > 0 && !lock(&own.0).spend(1.0, now) => return Err(TooMany::OfAddress),
            None => {}
            Some(key) => {
                let mut book = self.book();
                let account = self.account(&mut book, key);
                if account.sessions >= self.0.limit || !account.handshakes.spend(1.0, now) {
                    return Err(TooMany::OfAddress);
                }
                account.sessions += 1;
            }
        }
        // From here on dropping the share undoes what was counted.
        let before = self.0.sessions.fetch_add(1, Ordering::Relaxed);
        let share = SessionShare { addresses: self.clone(), key };
        observe::sessions().increment(1);
        let is_beyond = before >= self.0.max_sessions || (polls && !lock(&self.0.polling).spend(1.0, now));
        if is_beyond { Err(TooMany::OfAll) } else { Ok(share) }
    }

    /// Returns the allowance of a connection whose address is not counted.
    pub(crate) fn own_handshakes(&self) -> OwnHandshakes {
        OwnHandshakes(Mutex::new(handshakes(self.0.limit)))
    }

    /// Returns the address under which a client's connections are counted, if they are.
    fn key(&self, client: IpAddr) -> Option<IpAddr> {
        self.counted(client).filter(|_| self.0.limit > 0)
    }

    /// Returns the address under which a client is counted by other limits, if it is.
    pub(crate) fn counted(&self, client: IpAddr) -> Option<IpAddr> {
        let client = client.to_canonical();
        (self.0.counts_local || !is_local(client)).then(|| network(client))
    }

    fn account<'a>(&self, book: &'a mut Book, key: IpAddr) -> &'a mut Account {
        let open = || Account { connections: 0, sessions: 0, handshakes: handshakes(self.0.limit) };
        book.accounts.entry(key).or_insert_with(open)
    }

    /// Forgets addresses with nothing counted and all handshakes left, whenever twice as many are known as after the last sweep.
    fn sweep(&self, book: &mut Book) {
        if book.accounts.len() < SWEEP_FROM.max(2 * book.swept) {
            return;
        }
        let now = Instant::now();
        book.accounts.retain(|_, account| account.connections + account.sessions > 0 || !account.handshakes.is_full(now));
        book.swept = book.accounts.len();
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.0.book)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a bucket for handshakes that come back within [`CONNECT_TIMEOUT`].
fn handshakes(most: usize) -> Bucket {
    Bucket::new(u32::try_from(most).unwrap_or(u32::MAX), most as f32 / CONNECT_TIMEOUT.as_secs_f32(), Instant::now())
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.is_accepted {
            self.addresses.0.connections.fetch_sub(1, Ordering::Relaxed);
        }
        let Some(key) = &self.key else { return };
        if let Some(account) = self.addresses.book().accounts.get_mut(key) {
            account.connections -= 1;
        }
    }
}

impl Drop for SessionShare {
    fn drop(&mut self) {
        self.addresses.0.sessions.fetch_sub(1, Ordering::Relaxed);
        observe::sessions().decrement(1);
        let Some(key) = &self.key else { return };
        if let Some(account) = self.addresses.book().accounts.get_mut(key) {
            account.sessions -= 1;
        }
    }
}

/// Returns whether an address is loopback, private or link-local: a machine of the host's own, or an unknown proxy's.
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
        let limits = NetLimits { connections_per_address: limit, ..NetLimits::default() };
        Addresses::new(&limits, TrustedProxies::default())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Returns how many sessions an address may begin at once, and the sessions, which end when they are dropped.
    fn begin(addresses: &Addresses, client: &str) -> (usize, Vec<SessionShare>) {
        let own = addresses.own_handshakes();
        let begun: Vec<_> = (0..1000).map_while(|_| addresses.begin(ip(client), true, &own).ok()).collect();
        (begun.len(), begun)
    }

    #[tokio::test]
    async fn an_address_has_a_limited_number_of_connections() {
        let addresses = addresses(2);
        let take = |text: &str| addresses.accept(ip(text)).ok();
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
    async fn local_addresses_are_counted_once_the_proxies_are_known() {
        let limits = NetLimits { connections_per_address: 1, ..NetLimits::default() };
        let proxies: TrustedProxies =
            ["10.1.0.0/16", "fd00::/64"].map(|text| TrustedProxies::read(text).unwrap()).into_iter().collect();
        let known = Addresses::new(&limits, proxies);
        for peer in ["127.0.0.1", "127.8.0.1", "::1", "10.1.2.3", "172.17.0.1", "192.168.0.9", "fd00::1", "fe80::1"] {
            let unknown = addresses(1);
            let all: Vec<_> = (0..3).map(|_| unknown.accept(ip(peer)).ok()).collect();
            assert!(all.iter().all(Option::is_some) && unknown.book().accounts.is_empty(), "{peer}");
            let is_proxy = known.proxies().contain(ip(peer));
            let shares = [known.accept(ip(peer)), known.accept(ip(peer))];
            assert_eq!(shares.iter().all(Result::is_ok), is_proxy, "{peer}");
            drop(shares);
            let shares = [known.take(ip(peer)), known.take(ip(peer))];
            assert!(shares[0].is_some() && shares[1].is_none(), "{peer}: a proxy that names no client is a client");
        }
        let unlimited = addresses(0);
        assert!((0..1000).map(|_| unlimited.accept(ip("8.8.8.8"))).all(|share| share.is_ok()));
        assert_eq!(begin(&unlimited, "8.8.8.8").0, 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_makes_a_limited_number_of_handshakes() {
        let addresses = addresses(20);
        assert_eq!(begin(&addresses, "8.8.8.8").0, 20);
        assert_eq!(begin(&addresses, "8.8.8.8").0, 0, "another connection brings no more");
        advance(CONNECT_TIMEOUT / 2).await;
        assert_eq!(begin(&addresses, "8.8.8.8").0, 10);
        assert_eq!(begin(&addresses, "8.8.4.4").0, 20, "each has its own");
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_has_a_limited_number_of_sessions() {
        let addresses = addresses(20);
        let (_, mut sessions) = begin(&addresses, "8.8.8.8");
        for _ in 0..5 {
            advance(CONNECT_TIMEOUT).await;
            assert_eq!(begin(&addresses, "8.8.8.8").0, 0, "sessions that last leave no room for others");
        }
        sessions.truncate(15);
        assert_eq!(begin(&addresses, "8.8.8.8").0, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_from_an_uncounted_address_makes_a_limited_number_of_handshakes() {
        let addresses = addresses(20);
        assert_eq!(begin(&addresses, "127.0.0.1").0, 20);
        assert_eq!(begin(&addresses, "127.0.0.1").0, 20, "each connection has its own");
    }

    #[tokio::test(start_paused = true)]
    async fn all_clients_together_have_a_limited_number_of_sessions() {
        let limits = NetLimits { max_connections: 3, max_sessions: 10, polling_handshakes: 5, ..NetLimits::default() };
        let addresses = Addresses::new(&limits, TrustedProxies::default());
        let own = addresses.own_handshakes();
        let begin = |client: &str, polls| addresses.begin(ip(client), polls, &own);
        let (polled, polling) = (0..8).map(|_| begin("8.8.8.8", true)).partition::<Vec<_>, _>(Result::is_ok);
        assert_eq!((polled.len(), polling.len()), (5, 3), "polling handshakes have a limit of their own");
        let direct: Vec<_> = (0..6).map(|_| begin("8.8.4.4", false)).collect();
        assert_eq!(direct.iter().filter(|begun| begun.is_ok()).count(), 5);
        assert_eq!(direct.last().and_then(|begun| begun.as_ref().err()), Some(&TooMany::OfAll));
        drop((polled, direct));
        assert!(
            (0..10).map(|_| begin("8.8.4.4", false)).collect::<Vec<_>>().iter().all(Result::is_ok),
            "what ended is not counted"
        );
        let accept = |_| addresses.accept(ip("127.0.0.1"));
        let accepted: Vec<_> = (0..4).map(accept).collect();
        assert!(accepted[..3].iter().all(Result::is_ok) && matches!(accepted[3], Err(TooMany::OfAll)));
        drop(accepted);
        assert!((0..3).map(accept).collect::<Vec<_>>().iter().all(Result::is_ok), "what ended is not counted");
    }

    #[tokio::test(start_paused = true)]
    async fn unused_addresses_are_forgotten() {
        let addresses = addresses(2);
        let stays = addresses.accept(ip("8.8.8.8"));
        let own = addresses.own_handshakes();
        for n in 0..10 * SWEEP_FROM as u32 {
            let peer = IpAddr::V4((0x0900_0000 + n).into());
            let share = addresses.accept(peer).unwrap();
            drop(addresses.begin(peer, false, &own));
            drop(share);
            advance(Duration::from_millis(50)).await;
            assert!(addresses.book().accounts.len() <= 2 * SWEEP_FROM);
        }
        assert!(addresses.book().accounts.contains_key(&ip("8.8.8.8")));
        drop(stays);
    }
}
