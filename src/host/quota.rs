//! Quotas: how much one person, or the guests of one address together, may hold at a time.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::{limits::Limits, refusal::Refusal};
use crate::{
    lobby::{Identity, UserId},
    protocol::ErrorCode,
    sim::Team,
};

/// A kind of thing that people hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A room that the person opened, while nobody else needs it.
    Room,
    /// A seat, reserved or taken.
    Seat,
    /// A reserved seat, or a place to watch, whose ticket is unused.
    Ticket,
    /// A place to watch.
    Place,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    Person(UserId),
    Address(IpAddr),
}

/// The person who asks for a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// The person, for any seat.
    Person,
    /// The matchmaker, in this team if the match has teams. It is not bound by the person's quotas.
    Matchmaker(Team),
}

/// Counts what people hold.
pub(super) struct Quotas {
    limits: Limits,
    held: Mutex<HashMap<(Kind, Owner), usize>>,
}

/// One thing in the count of a person. Dropping it takes the thing out of the count.
pub(super) struct Held(Arc<Counted>);

struct Counted {
    quotas: Arc<Quotas>,
    kind: Kind,
    /// Empty once the thing is out of the count.
    owners: Mutex<Vec<Owner>>,
}

/// All that people hold in one room. A room that never returns from a step never drops it, so it can be given back without the room.
#[derive(Default)]
pub(super) struct HeldInRoom(Mutex<Vec<Weak<Counted>>>);

impl Quotas {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self { limits: limits.clone(), held: Mutex::default() })
    }

    /// Counts one more thing that a person holds.
    ///
    /// # Errors
    /// `quota_exceeded` if the person, or the guests of their address, hold as many as they may.
    pub(super) fn take(self: &Arc<Self>, kind: Kind, who: &Identity) -> Result<Held, Refusal> {
        let owners = owners(who);
        let mut held = self.held();
        for owner in &owners {
            let most = self.most(kind, owner);
            if held.get(&(kind, owner.clone())).copied().unwrap_or(0) >= most {
                return Err(exceeded(kind, owner, most));
            }
        }
        Ok(self.count(&mut held, kind, owners))
    }

    /// Counts one more thing, even if it is one too many. The matchmaker seats people in this way: one person's quota must not keep
    /// the others from their match.
    pub(super) fn note(self: &Arc<Self>, kind: Kind, who: &Identity) -> Held {
        self.count(&mut self.held(), kind, owners(who))
    }

    /// Counts a seat and its ticket.
    ///
    /// # Errors
    /// As for [`take`](Self::take). The matchmaker is refused nothing.
    pub(super) fn seat(self: &Arc<Self>, who: &Identity, by: Asker) -> Result<(Held, Held), Refusal> {
        match by {
            Asker::Person => Ok((self.take(Kind::Seat, who)?, self.take(Kind::Ticket, who)?)),
            Asker::Matchmaker(_) => Ok((self.note(Kind::Seat, who), self.note(Kind::Ticket, who))),
        }
    }

    /// Checks that a person may hold one more thing.
    ///
    /// # Errors
    /// As for [`take`](Self::take).
    pub(super) fn check(self: &Arc<Self>, kind: Kind, who: &Identity) -> Result<(), Refusal> {
        self.take(kind, who).map(drop)
    }

    fn count(self: &Arc<Self>, held: &mut HashMap<(Kind, Owner), usize>, kind: Kind, owners: Vec<Owner>) -> Held {
        owners.iter().for_each(|owner| *held.entry((kind, owner.clone())).or_default() += 1);
        Held(Arc::new(Counted { quotas: self.clone(), kind, owners: Mutex::new(owners) }))
    }

    fn most(&self, kind: Kind, owner: &Owner) -> usize {
        let Limits {
            rooms_per_person,
            rooms_per_address,
            seats_per_person,
            seats_per_address,
            tickets_per_person,
            tickets_per_address,
            places_per_person,
            places_per_address,
            ..
        } = self.limits;
        let (person, address) = match kind {
            Kind::Room => (rooms_per_person, rooms_per_address),
            Kind::Seat => (seats_per_person, seats_per_address),
            Kind::Ticket => (tickets_per_person, tickets_per_address),
            Kind::Place => (places_per_person, places_per_address),
        };
        if matches!(owner, Owner::Person(_)) { person } else { address }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<(Kind, Owner), usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    /// Takes the thing out of the count.
    fn give_back(&self) {
        let owners = std::mem::take(&mut *self.owners.lock().unwrap_or_else(PoisonError::into_inner));
        let mut held = self.quotas.held();
        for owner in owners {
            let key = (self.kind, owner);
            match held.get_mut(&key) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(held.remove(&key)),
            }
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl HeldInRoom {
    /// Counts one more thing that a person holds in the room.
    ///
    /// # Errors
    /// As for [`Quotas::take`].
    pub(super) fn take(&self, quotas: &Arc<Quotas>, kind: Kind, who: &Identity) -> Result<Held, Refusal> {
        quotas.take(kind, who).inspect(|held| self.note(held))
    }

    /// Notes something that is held in the room.
    pub(super) fn note(&self, held: &Held) {
        let mut all = self.all();
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&held.0));
    }

    /// Takes everything that is held in the room out of the counts.
    pub(super) fn give_back(&self) {
        let all = std::mem::take(&mut *self.all());
        all.iter().filter_map(Weak::upgrade).for_each(|held| held.give_back());
    }

    fn all(&self) -> MutexGuard<'_, Vec<Weak<Counted>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn owners(who: &Identity) -> Vec<Owner> {
    let address = who.shared_address().map(Owner::Address);
    std::iter::once(Owner::Person(who.user.clone())).chain(address).collect()
}

fn exceeded(kind: Kind, owner: &Owner, most: usize) -> Refusal {
    let (things, remedy) = match kind {
        Kind::Room => ("open rooms", "leave one, or wait until it has ended"),
        Kind::Seat => ("seats", "leave one"),
        Kind::Ticket => ("unused tickets", "use one, or wait until it has expired"),
        Kind::Place => ("places to watch", "leave one"),
    };
    let whose = match owner {
        Owner::Person(_) => "you have",
        Owner::Address(_) => "the guests of your address have",
    };
    Refusal::new(ErrorCode::QuotaExceeded, format!("{whose} {most} {things}, the most allowed: {remedy}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(address: Option<&str>) -> Identity {
        Identity::guest(None, &mut rand::rng()).from_address(address.map(|text| text.parse().unwrap()))
    }

    #[test]
    fn a_person_holds_at_most_their_quota() {
        let quotas = Quotas::new(&Limits { rooms_per_person: 2, ..Limits::default() });
        let (ada, bob) = (guest(None), guest(None));
        let held = [quotas.take(Kind::Room, &ada).unwrap(), quotas.take(Kind::Room, &ada).unwrap()];
        let refusal = quotas.take(Kind::Room, &ada).err().unwrap();
        assert_eq!(refusal.code, ErrorCode::QuotaExceeded);
        assert_eq!(refusal.message, "you have 2 open rooms, the most allowed: leave one, or wait until it has ended");
        assert!(quotas.take(Kind::Seat, &ada).is_ok() && quotas.take(Kind::Room, &bob).is_ok(), "each has its own");
        let third = quotas.note(Kind::Room, &ada);
        drop(held);
        assert!(quotas.check(Kind::Room, &ada).is_ok());
        drop(third);
        assert!(quotas.held().is_empty());
    }

    #[test]
    fn what_a_room_never_drops_is_given_back_once() {
        let quotas = Quotas::new(&Limits { seats_per_person: 2, ..Limits::default() });
        let (ada, room) = (guest(Some("9.9.9.9")), HeldInRoom::default());
        let held = [quotas.take(Kind::Seat, &ada).unwrap(), quotas.take(Kind::Seat, &ada).unwrap()];
        room.note(&held[0]);
        room.give_back();
        let again = quotas.take(Kind::Seat, &ada).unwrap();
        assert!(quotas.check(Kind::Seat, &ada).is_err(), "the other one is not in the room");
        drop(held);
        assert!(quotas.check(Kind::Seat, &ada).is_ok());
        drop(again);
        assert!(quotas.held().is_empty());
    }

    #[test]
    fn guests_of_one_address_share_its_quota() {
        let quotas = Quotas::new(&Limits { seats_per_person: 2, seats_per_address: 3, ..Limits::default() });
        let guests: Vec<_> = (0..4).map(|_| guest(Some("9.9.9.9"))).collect();
        let mut held: Vec<_> = guests[..3].iter().map(|guest| quotas.take(Kind::Seat, guest).unwrap()).collect();
        let refused = |who: &Identity| quotas.check(Kind::Seat, who).map_err(|refusal| refusal.message).err();
        assert_eq!(refused(&guests[3]).unwrap(), "the guests of your address have 3 seats, the most allowed: leave one");
        assert_eq!(refused(&guest(Some("9.9.9.8"))), None);
        assert_eq!(refused(&Identity { guest: false, ..guests[3].clone() }), None, "a user with an account is counted alone");
        held.pop();
        assert_eq!(refused(&guests[3]), None);
    }
}
