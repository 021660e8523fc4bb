//! Parties: people who want to play together. Who is in which, who leads it, and who is ready.

use std::collections::{BTreeMap, btree_map::Entry};

use rand::Rng;
use thiserror::Error;

use super::{Code, PartyId, UserId};

/// The most members of a party.
pub const MAX_PARTY: usize = 8;

/// People who want to play together; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Its id.
    pub id: PartyId,
    /// What one types to join.
    pub code: Code,
    /// Who may promote and kick, and who queues for all.
    pub leader: UserId,
    /// The members and whether they are ready, in the order in which they came.
    pub members: Vec<(UserId, bool)>,
    /// How often its members have been told of it.
    pub seq: u64,
}

impl Party {
    /// The members, the leader first.
    pub fn roster(&self) -> impl Iterator<Item = &UserId> {
        let others = self.members.iter().map(|(user, _)| user).filter(|user| **user != self.leader);
        std::iter::once(&self.leader).chain(others)
    }

    fn has(&self, user: &UserId) -> bool {
        self.members.iter().any(|(member, _)| member == user)
    }
}

/// Why a party does not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PartyError {
    /// Whoever asks is in no party.
    #[error("you are in no party")]
    NotInParty,
    /// Whoever asks is in a party already.
    #[error("you are in a party already, leave it first")]
    InParty,
    /// Only the leader may do that.
    #[error("only the leader of the party may do that")]
    NotLeader,
    /// The party has [`MAX_PARTY`] members.
    #[error("the party has {MAX_PARTY} members, its most")]
    Full,
    /// No party has this code.
    #[error("there is no party with this code")]
    UnknownCode,
    /// The person named is not another member.
    #[error("there is no such other member in your party")]
    UnknownMember,
}

/// All parties. Each person is in one at most.
#[derive(Debug, Default)]
pub(super) struct Parties {
    parties: BTreeMap<PartyId, Party>,
    of: BTreeMap<UserId, PartyId>,
    codes: BTreeMap<Code, PartyId>,
}

impl Parties {
    /// The party that somebody is in.
    pub(super) fn of(&self, user: &UserId) -> Option<&Party> {
        self.parties.get(self.of.get(user)?)
    }

    /// A party.
    pub(super) fn get(&self, id: &PartyId) -> Option<&Party> {
        self.parties.get(id)
    }

    /// A party that its members are going to be told of: its number goes up.
    pub(super) fn advance(&mut self, id: &PartyId) -> Option<&Party> {
        let party = self.parties.get_mut(id)?;
        party.seq += 1;
        Some(party)
    }

    /// Makes a party of one.
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

    /// Joins the party with a code.
    pub(super) fn join(&mut self, user: &UserId, typed: &str) -> Result<PartyId, PartyError> {
        if self.of.contains_key(user) {
            return Err(PartyError::InParty);
        }
        let id = Code::parse(typed).and_then(|code| self.codes.get(&code)).ok_or(PartyError::UnknownCode)?;
        let party = self.parties.get_mut(id).expect("every code is a party's");
        if party.members.len() >= MAX_PARTY {
            return Err(PartyError::Full);
        }
        party.members.push((user.clone(), false));
        self.of.insert(user.clone(), id.clone());
        Ok(id.clone())
    }

    /// Takes somebody out of their party, whose id is returned. The longest member leads when the leader has gone; a party without
    /// members is gone too.
    pub(super) fn leave(&mut self, user: &UserId) -> Result<PartyId, PartyError> {
        let id = self.of.remove(user).ok_or(PartyError::NotInParty)?;
        let party = self.parties.get_mut(&id).expect("everybody's party is there");
        party.members.retain(|(member, _)| member != user);
        match party.members.first() {
            Some((oldest, _)) if party.leader == *user => party.leader = oldest.clone(),
            Some(_) => {}
            None => {
                let party = self.parties.remove(&id).expect("it was there");
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

    /// Takes another member out. The party has a new code, since that member knows the old one.
    pub(super) fn kick(&mut self, by: &UserId, user: &UserId, rng: &mut (impl Rng + ?Sized)) -> Result<PartyId, PartyError> {
        let old = self.led_by(by, user)?.code.clone();
        let id = self.leave(user)?;
        let code = unused_code(&self.codes, rng);
        self.codes.remove(&old);
        self.codes.insert(code.clone(), id.clone());
        self.parties.get_mut(&id).expect("its leader is in it").code = code;
        Ok(id)
    }

    /// Says whether somebody is ready.
    pub(super) fn set_ready(&mut self, user: &UserId, ready: bool) -> Result<PartyId, PartyError> {
        let party = self.of.get(user).and_then(|id| self.parties.get_mut(id)).ok_or(PartyError::NotInParty)?;
        for (member, is_ready) in &mut party.members {
            if member == user {
                *is_ready = ready;
            }
        }
        Ok(party.id.clone())
    }

    /// The party that `by` leads and in which `user` is another member.
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

    /// A party of the users 0 to `count` - 1.
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
    fn a_code_leads_into_the_party_until_it_is_full() {
        let (mut parties, code) = party_of(MAX_PARTY);
        assert_eq!(parties.join(&user(9), code.as_str()), Err(PartyError::Full));
        assert_eq!(parties.join(&user(9), "BCDFGH"), Err(PartyError::UnknownCode));
        assert_eq!(parties.join(&user(9), "no code"), Err(PartyError::UnknownCode));
        assert_eq!(parties.join(&user(1), code.as_str()), Err(PartyError::InParty));
        assert_eq!(parties.create(&user(1), &mut rng()), Err(PartyError::InParty));
    }

    #[test]
    fn the_longest_member_leads_when_the_leader_has_left() {
        let (mut parties, _) = party_of(3);
        parties.promote(&user(0), &user(2)).unwrap();
        assert_eq!(names(parties.of(&user(0)).unwrap()), ["user-2", "user-0", "user-1"]);
        parties.leave(&user(2)).unwrap();
        assert_eq!(names(parties.of(&user(1)).unwrap()), ["user-0", "user-1"]);
        assert_eq!(parties.leave(&user(2)), Err(PartyError::NotInParty));
    }

    #[test]
    fn only_the_leader_promotes_and_kicks_and_only_members() {
        let (mut parties, _) = party_of(3);
        assert_eq!(parties.promote(&user(1), &user(2)), Err(PartyError::NotLeader));
        assert_eq!(parties.kick(&user(1), &user(0), &mut rng()), Err(PartyError::NotLeader));
        assert_eq!(parties.kick(&user(0), &user(0), &mut rng()), Err(PartyError::UnknownMember));
        assert_eq!(parties.promote(&user(0), &user(7)), Err(PartyError::UnknownMember));
        assert_eq!(parties.kick(&user(7), &user(0), &mut rng()), Err(PartyError::NotInParty));
        assert_eq!(parties.set_ready(&user(7), true), Err(PartyError::NotInParty));
    }

    #[test]
    fn who_was_kicked_does_not_come_back_by_the_code() {
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
        fn everybody_is_in_one_party_at_most_and_every_party_is_led_by_a_member(steps in steps(), seed: u64) {
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
                    prop_assert_eq!(before, after, "a refusal changes nothing");
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
