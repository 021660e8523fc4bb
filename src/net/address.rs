//! How many connections come from one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::NetLimits;

/// The addresses that are connected.
#[derive(Clone)]
pub(super) struct Addresses {
    most: usize,
    counts_local: bool,
    /// Connections by address; of IPv6 by network, as one machine has a whole one.
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection's place in the count of its address; given up with it.
pub(super) struct Share {
    counted: Option<(Addresses, IpAddr)>,
}

impl Addresses {
    pub(super) fn new(limits: &NetLimits) -> Self {
        Self { most: limits.connections_per_address, counts_local: limits.counts_local_addresses, counts: Arc::default() }
    }

    /// A share for one more connection; nothing if the address has them all.
    pub(super) fn take(&self, peer: IpAddr) -> Option<Share> {
        let peer = peer.to_canonical();
        if self.most == 0 || (is_local(peer) && !self.counts_local) {
            return Some(Share { counted: None });
        }
        let key = network(peer);
        let mut counts = self.counts();
        let count = counts.entry(key).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Share { counted: Some((self.clone(), key)) })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((addresses, key)) = &self.counted else { return };
        let mut counts = addresses.counts();
        match counts.get_mut(key) {
            Some(count @ 2..) => *count -= 1,
            _ => drop(counts.remove(key)),
        }
    }
}

/// Whether an address means nothing outside: behind it is a proxy, or a machine of one's own.
fn is_local(peer: IpAddr) -> bool {
    match peer {
        IpAddr::V4(peer) => peer.is_loopback() || peer.is_private() || peer.is_link_local(),
        IpAddr::V6(peer) => peer.is_loopback() || peer.is_unique_local() || peer.is_unicast_link_local(),
    }
}

fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(peer) => Ipv6Addr::from_bits(peer.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(most: usize) -> Addresses {
        Addresses::new(&NetLimits { connections_per_address: most, ..NetLimits::default() })
    }

    #[test]
    fn an_address_has_so_many_connections_at_a_time() {
        let addresses = addresses(2);
        let take = |text: &str| addresses.take(text.parse().unwrap());
        for (peer, same) in [("8.8.8.8", "::ffff:8.8.8.8"), ("2001:db8::1", "2001:db8::ffff:1")] {
            let first = take(peer);
            let second = take(same);
            assert!(first.is_some() && second.is_some() && take(peer).is_none(), "{peer}");
            drop(second);
            assert!(take(same).is_some(), "{peer}");
        }
        assert!(addresses.counts().is_empty());
        let others = ["8.8.8.8", "8.8.8.9", "2001:db8::1", "2001:db8:0:1::1"].map(|peer| [take(peer), take(peer)]);
        assert!(others.iter().flatten().all(Option::is_some), "each has its own");
    }

    #[test]
    fn proxies_and_unlimited_servers_are_not_counted() {
        for peer in ["127.0.0.1", "127.8.0.1", "::1", "10.1.2.3", "172.17.0.1", "192.168.0.9", "fd00::1", "fe80::1"] {
            let addresses = addresses(1);
            let all: Vec<_> = (0..3).map(|_| addresses.take(peer.parse().unwrap())).collect();
            assert!(all.iter().all(Option::is_some) && addresses.counts().is_empty(), "{peer}");
        }
        let unlimited = addresses(0);
        assert!((0..1000).map(|_| unlimited.take("8.8.8.8".parse().unwrap())).all(|share| share.is_some()));
    }
}
