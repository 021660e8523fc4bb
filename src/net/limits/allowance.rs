//! Rates for one person, and for the clients of one address together, over all their connections.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use tokio::time::Instant;

use crate::{
    host::Refusal,
    lobby::{Identity, UserId},
    net::limits::{NetLimits, bucket::Bucket},
    protocol::ErrorCode,
};

/// The number of buckets from which on full ones are looked for and removed.
const SWEEP_FROM: usize = 1024;

/// The shares of all persons and addresses.
pub(crate) struct Allowances {
    requests: Buckets<UserId>,
    requests_of_guests: Buckets<IpAddr>,
    connects: Buckets<IpAddr>,
    new_guests: Buckets<IpAddr>,
}

impl Allowances {
    pub(crate) fn new(limits: &NetLimits) -> Self {
        Self {
            requests: Buckets::new(limits.request_burst_of_person, limits.requests_per_second_of_person),
            requests_of_guests: Buckets::new(limits.request_burst_of_address, limits.requests_per_second_of_address),
            connects: Buckets::new(limits.connect_burst_of_address, limits.connects_per_second_of_address),
            new_guests: Buckets::new(limits.new_guests_of_address, limits.new_guests_per_minute_of_address / 60.0),
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// `rate_limited` if the person, or the guests of their address, ask too often.
    pub(crate) fn take_request(&self, who: &Identity, now: Instant) -> Result<(), Refusal> {
        self.requests.take(&who.user, now)?;
        who.shared_address().map_or(Ok(()), |address| self.requests_of_guests.take(&address, now))
    }

    /// Counts an attempt to enter a namespace.
    ///
    /// # Errors
    /// `rate_limited` if the clients of the address connect too often.
    pub(crate) fn take_connect(&self, address: Option<IpAddr>, now: Instant) -> Result<(), Refusal> {
        address.map_or(Ok(()), |address| self.connects.take(&address, now))
    }

    /// Counts a new guest.
    ///
    /// # Errors
    /// `rate_limited` if too many new guests come from the address.
    pub(crate) fn take_guest(&self, address: Option<IpAddr>, now: Instant) -> Result<(), Refusal> {
        let taken = address.map_or(Ok(()), |address| self.new_guests.take(&address, now));
        taken.map_err(|Refusal { retry_after, .. }| {
            let message = "too many new guests come from your address: come back with the token of a guest, or try again later";
            Refusal::new(ErrorCode::RateLimited, message).retry_after(retry_after)
        })
    }
}

/// Buckets of one kind by their owners. One that is full is not remembered.
struct Buckets<K> {
    burst: u32,
    rate: f32,
    all: Mutex<All<K>>,
}

struct All<K> {
    buckets: HashMap<K, Bucket>,
    /// The number of buckets that the last sweep left.
    swept: usize,
}

impl<K: Clone + Eq + Hash> Buckets<K> {
    /// A burst of 0 is no limit.
    fn new(burst: u32, rate: f32) -> Self {
        Self { burst, rate, all: Mutex::new(All { buckets: HashMap::new(), swept: 0 }) }
    }

    fn take(&self, key: &K, now: Instant) -> Result<(), Refusal> {
        if self.burst == 0 {
            return Ok(());
        }
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.buckets.len() >= SWEEP_FROM.max(2 * all.swept) {
            all.buckets.retain(|_, bucket| !bucket.is_full(now));
            all.swept = all.buckets.len();
        }
        all.buckets.entry(key.clone()).or_insert_with(|| Bucket::new(self.burst, self.rate, now)).take(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, 9));

    fn guest() -> Identity {
        Identity::guest(None, &mut rand::rng()).from_address(Some(HERE))
    }

    fn taken(times: usize, mut take: impl FnMut() -> Result<(), Refusal>) -> usize {
        (0..times).filter(|_| take().is_ok()).count()
    }

    #[test]
    fn all_connections_of_a_person_share_their_requests() {
        let limits = NetLimits { request_burst_of_person: 30, requests_per_second_of_person: 10.0, ..NetLimits::default() };
        let (allowances, now, ada) = (Allowances::new(&limits), Instant::now(), guest());
        assert_eq!(taken(100, || allowances.take_request(&ada, now)), 30);
        assert_eq!(taken(100, || allowances.take_request(&ada, now + Duration::from_secs(1))), 10);
        let refusal = allowances.take_request(&ada, now + Duration::from_secs(1)).unwrap_err();
        assert_eq!(refusal.retry_after.map(|left| left.as_millis()), Some(100));
        assert_eq!(taken(100, || allowances.take_request(&guest(), now)), 100, "others have their own");
    }

    #[test]
    fn guests_of_an_address_share_its_requests() {
        let limits = NetLimits { request_burst_of_address: 50, ..NetLimits::default() };
        let (allowances, now) = (Allowances::new(&limits), Instant::now());
        assert_eq!(taken(100, || allowances.take_request(&guest(), now)), 50);
        let user = Identity { guest: false, ..guest() };
        assert_eq!(allowances.take_request(&user, now), Ok(()), "users with an account do not");
    }

    #[test]
    fn new_guests_and_connects_of_an_address_are_limited() {
        let limits = NetLimits {
            new_guests_of_address: 5,
            new_guests_per_minute_of_address: 6.0,
            connect_burst_of_address: 7,
            ..NetLimits::default()
        };
        let (allowances, now) = (Allowances::new(&limits), Instant::now());
        assert_eq!(taken(20, || allowances.take_guest(Some(HERE), now)), 5);
        assert_eq!(taken(20, || allowances.take_guest(Some(HERE), now + Duration::from_secs(20))), 2);
        assert_eq!(taken(20, || allowances.take_connect(Some(HERE), now)), 7);
        assert_eq!(taken(1000, || allowances.take_guest(None, now).and(allowances.take_connect(None, now))), 1000);
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let buckets = Buckets::new(2, 1.0);
        let start = Instant::now();
        for n in 0..10 * SWEEP_FROM as u32 {
            buckets.take(&n, start + Duration::from_millis(10) * n).unwrap();
            assert!(buckets.all.lock().unwrap().buckets.len() <= SWEEP_FROM);
        }
    }
}
