//! Parties: groups of people who want to play together, with a leader and ready marks.

use std::collections::{BTreeMap, btree_map::Entry};

use rand::Rng;
use thiserror::Error;

use super::{Code, PartyId, UserId};

/// The maximum number of members of a party.
pub const MAX_PARTY: usize = 8;

/// A group of people who want to play together. It always has a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The id of the party.
    pub id: PartyId,
    /// The code to join the party with.
    pub code: Code,
    /// The member who may promote and kick, and who queues for the whole party.
    pub leader: UserId,
    /// The members and whether they are ready, in the order in which they joined.
    pub members: Vec<(UserId, bool)>,
    /// The number of the newest party event.
    pub seq: u64,
}

impl Party {
    /// Iterates over the members, the leader first.
    pub fn roster(&self) -> impl Iterator<Item = &UserId> {
        let others = self.members.iter().map(|(user, _)| user).filter(|user| **user != self.leader);
        std::iter::once(&self.leader).chain(others)
    }

    fn has(&self, user: &UserId) -> bool {
        self.members.iter().any(|(member, _)| member == user)
    }
}

/// The reason why a party request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PartyError {
    /// The sender of the request is in no party.
    #[error("you are in no party")]
    NotInParty,
    /// The sender of the request is in a party already.
    #[error("you are in a party already; leave it first")]
    InParty,
    /// The request is reserved to the leader.
    #[error("only the leader of the party may do that")]
    NotLeader,
    /// The party has [`MAX_PARTY`] members.
    #[error("the party is full: it has {MAX_PARTY} members")]
    Full,
    /// No party has this code.
    #[error("there is no party with this code")]
    UnknownCode,
    /// The named person is not another member of the party.
    #[error("this person is not another member of your party")]
    UnknownMember,
}

/// All parties. A person is in at most one.
#[derive(Debug, Default)]
pub(super) struct Parties {
    parties: BTreeMap<PartyId, Party>,
    of: BTreeMap<UserId, PartyId>,
    codes: BTreeMap<Code, PartyId>,
}

impl Parties {
    /// Returns the party of a person.
    pub(super) fn of(&self, user: &UserId) -> Option<&Party> {
        self.parties.get(self.of.get(user)?)
    }

    /// Returns the party with this id.
    pub(super) fn get(&self, id: &PartyId) -> Option<&Party> {
        self.parties.get(id)
    }

    /// Returns the party with this code.
    pub(super) fn by_code(&self, typed: &str) -> Option<&Party> {
        self.parties.get(self.codes.get(&Code::parse(typed)?)?)
    }

    /// Increments the event number of a party and returns the party.
    pub(super) fn advance(&mut self, id: &PartyId) -> Option<&Party> {
        let party = self.parties.get_mut(id)?;
        party.seq += 1;
        Some(party)
    }

    /// Creates a party with one member.
    pub(super) fn create(&mut self, user: &UserId, rng: &mut (impl Rng + ?Sized)) -> Result<PartyId, PartyError> {
        let Entry::Vacant(of) = self.of.entry(user.clone()) else { return Err(PartyError::InParty) };
        let id = PartyId::random(rng);
        let code = unused_code(&self.codes, rng);
        of.insert(id.clone());
        self.codes.insert(code.clone(), id.clone());
        let party = Party { id: id.clone(), code, leader: user.clone(), members: vec![(user.clone(), false)], seq: 0 };
        self.parties.insert(id.clone(), party);
        Ok(id)
    }

    /// Adds a person to the party with a code.
    pub(super) fn join(&mut self, user: &UserId, typed: &str) -> Result<PartyId, PartyError> {
        if self.of.contains_key(user) {
            return Err(PartyError::InParty);
        }
        let id = Code::parse(typed).and_then(|code| self.codes.get(&code)).ok_or(PartyError::UnknownCode)?;
        let party = self.parties.get_mut(id).expect("every code belongs to a party");
        if party.members.len() >= MAX_PARTY {
            return Err(PartyError::Full);
        }
        party.members.push((user.clone(), false));
        self.of.insert(user.clone(), id.clone());
        Ok(id.clone())
    }

    /// Removes a person from their party and returns its id. When the leader leaves, the longest-standing member leads. An empty
    /// party is removed.
    pub(super) fn leave(&mut self, user: &UserId) -> Result<PartyId, PartyError> {
        let id = self.of.remove(user).ok_or(PartyError::NotInParty)?;
        let party = self.parties.get_mut(&id).expect("the party of a member exists");
        party.members.retain(|(member, _)| member != user);
        match party.members.first() {
            Some((oldest, _)) if party.leader == *user => party.leader = oldest.clone(),
            Some(_) => {}
            None => {
                let party = self.parties.remove(&id).expect("the party was found above");
                self.codes.remove(&party.code);
            }
        }
        Ok(id)
    }

    /// Makes another member the leader.
    pub(super) fn promote(&mut self, by: &UserId, user: &UserId) -> Result<PartyId, PartyError> {
        let party = self.led_by(by, user)?;
        party.leader = user.clone();
        Ok(party.id.clone())
    }

    /// Removes another member and gives the party a new code, because that member knows the old one.
    pub(super) fn kick(&mut self, by: &UserId, user: &UserId, rng: &mut (impl Rng + ?Sized)) -> Result<PartyId, PartyError> {
        let old = self.led_by(by, user)?.code.clone();
        let id = self.leave(user)?;
        let code = unused_code(&self.codes, rng);
        self.codes.remove(&old);
        self.codes.insert(code.clone(), id.clone());
        self.parties.get_mut(&id).expect("the leader is still a member").code = code;
        Ok(id)
    }

    /// Sets whether a member is ready.
    pub(super) fn set_ready(&mut self, user: &UserId, ready: bool) -> Result<PartyId, PartyError> {
        let party = self.of.get(user).and_then(|id| self.parties.get_mut(id)).ok_or(PartyError::NotInParty)?;
        for (member, is_ready) in &mut party.members {
            if member == user {
                *is_ready = ready;
            }
        }
        Ok(party.id.clone())
    }

    /// Returns the party that `by` leads and that has `user` as another member.
    fn led_by(&mut self, by: &UserId, user: &UserId) -> Result<&mut Party, PartyError> {
        let party = self.of.get(by).and_then(|id| self.parties.get_mut(id)).ok_or(PartyError::NotInParty)?;
        if party.leader != *by {
            return Err(PartyError::NotLeader);
        }
        if by == user || !party.has(user) {
            return Err(PartyError::UnknownMember);
        }
        Ok(party)
    }
}

fn unused_code(codes: &BTreeMap<Code, PartyId>, rng: &mut (impl Rng + ?Sized)) -> Code {
    loop {
        let code = Code::random(rng);
        if !codes.contains_key(&code) {
            return code;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    fn user(n: usize) -> UserId {
        UserId::parse(&format!("user-{n}")).unwrap()
    }

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(1)
    }

    fn names(party: &Party) -> Vec<String> {
        party.roster().map(ToString::to_string).collect()
    }

    /// Creates a party of the users 0 to `count` - 1.
    fn party_of(count: usize) -> (Parties, Code) {
        let mut parties = Parties::default();
        parties.create(&user(0), &mut rng()).unwrap();
        let code = parties.of(&user(0)).unwrap().code.clone();
        for n in 1..count {
            parties.join(&user(n), code.as_str()).unwrap();
        }
        (parties, code)
    }

    #[test]
    fn people_join_by_code_until_the_party_is_full() {
        let (mut parties, code) = party_of(MAX_PARTY);
        assert_eq!(parties.join(&user(9), code.as_str()), Err(PartyError::Full));
        assert_eq!(parties.join(&user(9), "BCDFGH"), Err(PartyError::UnknownCode));
        assert_eq!(parties.join(&user(9), "no code"), Err(PartyError::UnknownCode));
        assert_eq!(parties.join(&user(1), code.as_str()), Err(PartyError::InParty));
        assert_eq!(parties.create(&user(1), &mut rng()), Err(PartyError::InParty));
    }

    #[test]
    fn the_longest_standing_member_succeeds_the_leader() {
        let (mut parties, _) = party_of(3);
        parties.promote(&user(0), &user(2)).unwrap();
        assert_eq!(names(parties.of(&user(0)).unwrap()), ["user-2", "user-0", "user-1"]);
        parties.leave(&user(2)).unwrap();
        assert_eq!(names(parties.of(&user(1)).unwrap()), ["user-0", "user-1"]);
        assert_eq!(parties.leave(&user(2)), Err(PartyError::NotInParty));
    }

    #[test]
    fn only_the_leader_promotes_and_kicks_other_members() {
        let (mut parties, _) = party_of(3);
        assert_eq!(parties.promote(&user(1), &user(2)), Err(PartyError::NotLeader));
        assert_eq!(parties.kick(&user(1), &user(0), &mut rng()), Err(PartyError::NotLeader));
        assert_eq!(parties.kick(&user(0), &user(0), &mut rng()), Err(PartyError::UnknownMember));
        assert_eq!(parties.promote(&user(0), &user(7)), Err(PartyError::UnknownMember));
        assert_eq!(parties.kick(&user(7), &user(0), &mut rng()), Err(PartyError::NotInParty));
        assert_eq!(parties.set_ready(&user(7), true), Err(PartyError::NotInParty));
    }

    #[test]
    fn a_kicked_member_cannot_rejoin_by_the_old_code() {
        let (mut parties, code) = party_of(2);
        parties.kick(&user(0), &user(1), &mut ChaCha8Rng::seed_from_u64(2)).unwrap();
        assert_eq!(parties.join(&user(1), code.as_str()), Err(PartyError::UnknownCode));
        let new = parties.of(&user(0)).unwrap().code.clone();
        parties.join(&user(2), new.as_str()).unwrap();
    }

    #[derive(Debug, Clone)]
    enum Step {
        Create(usize),
        Join(usize, usize),
        Leave(usize),
        Promote(usize, usize),
        Kick(usize, usize),
        Ready(usize, bool),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let who = 0usize..14;
        let two = (who.clone(), who.clone());
        vec(
            prop_oneof![
                1 => who.clone().prop_map(Step::Create),
                4 => two.clone().prop_map(|(a, b)| Step::Join(a, b)),
                1 => who.clone().prop_map(Step::Leave),
                1 => two.clone().prop_map(|(a, b)| Step::Promote(a, b)),
                1 => two.prop_map(|(a, b)| Step::Kick(a, b)),
                1 => (who, any::<bool>()).prop_map(|(who, ready)| Step::Ready(who, ready)),
            ],
            0..120,
        )
    }

    proptest! {
        #[test]
        fn parties_stay_consistent_through_any_requests(steps in steps(), seed: u64) {
            let (mut parties, mut rng) = (Parties::default(), ChaCha8Rng::seed_from_u64(seed));
            for step in steps {
                let before: Vec<_> = parties.parties.values().cloned().collect();
                let result = match step {
                    Step::Create(a) => parties.create(&user(a), &mut rng),
                    Step::Join(a, b) => {
                        let code = parties.of(&user(b)).map_or(String::new(), |party| party.code.to_string());
                        parties.join(&user(a), &code)
                    }
                    Step::Leave(a) => parties.leave(&user(a)),
                    Step::Promote(a, b) => parties.promote(&user(a), &user(b)),
                    Step::Kick(a, b) => parties.kick(&user(a), &user(b), &mut rng),
                    Step::Ready(a, ready) => parties.set_ready(&user(a), ready),
                };
                if result.is_err() {
                    let after: Vec<_> = parties.parties.values().cloned().collect();
                    prop_assert_eq!(before, after, "a refused request changes nothing");
                }
                let mut members = 0;
                for (id, party) in &parties.parties {
                    prop_assert!((1..=MAX_PARTY).contains(&party.members.len()));
                    prop_assert!(party.has(&party.leader));
                    prop_assert_eq!(parties.codes.get(&party.code), Some(id));
                    prop_assert!(party.roster().all(|member| parties.of.get(member) == Some(id)));
                    prop_assert_eq!(party.roster().count(), party.members.len());
                    members += party.members.len();
                }
                prop_assert_eq!(parties.of.len(), members);
                prop_assert_eq!(parties.codes.len(), parties.parties.len());
            }
        }
    }
}
