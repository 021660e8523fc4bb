//! Which parties fill which teams: by their sizes alone.

/// Tries until a search is given up. Only parties of odd sizes without single players come near it.
const TRIES: u32 = 2_000;

/// How many waiting tickets there are of each size, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sizes(pub(super) Vec<usize>);

impl Sizes {
    pub(super) fn none(most: usize) -> Self {
        Self(vec![0; most + 1])
    }

    /// The sizes of the parties in each of `teams` teams of `size` players. A party of `first` is in the first team, beside those
    /// counted here. Larger parties are taken first: they are the harder ones to place.
    pub(super) fn pack(&self, first: usize, teams: usize, size: usize) -> Option<Vec<Vec<usize>>> {
        let people: usize = self.0.iter().enumerate().map(|(size, count)| size * count).sum();
        if first > size || people + first < teams * size {
            return None;
        }
        let mut packing = Packing { left: self.0.clone(), teams, size, tries: TRIES, parties: vec![vec![first]] };
        packing.fill(size - first, size).then_some(packing.parties)
    }
}

struct Packing {
    left: Vec<usize>,
    teams: usize,
    size: usize,
    tries: u32,
    parties: Vec<Vec<usize>>,
}

impl Packing {
    /// Fills the newest team, in which there is so much room, with parties no larger than `most`; then the teams after it.
    fn fill(&mut self, room: usize, most: usize) -> bool {
        if room == 0 {
            if self.parties.len() == self.teams {
                return true;
            }
            self.parties.push(Vec::new());
            let filled = self.fill(self.size, self.size);
            if !filled {
                self.parties.pop();
            }
            return filled;
        }
        for party in (1..=most.min(room)).rev() {
            if self.left.get(party).is_none_or(|left| *left == 0) {
                continue;
            }
            if self.tries == 0 {
                return false;
            }
            self.tries -= 1;
            self.place(party);
            if self.fill(room - party, party) {
                return true;
            }
            self.take_back(party);
        }
        false
    }

    fn place(&mut self, party: usize) {
        self.left[party] -= 1;
        self.newest().push(party);
    }

    fn take_back(&mut self, party: usize) {
        self.newest().pop();
        self.left[party] += 1;
    }

    fn newest(&mut self) -> &mut Vec<usize> {
        self.parties.last_mut().expect("a packing begins with the first team")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every way to fill the teams, by brute force.
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

    #[test]
    fn parties_stay_whole() {
        let parties = |counts: &[usize], first, teams, size| Sizes(counts.to_vec()).pack(first, teams, size);
        assert_eq!(parties(&[0, 0, 1], 2, 2, 2), Some(vec![vec![2], vec![2]]));
        assert_eq!(parties(&[0, 2, 0], 2, 2, 2), Some(vec![vec![2], vec![1, 1]]));
        assert_eq!(parties(&[0, 1, 1], 1, 2, 2), Some(vec![vec![1, 1], vec![2]]));
        assert_eq!(parties(&[0, 0, 3, 0], 2, 2, 3), None, "no party of two is split to fill a team of three");
        assert_eq!(parties(&[0, 1, 3, 1], 2, 2, 3), Some(vec![vec![2, 1], vec![3]]));
    }

    proptest! {
        #[test]
        fn a_packing_is_found_if_there_is_one(
            counts in proptest::collection::vec(0usize..4, 4), first in 1usize..5, teams in 1usize..4, size in 1usize..5,
        ) {
            let counts: Vec<usize> = std::iter::once(0).chain(counts).collect();
            let found = Sizes(counts.clone()).pack(first, teams, size);
            let mut rooms = vec![size; teams];
            let exists = first <= size && {
                rooms[0] -= first;
                can_pack(&mut counts.clone(), &mut rooms)
            };
            prop_assert_eq!(found.is_some(), exists);
            if let Some(found) = found {
                prop_assert!(found.len() == teams && found.iter().all(|team| team.iter().sum::<usize>() == size));
                prop_assert_eq!(found[0][0], first);
                for (party, count) in counts.iter().enumerate().skip(1) {
                    let used = found.iter().flatten().filter(|used| **used == party).count();
                    prop_assert!(used <= count + usize::from(party == first));
                }
            }
        }
    }
}
