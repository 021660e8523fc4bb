//! One pass over the entries that can be matched with each other. The oldest entry is the first to look for a match.
//!
//! A pass over thousands of entries must take milliseconds, even if it forms no match. So entries are ranked by rating for each
//! size of party, and the number of entries within a window is the difference of two prefix sums. Other entries are visited only
//! if these numbers allow a packing. The visited data is contiguous, and small vectors avoid most allocations.

use std::{ops::Range, time::Duration};

use smallvec::{SmallVec, smallvec};

use super::{Mode, QueueEntry, entry::is_near, pack::Sizes};

/// The number of candidates, as a multiple of the players of a match. The oldest entries become candidates, and those nearest to
/// the region are chosen.
const CANDIDATE_FACTOR: usize = 2;

/// The width of a latency class in milliseconds. Within a class, age decides.
const LATENCY_STEP: u16 = 20;

/// The entries of one group, oldest first.
pub(super) struct Pool<'a> {
    mode: &'a Mode,
    now: Duration,
    entries: Vec<&'a QueueEntry>,
    /// The ratings of the free entries. Taken entries have NaN, which is outside of every window.
    ratings: Vec<f64>,
    /// The latencies by region and entry.
    latencies: Vec<Vec<u16>>,
    /// The position of each entry in its rank by rating.
    standing: Vec<usize>,
    /// The ranks; the index is the size of the party.
    ranks: Vec<Rank>,
}

/// A match: for each team, the indices of its entries in the pool.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Formed {
    pub(super) teams: Vec<Vec<usize>>,
    /// The index of the region in the mode.
    pub(super) region: Option<usize>,
    /// The number of seats for bots.
    pub(super) bots: usize,
}

/// The indices of a few entries in the pool.
type Entries = SmallVec<[usize; 10]>;

/// The limits within which an entry looks for others.
struct Reach {
    low: f64,
    high: f64,
    limit: u16,
    /// The entries within the window of ratings, by size of party. Latencies are ignored.
    within: SmallVec<[Within; 8]>,
}

/// The entries of one party size within a window.
struct Within {
    /// Their positions by rating, including taken entries.
    range: Range<usize>,
    /// The number of free entries.
    free: usize,
}

/// The entries of one party size.
#[derive(Default)]
struct Rank {
    by_age: Vec<usize>,
    by_rating: Vec<usize>,
    ratings: Vec<f64>,
    /// A Fenwick tree over `by_rating` that counts the free entries.
    sums: Vec<usize>,
    /// The number of taken entries.
    taken: usize,
    /// The number of oldest entries that are known to be taken.
    front: usize,
}

impl<'a> Pool<'a> {
    /// Makes a pool. The entries must be sorted, oldest first.
    pub(super) fn new(mode: &'a Mode, entries: Vec<&'a QueueEntry>, now: Duration) -> Self {
        let mut ranks: Vec<Rank> = Vec::new();
        ranks.resize_with(mode.size.end() + 1, Rank::default);
        for (at, entry) in entries.iter().enumerate() {
            ranks[entry.size()].by_age.push(at);
        }
        let ratings: Vec<f64> = entries.iter().map(|entry| entry.rating).collect();
        let mut standing = vec![0; entries.len()];
        for rank in &mut ranks {
            rank.by_rating = rank.by_age.clone();
            rank.by_rating.sort_unstable_by(|a, b| ratings[*a].total_cmp(&ratings[*b]).then(a.cmp(b)));
            rank.count(&ratings, &mut standing);
        }
        let latencies = |region: usize| entries.iter().map(|entry| entry.latencies[region]).collect();
        let latencies = (0..mode.regions.len()).map(latencies).collect();
        Self { mode, now, entries, ratings, latencies, standing, ranks }
    }

    /// Forms every possible match.
    pub(super) fn matches(&mut self) -> Vec<Formed> {
        let mut matches = Vec::new();
        for at in 0..self.entries.len() {
            if self.ratings[at].is_nan() {
                continue;
            }
            // An entry without a match is no use to newer entries either: their limits are no wider.
            self.take(at);
            if let Some(formed) = self.around(at) {
                formed.teams.iter().flatten().filter(|other| **other != at).for_each(|other| self.take(*other));
                matches.push(formed);
            }
        }
        matches
    }

    /// Returns the match that an entry forms with others.
    fn around(&mut self, at: usize) -> Option<Formed> {
        let Self { ranks, ratings, standing, .. } = self;
        ranks.iter_mut().for_each(|rank| rank.tidy(ratings, standing));
        let waited = self.now.saturating_sub(self.entries[at].since);
        let reach = self.reach(self.entries[at].rating, waited);
        let regions = self.regions(at, reach.limit);
        regions.iter().find_map(|region| self.full(at, waited, &reach, *region)).or_else(|| {
            let due = self.mode.bots_after.is_some_and(|after| waited >= after);
            if due { regions.first().map(|region| self.with_bots(at, &reach, *region)) } else { None }
        })
    }

    fn reach(&self, rating: f64, waited: Duration) -> Reach {
        let window = self.mode.window(waited);
        let (low, high) = (rating - window, rating + window);
        let limit = self.mode.limit(waited);
        Reach { low, high, limit, within: self.ranks.iter().map(|rank| rank.within(low, high)).collect() }
    }

    /// Returns the regions that are near enough for an entry, nearest first, or a single `None` if the mode has no regions.
    fn regions(&self, at: usize, limit: u16) -> SmallVec<[Option<usize>; 4]> {
        let latencies = &self.entries[at].latencies;
        if latencies.is_empty() {
            return smallvec![None];
        }
        let mut near: SmallVec<[(u16, usize); 4]> =
            latencies.iter().copied().zip(0..).filter(|(ms, _)| is_near(*ms, limit)).collect();
        near.sort_unstable();
        near.into_iter().map(|(_, region)| Some(region)).collect()
    }

    /// Forms a match without bots.
    fn full(&self, at: usize, waited: Duration, reach: &Reach, region: Option<usize>) -> Option<Formed> {
        let (first, teams) = (self.entries[at].size(), self.mode.teams);
        let available = Sizes(reach.within.iter().map(|within| within.free).collect());
        let mut sizes = self.mode.sizes(waited).rev();
        let (size, parties) = sizes.by_ref().find_map(|size| Some((size, available.pack(first, teams, size)?)))?;
        // The number of entries of a size that are needed in addition to the entry at `at`.
        let missing = |parties: &[Sizes], size| needed(parties, size) - usize::from(size == first);
        let mut chosen: Entries = smallvec![at];
        if region.is_none() {
            // Every entry within the window is acceptable, so the packing by numbers holds.
            (1..self.ranks.len()).for_each(|size| chosen.extend(self.near(size, reach, region, missing(&parties, size))));
            return Some(self.balance(chosen, parties, None));
        }
        let mut near: SmallVec<[Entries; 8]> = smallvec![Entries::new(); self.ranks.len()];
        let is_looked_for = |size: &usize| missing(&parties, *size) > 0;
        (1..near.len()).filter(is_looked_for).for_each(|size| near[size] = self.near(size, reach, region, self.choice(size)));
        let enough = (1..near.len()).all(|size| near[size].len() >= missing(&parties, size));
        let parties = if enough {
            parties
        } else {
            // The latency limits leave too few entries of some size, so pack again with all sizes.
            let rest = (1..near.len()).filter(|size| !is_looked_for(size));
            rest.for_each(|size| near[size] = self.near(size, reach, region, self.choice(size)));
            let found = Sizes(near.iter().map(SmallVec::len).collect());
            std::iter::once(size).chain(sizes).find_map(|size| found.pack(first, teams, size))?
        };
        (1..near.len()).for_each(|size| chosen.extend_from_slice(&near[size][..missing(&parties, size)]));
        Some(self.balance(chosen, parties, region))
    }

    /// Returns the number of candidates of a size. They alone would be enough to fill a match.
    fn choice(&self, size: usize) -> usize {
        CANDIDATE_FACTOR * self.mode.teams * self.mode.size.end() / size.max(1)
    }

    /// Forms a match with the entries within reach, and with bots in the missing seats.
    fn with_bots(&self, at: usize, reach: &Reach, region: Option<usize>) -> Formed {
        let size = *self.mode.size.start().max(&self.entries[at].size());
        let mut near: Vec<usize> =
            (1..self.ranks.len()).flat_map(|size| self.near(size, reach, region, self.choice(size))).collect();
        near.sort_unstable();
        let mut teams = vec![Vec::new(); self.mode.teams];
        let mut rooms = vec![size; self.mode.teams];
        for entry in std::iter::once(at).chain(near) {
            let party = self.entries[entry].size();
            let roomiest = (0..rooms.len()).max_by_key(|team| (rooms[*team], usize::MAX - team));
            if let Some(team) = roomiest.filter(|team| rooms[*team] >= party) {
                rooms[team] -= party;
                teams[team].push(entry);
            }
        }
        Formed { teams, region, bots: rooms.iter().sum() }
    }

    /// Returns up to `max` of the oldest free entries of a size within reach, nearest to the region first.
    fn near(&self, size: usize, reach: &Reach, region: Option<usize>, max: usize) -> Entries {
        let Within { range, free: count } = &reach.within[size];
        if max == 0 || *count == 0 {
            return Entries::new();
        }
        let (rank, ratings) = (&self.ranks[size], &self.ratings);
        let latencies = region.map(|region| &self.latencies[region]);
        let within = |at: usize| (reach.low..=reach.high).contains(&ratings[at]);
        let free = |at: &usize| within(*at) && latencies.is_none_or(|latencies| is_near(latencies[*at], reach.limit));
        let older = &rank.by_age[rank.front..];
        // By age, only some entries are within the window, but the search can stop early. By rating, all are, but all must be
        // visited.
        let by_age = max * older.len() / count;
        let mut near: Entries = if range.len() < by_age {
            let mut near: Entries = rank.by_rating[range.clone()].iter().copied().filter(free).collect();
            near.sort_unstable();
            near.truncate(max);
            near
        } else {
            older.iter().copied().filter(free).take(max).collect()
        };
        if let Some(latencies) = latencies {
            near.sort_by_key(|at| latencies[*at] / LATENCY_STEP);
        }
        near
    }

    /// Deals entries to teams according to the packing, so that the teams are about equally strong.
    fn balance(&self, mut chosen: Entries, mut needs: Vec<Sizes>, region: Option<usize>) -> Formed {
        let (size, rating) = (|at: usize| self.entries[at].size(), |at: usize| self.entries[at].rating);
        chosen.sort_by(|a, b| size(*b).cmp(&size(*a)).then(rating(*b).total_cmp(&rating(*a))));
        let mut teams = vec![Vec::new(); needs.len()];
        let mut strengths: SmallVec<[f64; 4]> = smallvec![0.0; needs.len()];
        for entry in chosen {
            let size = size(entry);
            let open = (0..teams.len()).filter(|team| needs[*team].0[size] > 0);
            let weakest = open.min_by(|a, b| strengths[*a].total_cmp(&strengths[*b]));
            let team = weakest.expect("the packing needs exactly the chosen entries");
            needs[team].0[size] -= 1;
            strengths[team] += rating(entry) * size as f64;
            teams[team].push(entry);
        }
        Formed { teams, region, bots: 0 }
    }

    fn take(&mut self, at: usize) {
        self.ratings[at] = f64::NAN;
        self.ranks[self.entries[at].size()].discount(self.standing[at]);
    }
}

impl Rank {
    /// Rebuilds the positions and sums. No entry may be taken.
    fn count(&mut self, ratings: &[f64], standing: &mut [usize]) {
        self.by_rating.iter().enumerate().for_each(|(place, at)| standing[*at] = place);
        self.ratings = self.by_rating.iter().map(|at| ratings[*at]).collect();
        // All entries are free, so each Fenwick node counts as many entries as the lowest set bit of its number.
        self.sums = (1..=self.by_rating.len()).map(|node| node & node.wrapping_neg()).collect();
        (self.taken, self.front) = (0, 0);
    }

    /// Skips the taken entries at the front, and removes all taken entries if they are over a quarter.
    fn tidy(&mut self, ratings: &[f64], standing: &mut [usize]) {
        let is_taken = |at: &usize| ratings[*at].is_nan();
        if self.taken * 4 > self.by_age.len() {
            self.by_age.retain(|at| !is_taken(at));
            self.by_rating.retain(|at| !is_taken(at));
            self.count(ratings, standing);
        }
        self.front += self.by_age[self.front..].iter().take_while(|at| is_taken(at)).count();
    }

    fn within(&self, low: f64, high: f64) -> Within {
        let start = self.ratings.partition_point(|rating| *rating < low);
        let end = start + self.ratings[start..].partition_point(|rating| *rating <= high);
        Within { range: start..end, free: self.sum(end) - self.sum(start) }
    }

    fn sum(&self, before: usize) -> usize {
        let (mut node, mut sum) = (before, 0);
        while node > 0 {
            sum += self.sums[node - 1];
            node &= node - 1;
        }
        sum
    }

    /// Removes the entry at a position from the count of free entries.
    fn discount(&mut self, place: usize) {
        self.taken += 1;
        let mut node = place + 1;
        while node <= self.sums.len() {
            self.sums[node - 1] -= 1;
            node += node & node.wrapping_neg();
        }
    }
}

/// Returns the number of parties of a size in a packing.
fn needed(parties: &[Sizes], size: usize) -> usize {
    parties.iter().map(|team| team.0[size]).sum()
}
