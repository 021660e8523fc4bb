//! One pass over the entries that may meet: oldest first, each looks for a match around itself.
//!
//! A pass over thousands of entries must take milliseconds, also when no match can be made. So entries are ranked by rating for
//! each size of party; how many are within a window is a difference of two sums, and only an entry that could be packed by
//! those numbers looks at others. What is looked at lies together, and a match is put together without asking for memory.

use std::{ops::Range, time::Duration};

use smallvec::{SmallVec, smallvec};

use super::{Mode, QueueEntry, entry::is_near, pack::Sizes};

/// How many times the people of a match, the oldest, a match is chosen from: among them the nearest region decides.
const CHOICE: usize = 2;

/// Latencies within so many milliseconds count as the same, and age decides.
const LATENCY_STEP: u16 = 20;

/// Entries of one group, oldest first.
pub(super) struct Pool<'a> {
    mode: &'a Mode,
    now: Duration,
    entries: Vec<&'a QueueEntry>,
    /// The ratings of free entries. Of the taken it is no number, which is within no window.
    ratings: Vec<f64>,
    /// By region.
    latencies: Vec<Vec<u16>>,
    /// Where each entry stands in its rank by rating.
    standing: Vec<usize>,
    /// By size of party, from 1.
    ranks: Vec<Rank>,
}

/// A match as numbers of entries in the pool, by team.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Formed {
    pub(super) teams: Vec<Vec<usize>>,
    /// The number of its region among the mode's.
    pub(super) region: Option<usize>,
    /// Seats that bots are to take.
    pub(super) bots: usize,
}

/// A few entries, as numbers in the pool.
type Entries = SmallVec<[usize; 10]>;

/// Where an entry looks for others.
struct Reach {
    low: f64,
    high: f64,
    limit: u16,
    /// By size of party, what is within the window of ratings. Latencies are not looked at.
    within: SmallVec<[Within; 8]>,
}

/// The entries of one size within a window.
struct Within {
    /// Where they stand by rating, whether or not they are taken.
    range: Range<usize>,
    /// How many are free.
    free: usize,
}

/// The entries of one size.
#[derive(Default)]
struct Rank {
    by_age: Vec<usize>,
    by_rating: Vec<usize>,
    ratings: Vec<f64>,
    /// A Fenwick tree over `by_rating`: sums of free entries.
    sums: Vec<usize>,
    /// How many of these are taken, and how many of the oldest.
    taken: usize,
    front: usize,
}

impl<'a> Pool<'a> {
    /// `entries` are oldest first.
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

    /// Every match that can be made.
    pub(super) fn matches(&mut self) -> Vec<Formed> {
        let mut matches = Vec::new();
        for at in 0..self.entries.len() {
            if self.ratings[at].is_nan() {
                continue;
            }
            // Who finds no match is no use to the others either: they are younger, and look no further than this one did.
            self.take(at);
            if let Some(formed) = self.around(at) {
                formed.teams.iter().flatten().filter(|other| **other != at).for_each(|other| self.take(*other));
                matches.push(formed);
            }
        }
        matches
    }

    /// The match that an entry makes with others.
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

    /// The regions in which an entry looks, its nearest first; none in particular if the mode has none.
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

    /// A match without bots.
    fn full(&self, at: usize, waited: Duration, reach: &Reach, region: Option<usize>) -> Option<Formed> {
        let (first, teams) = (self.entries[at].size(), self.mode.teams);
        let most = Sizes(reach.within.iter().map(|within| within.free).collect());
        let mut sizes = self.mode.sizes(waited).rev();
        let (size, parties) = sizes.by_ref().find_map(|size| Some((size, most.pack(first, teams, size)?)))?;
        // How many of a size there must be beside the one that looks.
        let missing = |parties: &[Sizes], size| needed(parties, size) - usize::from(size == first);
        let mut chosen: Entries = smallvec![at];
        if region.is_none() {
            // Whoever is within the window will do, so the numbers say it all.
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
            // There are fewer than the windows alone promised: whatever else there is may do.
            let rest = (1..near.len()).filter(|size| !is_looked_for(size));
            rest.for_each(|size| near[size] = self.near(size, reach, region, self.choice(size)));
            let found = Sizes(near.iter().map(SmallVec::len).collect());
            std::iter::once(size).chain(sizes).find_map(|size| found.pack(first, teams, size))?
        };
        (1..near.len()).for_each(|size| chosen.extend_from_slice(&near[size][..missing(&parties, size)]));
        Some(self.balance(chosen, parties, region))
    }

    /// How many entries of a size to choose from: enough to fill a match with them alone.
    fn choice(&self, size: usize) -> usize {
        CHOICE * self.mode.teams * self.mode.size.end() / size.max(1)
    }

    /// A match of whoever there is, with bots in the seats that are missing.
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

    /// So many free entries of a size within reach: the oldest, those nearest to the region first.
    fn near(&self, size: usize, reach: &Reach, region: Option<usize>, most: usize) -> Entries {
        let Within { range, free: count } = &reach.within[size];
        if most == 0 || *count == 0 {
            return Entries::new();
        }
        let (rank, ratings) = (&self.ranks[size], &self.ratings);
        let latencies = region.map(|region| &self.latencies[region]);
        let within = |at: usize| (reach.low..=reach.high).contains(&ratings[at]);
        let free = |at: &usize| within(*at) && latencies.is_none_or(|latencies| is_near(latencies[*at], reach.limit));
        let older = &rank.by_age[rank.front..];
        // By age, one entry in so many is within the window; by rating all are, but all must be looked at.
        let by_age = most * older.len() / count;
        let mut near: Entries = if range.len() < by_age {
            let mut near: Entries = rank.by_rating[range.clone()].iter().copied().filter(free).collect();
            near.sort_unstable();
            near.truncate(most);
            near
        } else {
            older.iter().copied().filter(free).take(most).collect()
        };
        if let Some(latencies) = latencies {
            near.sort_by_key(|at| latencies[*at] / LATENCY_STEP);
        }
        near
    }

    /// Puts entries into teams that need so many of each size, so that the teams are about as strong.
    fn balance(&self, mut chosen: Entries, mut needs: Vec<Sizes>, region: Option<usize>) -> Formed {
        let (size, rating) = (|at: usize| self.entries[at].size(), |at: usize| self.entries[at].rating);
        chosen.sort_by(|a, b| size(*b).cmp(&size(*a)).then(rating(*b).total_cmp(&rating(*a))));
        let mut teams = vec![Vec::new(); needs.len()];
        let mut strengths: SmallVec<[f64; 4]> = smallvec![0.0; needs.len()];
        for entry in chosen {
            let size = size(entry);
            let open = (0..teams.len()).filter(|team| needs[*team].0[size] > 0);
            let weakest = open.min_by(|a, b| strengths[*a].total_cmp(&strengths[*b]));
            let team = weakest.expect("as many entries of a size are chosen as the teams need");
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
    /// Counts the entries, of which none is taken.
    fn count(&mut self, ratings: &[f64], standing: &mut [usize]) {
        self.by_rating.iter().enumerate().for_each(|(place, at)| standing[*at] = place);
        self.ratings = self.by_rating.iter().map(|at| ratings[*at]).collect();
        // All are free: a node sums up as many as the lowest bit of its number says.
        self.sums = (1..=self.by_rating.len()).map(|node| node & node.wrapping_neg()).collect();
        (self.taken, self.front) = (0, 0);
    }

    /// Passes over the taken entries in front, where most of them are, and drops all if they are many.
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

    /// Counts the entry that stands there by rating no more.
    fn discount(&mut self, place: usize) {
        self.taken += 1;
        let mut node = place + 1;
        while node <= self.sums.len() {
            self.sums[node - 1] -= 1;
            node += node & node.wrapping_neg();
        }
    }
}

/// How many parties of a size the teams take.
fn needed(parties: &[Sizes], size: usize) -> usize {
    parties.iter().map(|team| team.0[size]).sum()
}
