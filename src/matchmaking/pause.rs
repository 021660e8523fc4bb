//! Pauses that grow with each fault, for users who break ready checks, and for whoever guesses codes.

use std::{collections::HashMap, hash::Hash, time::Duration};

/// The number of records from which on forgiven ones are looked for and removed.
const SWEEP_FROM: usize = 256;

/// How long the pauses are. Each fault makes the next pause twice as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PauseRule {
    /// The faults without a pause.
    pub free: u32,
    /// The first pause. 0 turns pauses off.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// One fault is forgiven each time this passes without another.
    pub forgiven_after: Duration,
}

impl Default for PauseRule {
    fn default() -> Self {
        Self {
            free: 0,
            first: Duration::from_secs(10),
            longest: Duration::from_secs(600),
            forgiven_after: Duration::from_secs(1800),
        }
    }
}

/// Those who committed faults lately, and how long each must pause.
#[derive(Debug)]
pub(crate) struct Pauses<K> {
    rule: PauseRule,
    records: HashMap<K, Record>,
    /// The number of records that the last sweep left.
    swept: usize,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    faults: u32,
    newest: Duration,
    until: Duration,
}

impl<K> Default for Pauses<K> {
    fn default() -> Self {
        Self { rule: PauseRule::default(), records: HashMap::new(), swept: 0 }
    }
}

impl<K: Clone + Eq + Hash> Pauses<K> {
    pub(crate) fn new(rule: PauseRule) -> Self {
        Self { rule, ..Self::default() }
    }

    /// Counts a fault.
    pub(crate) fn add(&mut self, key: &K, now: Duration) {
        self.sweep(now);
        let faults = self.records.get(key).map_or(0, |record| record.unforgiven(self.rule, now)) + 1;
        let pause = match faults.checked_sub(self.rule.free + 1) {
            Some(doublings) => self.rule.first.saturating_mul(1 << doublings.min(30)).min(self.rule.longest),
            None => Duration::ZERO,
        };
        self.records.insert(key.clone(), Record { faults, newest: now, until: now + pause });
    }

    /// Returns how much longer a pause lasts.
    pub(crate) fn left(&self, key: &K, now: Duration) -> Option<Duration> {
        self.records.get(key).and_then(|record| record.until.checked_sub(now)).filter(|left| !left.is_zero())
    }

    /// Removes records with nothing left to forgive, whenever twice as many are there as after the last sweep.
    fn sweep(&mut self, now: Duration) {
        if self.records.len() >= SWEEP_FROM.max(2 * self.swept) {
            let rule = self.rule;
            self.records.retain(|_, record| record.until > now || record.unforgiven(rule, now) > 0);
            self.swept = self.records.len();
        }
    }
}

impl Record {
    /// Returns the number of faults that are not forgiven yet.
    fn unforgiven(&self, rule: PauseRule, now: Duration) -> u32 {
        let quiet = now.saturating_sub(self.newest).as_nanos();
        let forgiven = quiet.checked_div(rule.forgiven_after.as_nanos()).unwrap_or(0);
        self.faults.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lobby::UserId;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn user(n: usize) -> UserId {
        UserId::parse(&format!("user-{n}")).unwrap()
    }

    #[test]
    fn each_fault_doubles_the_pause_up_to_a_limit() {
        let mut pauses = Pauses::default();
        let mut now = seconds(100);
        let mut seen = Vec::new();
        for _ in 0..9 {
            pauses.add(&user(0), now);
            let left = pauses.left(&user(0), now).unwrap();
            seen.push(left.as_secs());
            assert_eq!(pauses.left(&user(0), now + left), None);
            assert_eq!(pauses.left(&user(1), now), None, "others may queue");
            now += left;
        }
        assert_eq!(seen, [10, 20, 40, 80, 160, 320, 600, 600, 600]);
    }

    #[test]
    fn faults_are_forgiven_one_by_one() {
        let mut pauses = Pauses::default();
        (0..3).for_each(|_| pauses.add(&user(0), seconds(0)));
        pauses.add(&user(0), seconds(2 * 1800));
        assert_eq!(pauses.left(&user(0), seconds(2 * 1800)), Some(seconds(20)), "one of three is left, and this is the second");
        pauses.add(&user(0), seconds(100 * 1800));
        assert_eq!(pauses.left(&user(0), seconds(100 * 1800)), Some(seconds(10)));
    }

    #[test]
    fn records_with_nothing_to_forgive_are_removed() {
        let mut pauses = Pauses::default();
        for n in 0..10 * SWEEP_FROM {
            pauses.add(&user(n), seconds(n as u64 * 1800));
            assert!(pauses.records.len() <= SWEEP_FROM);
        }
    }

    #[test]
    fn the_first_faults_may_be_free() {
        let mut pauses = Pauses::new(PauseRule { free: 2, ..PauseRule::default() });
        let mut left = || {
            pauses.add(&user(0), seconds(5));
            pauses.left(&user(0), seconds(5)).map(|left| left.as_secs())
        };
        assert_eq!([left(), left(), left(), left()], [None, None, Some(10), Some(20)]);
    }

    #[test]
    fn a_rule_of_zero_pauses_nobody() {
        let mut pauses = Pauses::new(PauseRule { first: Duration::ZERO, ..PauseRule::default() });
        pauses.add(&user(0), seconds(1));
        assert_eq!(pauses.left(&user(0), seconds(1)), None);
    }
}
