//! One pass over the tickets that may meet: oldest first, each looks for a match around itself.
//!
//! A pass over thousands of tickets must take milliseconds, also when no match can be made. So tickets are ranked by rating for
//! each size of party; how many are within a window is a difference of two sums, and only a ticket that could be packed by
//! those numbers looks at others.

use std::time::Duration;

use smallvec::{SmallVec, smallvec};

use super::{Mode, Ticket, pack::Sizes};

/// How many times the people of a match, the oldest, a match is chosen from: among them the nearest region decides.
const CHOICE: usize = 2;

/// The latency of a ticket to a region, if it has measured none.
const UNMEASURED: u16 = u16::MAX - 1;

/// The latency of a ticket to a region, if it has measured others.
const TOO_FAR: u16 = u16::MAX;

/// Latencies within so many milliseconds count as the same, and age decides.
const LATENCY_STEP: u16 = 20;

/// Tickets of one group, oldest first.
pub(super) struct Pool<'a> {
    mode: &'a Mode,
    now: Duration,
    tickets: Vec<&'a Ticket>,
    /// The tickets' ratings, and latencies by region: what is looked at most lies together.
    ratings: Vec<f64>,
    latencies: Vec<Vec<u16>>,
    taken: Vec<bool>,
    /// By size of party, from 1.
    ranks: Vec<Rank>,
}

/// A match as numbers of tickets in the pool, by team.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Formed {
    pub(super) teams: Vec<Vec<usize>>,
    /// The number of its region among the mode's.
    pub(super) region: Option<usize>,
    /// Seats that bots are to take.
    pub(super) bots: usize,
}

/// Where a ticket looks for others.
#[derive(Clone, Copy)]
struct Reach {
    region: Option<usize>,
    low: f64,
    high: f64,
    limit: u16,
}

/// The tickets of one size.
#[derive(Default)]
struct Rank {
    by_age: Vec<usize>,
    by_rating: Vec<usize>,
    ratings: Vec<f64>,
    /// A Fenwick tree over `by_rating`: sums of free tickets.
    sums: Vec<usize>,
    /// How many in `by_age` are taken.
    taken: usize,
}

impl<'a> Pool<'a> {
    /// `tickets` are oldest first.
    pub(super) fn new(mode: &'a Mode, tickets: Vec<&'a Ticket>, now: Duration) -> Self {
        let mut ranks: Vec<Rank> = Vec::new();
        ranks.resize_with(mode.size.end() + 1, Rank::default);
        for (at, ticket) in tickets.iter().enumerate() {
            ranks[ticket.size()].by_age.push(at);
        }
        let ratings: Vec<f64> = tickets.iter().map(|ticket| ticket.rating).collect();
        ranks.iter_mut().for_each(|rank| rank.sort(&ratings));
        let latencies = |region| tickets.iter().map(|ticket| latency(ticket, region)).collect();
        let latencies = (0..mode.regions.len()).map(latencies).collect();
        Self { mode, now, taken: vec![false; tickets.len()], tickets, ratings, latencies, ranks }
    }

    /// Every match that can be made.
    pub(super) fn matches(&mut self) -> Vec<Formed> {
        let mut matches = Vec::new();
        for at in 0..self.tickets.len() {
            if self.taken[at] {
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

    /// The match that a ticket makes with others.
    fn around(&mut self, at: usize) -> Option<Formed> {
        let waited = self.now.saturating_sub(self.tickets[at].since);
        let reaches = self.reaches(at, waited);
        reaches.iter().find_map(|reach| self.full(at, waited, *reach)).or_else(|| {
            let due = self.mode.bots_after.is_some_and(|after| waited >= after);
            if due { reaches.first().map(|reach| self.with_bots(at, *reach)) } else { None }
        })
    }

    /// Where a ticket looks: in its nearest region first.
    fn reaches(&self, at: usize, waited: Duration) -> SmallVec<[Reach; 4]> {
        let (ticket, window) = (self.tickets[at], self.mode.window(waited));
        let limit = self.mode.limit(waited).min(UNMEASURED - 1);
        let reach = |region| Reach { region, low: ticket.rating - window, high: ticket.rating + window, limit };
        if ticket.latencies.is_empty() {
            return smallvec![reach(None)];
        }
        let unmeasured = ticket.latencies.iter().all(Option::is_none);
        let mut regions: SmallVec<[(u16, usize); 4]> = (0..)
            .zip(&ticket.latencies)
            .filter_map(|(region, ms)| Some((ms.or(unmeasured.then_some(0))?, region)))
            .filter(|(ms, _)| *ms <= limit)
            .collect();
        regions.sort_unstable();
        regions.into_iter().map(|(_, region)| reach(Some(region))).collect()
    }

    /// A match without bots.
    fn full(&mut self, at: usize, waited: Duration, reach: Reach) -> Option<Formed> {
        let (first, teams) = (self.tickets[at].size(), self.mode.teams);
        let most = Sizes(self.ranks.iter().map(|rank| rank.count(reach)).collect());
        let mut sizes = self.mode.sizes(waited).rev();
        let (size, parties) = sizes.by_ref().find_map(|size| Some((size, most.pack(first, teams, size)?)))?;
        if reach.region.is_none() {
            // Whoever is within the window will do, so the numbers say it all.
            let near = (0..self.ranks.len()).map(|size| self.near(size, reach, needed(&parties, size))).collect::<Vec<_>>();
            return Some(Formed { teams: self.balance(at, &parties, &near), region: None, bots: 0 });
        }
        let look = |pool: &mut Self, size| pool.near(size, reach, pool.choice(size));
        let is_needed = |size| needed(&parties, size) > usize::from(size == first && needed(&parties, size) == 1);
        let mut near: Vec<Vec<usize>> =
            (0..self.ranks.len()).map(|size| if is_needed(size) { look(self, size) } else { Vec::new() }).collect();
        if (0..near.len()).all(|size| near[size].len() + usize::from(size == first) >= needed(&parties, size)) {
            return Some(Formed { teams: self.balance(at, &parties, &near), region: reach.region, bots: 0 });
        }
        // There are fewer than the windows alone promised: whatever else there is may do.
        (0..near.len()).filter(|size| !is_needed(*size)).for_each(|size| near[size] = look(self, size));
        let found = Sizes(near.iter().map(Vec::len).collect());
        let parties = std::iter::once(size).chain(sizes).find_map(|size| found.pack(first, teams, size))?;
        Some(Formed { teams: self.balance(at, &parties, &near), region: reach.region, bots: 0 })
    }

    /// How many tickets of a size to choose from: enough to fill a match with them alone.
    fn choice(&self, size: usize) -> usize {
        CHOICE * self.mode.teams * self.mode.size.end() / size.max(1)
    }

    /// A match of whoever there is, with bots in the seats that are missing.
    fn with_bots(&mut self, at: usize, reach: Reach) -> Formed {
        let size = *self.mode.size.start().max(&self.tickets[at].size());
        let mut near: Vec<usize> = (1..self.ranks.len()).flat_map(|size| self.near(size, reach, self.choice(size))).collect();
        near.sort_unstable();
        let mut teams = vec![Vec::new(); self.mode.teams];
        let mut rooms = vec![size; self.mode.teams];
        for ticket in std::iter::once(at).chain(near) {
            let party = self.tickets[ticket].size();
            let roomiest = (0..rooms.len()).max_by_key(|team| (rooms[*team], usize::MAX - team));
            if let Some(team) = roomiest.filter(|team| rooms[*team] >= party) {
                rooms[team] -= party;
                teams[team].push(ticket);
            }
        }
        Formed { teams, region: reach.region, bots: rooms.iter().sum() }
    }

    /// So many free tickets of a size within reach: the oldest, those nearest to the region first.
    fn near(&mut self, size: usize, reach: Reach, most: usize) -> Vec<usize> {
        if most == 0 {
            return Vec::new();
        }
        let Self { ranks, ratings, latencies, taken, .. } = self;
        let latencies = reach.region.map(|region| &latencies[region]);
        let rank = &mut ranks[size];
        rank.drop_taken(taken);
        let takes = |ms: u16| ms <= reach.limit || ms == UNMEASURED;
        let within = |at: usize| (reach.low..=reach.high).contains(&ratings[at]);
        let free = |at: &usize| !taken[*at] && within(*at) && latencies.is_none_or(|latencies| takes(latencies[*at]));
        let (range, older) = (rank.range(reach), &rank.by_age);
        // By age, one ticket in so many is within the window; by rating all are, but all must be looked at.
        let by_age = most * older.len() / rank.count(reach).max(1);
        let mut near: Vec<usize> = if range.len() < by_age {
            let mut near: Vec<_> = rank.by_rating[range].iter().copied().filter(free).collect();
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

    /// Puts the first tickets of each size into teams with that much room, so that the teams are about as strong.
    fn balance(&self, at: usize, parties: &[Vec<usize>], near: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let mut needs: Vec<Vec<usize>> = parties.iter().map(|sizes| count(sizes, self.ranks.len())).collect();
        let mut chosen: Vec<usize> = vec![at];
        for (size, near) in near.iter().enumerate() {
            let needed: usize = needs.iter().map(|team| team[size]).sum();
            chosen.extend(near.iter().take(needed - usize::from(size == self.tickets[at].size())));
        }
        let (size, rating) = (|at: &usize| self.tickets[*at].size(), |at: &usize| self.tickets[*at].rating);
        chosen.sort_by(|a, b| size(b).cmp(&size(a)).then(rating(b).total_cmp(&rating(a))));
        let mut teams = vec![Vec::new(); parties.len()];
        let mut strengths = vec![0.0_f64; parties.len()];
        for ticket in chosen {
            let size = size(&ticket);
            let open = (0..teams.len()).filter(|team| needs[*team][size] > 0);
            let weakest = open.min_by(|a, b| strengths[*a].total_cmp(&strengths[*b]));
            let team = weakest.expect("as many tickets of a size are chosen as the teams need");
            needs[team][size] -= 1;
            strengths[team] += rating(&ticket) * size as f64;
            teams[team].push(ticket);
        }
        teams
    }

    fn take(&mut self, at: usize) {
        self.taken[at] = true;
        self.ranks[self.tickets[at].size()].discount(at, self.tickets[at].rating);
    }
}

impl Rank {
    fn sort(&mut self, ratings: &[f64]) {
        self.by_rating = self.by_age.clone();
        self.by_rating.sort_unstable_by(|a, b| ratings[*a].total_cmp(&ratings[*b]).then(a.cmp(b)));
        self.ratings = self.by_rating.iter().map(|at| ratings[*at]).collect();
        // All are free: a node sums up as many as the lowest bit of its number says.
        self.sums = (1..=self.by_rating.len()).map(|node| node & node.wrapping_neg()).collect();
    }

    /// Where the tickets within a window stand by rating, whether or not they are taken.
    fn range(&self, reach: Reach) -> std::ops::Range<usize> {
        let low = self.ratings.partition_point(|rating| *rating < reach.low);
        let high = self.ratings.partition_point(|rating| *rating <= reach.high);
        low..high.max(low)
    }

    /// How many free tickets are within the window of ratings. Latencies are not looked at.
    fn count(&self, reach: Reach) -> usize {
        let range = self.range(reach);
        self.sum(range.end) - self.sum(range.start)
    }

    fn sum(&self, before: usize) -> usize {
        let (mut node, mut sum) = (before, 0);
        while node > 0 {
            sum += self.sums[node - 1];
            node &= node - 1;
        }
        sum
    }

    /// Counts a ticket no more.
    fn discount(&mut self, at: usize, rating: f64) {
        self.taken += 1;
        let first = self.ratings.partition_point(|other| other.total_cmp(&rating).is_lt());
        let same = self.ratings[first..].partition_point(|other| other.total_cmp(&rating).is_eq());
        let among = self.by_rating[first..first + same].partition_point(|other| *other < at);
        let mut node = first + among + 1;
        while node <= self.sums.len() {
            self.sums[node - 1] -= 1;
            node += node & node.wrapping_neg();
        }
    }

    /// Drops the taken tickets from those by age, if they are many.
    fn drop_taken(&mut self, taken: &[bool]) {
        if self.taken * 4 > self.by_age.len() {
            self.by_age.retain(|at| !taken[*at]);
            self.taken = 0;
        }
    }
}

fn latency(ticket: &Ticket, region: usize) -> u16 {
    let nothing = || if ticket.latencies.iter().all(Option::is_none) { UNMEASURED } else { TOO_FAR };
    ticket.latencies[region].unwrap_or_else(nothing)
}

/// How many parties of a size there are.
fn needed(parties: &[Vec<usize>], size: usize) -> usize {
    parties.iter().flatten().filter(|party| **party == size).count()
}

/// How many there are of each size.
fn count(sizes: &[usize], most: usize) -> Vec<usize> {
    let mut counts = Sizes::none(most).0;
    sizes.iter().for_each(|size| counts[*size] += 1);
    counts
}
