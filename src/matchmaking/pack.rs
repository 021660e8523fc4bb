//! Packs parties into teams by their sizes alone.

use smallvec::{SmallVec, smallvec};

/// The number of placements after which a search is abandoned. Only unusual mixes of sizes without single players come near it.
const MAX_TRIES: u32 = 2_000;

/// The number of parties by size; the index is the size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sizes(pub(super) SmallVec<[usize; 8]>);

impl Sizes {
    /// Packs parties into `teams` teams of `size` players. Returns the number of parties by size in each team, or `None` if no
    /// packing was found. The first team also gets a party of `first` players, which is not counted in `self`. Larger parties are
    /// placed first, because they are harder to place.
    pub(super) fn pack(&self, first: usize, teams: usize, size: usize) -> Option<Vec<Self>> {
        let people: usize = self.0.iter().enumerate().map(|(size, count)| size * count).sum();
        if first > size || people + first < teams * size {
            return None;
        }
        let none = Self(smallvec![0; self.0.len().max(first + 1)]);
        let mut packing = Packing { left: self.0.clone(), teams: vec![none; teams], at: 0, size, tries: MAX_TRIES };
        packing.teams[0].0[first] = 1;
        packing.fill(size - first, size).then_some(packing.teams)
    }
}

struct Packing {
    left: SmallVec<[usize; 8]>,
    teams: Vec<Sizes>,
    /// The team that is being filled.
    at: usize,
    size: usize,
    tries: u32,
}

impl Packing {
    /// Fills the last `room` places of the current team with parties of at most `max` players, and then the teams after it.
    fn fill(&mut self, room: usize, max: usize) -> bool {
        if room == 0 {
            if self.at + 1 == self.teams.len() {
                return true;
            }
            self.at += 1;
            let filled = self.fill(self.size, self.size);
            self.at -= usize::from(!filled);
            return filled;
        }
        for party in (1..=max.min(room)).rev() {
            if self.left.get(party).is_none_or(|left| *left == 0) {
                continue;
            }
            if self.tries == 0 {
                return false;
            }
            self.tries -= 1;
            self.left[party] -= 1;
            self.teams[self.at].0[party] += 1;
            if self.fill(room - party, party) {
                return true;
            }
            self.teams[self.at].0[party] -= 1;
            self.left[party] += 1;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns whether the teams can be filled, by brute force.
    fn can_pack(left: &mut Vec<usize>, rooms: &mut Vec<usize>) -> bool {
        let Some(team) = rooms.iter().position(|room| *room > 0) else { return true };
        for party in 1..left.len() {
            if left[party] > 0 && party <= rooms[team] {
                left[party] -= 1;
                rooms[team] -= party;
                if can_pack(left, rooms) {
                    return true;
                }
                rooms[team] += party;
                left[party] += 1;
            }
        }
        false
    }

    /// Returns the sizes of the parties in each team, the largest first.
    fn parties(counts: &[usize], first: usize, teams: usize, size: usize) -> Option<Vec<Vec<usize>>> {
        let of_size = |(size, count): (usize, &usize)| vec![size; *count];
        let team = |team: &Sizes| team.0.iter().enumerate().rev().flat_map(of_size).collect();
        Some(Sizes(counts.into()).pack(first, teams, size)?.iter().map(team).collect())
    }

    #[test]
    fn parties_stay_whole() {
        assert_eq!(parties(&[0, 0, 1], 2, 2, 2), Some(vec![vec![2], vec![2]]));
        assert_eq!(parties(&[0, 2, 0], 2, 2, 2), Some(vec![vec![2], vec![1, 1]]));
        assert_eq!(parties(&[0, 1, 1], 1, 2, 2), Some(vec![vec![1, 1], vec![2]]));
        assert_eq!(parties(&[0, 0, 3, 0], 2, 2, 3), None, "a party of two is never split");
        assert_eq!(parties(&[0, 1, 3, 1], 2, 2, 3), Some(vec![vec![2, 1], vec![3]]));
    }

    proptest! {
        #[test]
        fn a_packing_is_found_if_one_exists(
            counts in proptest::collection::vec(0usize..4, 4), first in 1usize..5, teams in 1usize..4, size in 1usize..5,
        ) {
            let counts: Vec<usize> = std::iter::once(0).chain(counts).collect();
            let found = parties(&counts, first, teams, size);
            let mut rooms = vec![size; teams];
            let exists = first <= size && {
                rooms[0] -= first;
                can_pack(&mut counts.clone(), &mut rooms)
            };
            prop_assert_eq!(found.is_some(), exists);
            if let Some(found) = found {
                prop_assert!(found.len() == teams && found.iter().all(|team| team.iter().sum::<usize>() == size));
                prop_assert!(found[0].contains(&first));
                for (party, count) in counts.iter().enumerate().skip(1) {
                    let used = found.iter().flatten().filter(|used| **used == party).count();
                    prop_assert!(used <= count + usize::from(party == first));
                }
            }
        }
    }
}
