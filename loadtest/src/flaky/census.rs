//! Where everybody is: what the clients believe, beside what the server says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::account::{Account, Shared};
use super::server::PLAYERS;
use crate::client::Name;
use crate::connection::{Connection, LOBBY, MSGPACK_PATH};
use crate::server::Server;

/// The most people in one request `presence`.
const PEOPLE: usize = 100;

/// The state of the clients and of the server at one moment, as they tell it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Census {
    pub(crate) accounts: Vec<Account>,
    /// The server's status of each user.
    pub(crate) presence: BTreeMap<String, String>,
    /// Seats of people, and connections to `/gameplay` and `/matchmaking`, as `/metrics` counts them.
    pub(crate) seats: f64,
    pub(crate) connections: f64,
}

#[derive(Serialize)]
struct Follow<'a> {
    users: &'a [String],
}

#[derive(Deserialize)]
struct Followed {
    users: Vec<Person>,
}

#[derive(Deserialize)]
struct Person {
    user: String,
    status: String,
}

impl Census {
    /// Asks the server, on a connection of its own.
    pub(crate) async fn take(shared: &Shared, server: &Server) -> anyhow::Result<Self> {
        let mut connection = Connection::open(&shared.target, MSGPACK_PATH, Arc::clone(&shared.tally)).await?;
        connection.enter(LOBBY, &Name { name: "observer".to_owned() }).await?;
        let accounts = shared.accounts();
        let users: Vec<_> = accounts.iter().map(|account| account.user.clone()).filter(|user| !user.is_empty()).collect();
        let mut presence = BTreeMap::new();
        for users in users.chunks(PEOPLE) {
            let Followed { users } = connection.request(LOBBY, "presence", Some(&Follow { users })).await?;
            presence.extend(users.into_iter().map(|person| (person.user, person.status)));
        }
        connection.close().await;
        let metrics = server.metrics().await.context("/metrics does not answer")?;
        let seats = sum(&metrics, "tickcast_seats{", "by=\"player\"");
        let connections = ["/gameplay", "/matchmaking"].map(|namespace| sum(&metrics, "tickcast_connections{", namespace));
        Ok(Self { accounts, presence, seats, connections: connections.iter().sum() })
    }

    /// Returns whatever differs from everybody playing in exactly one match.
    pub(crate) fn together(&self) -> Vec<String> {
        let mut wrong: Vec<_> = self.accounts.iter().filter(|account| !account.is_settled).map(stuck).collect();
        let rooms: BTreeMap<&str, &Account> =
            self.accounts.iter().filter_map(|account| Some((account.room.as_deref()?, account))).collect();
        let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (room, account) in &rooms {
            for seat in &account.seats {
                places.entry(&seat.name).or_default().insert(room);
                if seat.status != "playing" {
                    wrong.push(format!("{} is {} in {room}", seat.name, seat.status));
                }
            }
            let people = self.accounts.iter().filter(|other| other.room.as_deref() == Some(room)).count();
            if account.seats.len() != people || people > PLAYERS {
                wrong.push(format!("{room} has {} seats for {people} clients", account.seats.len()));
            }
        }
        for account in &self.accounts {
            let Account { name, user, room, .. } = account;
            let seats = places.remove(name.as_str()).unwrap_or_default();
            if seats.len() != 1 || seats.first().copied() != room.as_deref() {
                wrong.push(format!("{name} is in {room:?}, and has seats in {seats:?}"));
            }
            let status = self.status(user);
            if status != "match" {
                wrong.push(format!("{name} plays, and the server calls it {status}"));
            }
        }
        wrong.extend(places.iter().map(|(name, rooms)| format!("{name} is no client, and has seats in {rooms:?}")));
        if self.seats != self.accounts.len() as f64 {
            wrong.push(format!("the server counts {} seats for {} clients", self.seats, self.accounts.len()));
        }
        wrong
    }

    /// Returns whatever is left once everybody has gone.
    pub(crate) fn apart(&self) -> Vec<String> {
        let statuses = self.accounts.iter().map(|account| (&account.name, self.status(&account.user)));
        let here = statuses.filter(|(_, status)| !["offline", "online"].contains(status));
        let mut wrong: Vec<_> = here.map(|(name, status)| format!("{name} has left, and the server calls it {status}")).collect();
        if self.seats != 0.0 {
            wrong.push(format!("the server counts {} seats that nobody holds", self.seats));
        }
        if self.connections != 0.0 {
            wrong.push(format!("the server counts {} connections to matches and queues", self.connections));
        }
        wrong
    }

    fn status(&self, user: &str) -> &str {
        self.presence.get(user).map_or("unknown", String::as_str)
    }
}

fn stuck(account: &Account) -> String {
    let Account { name, stage, room, last, .. } = account;
    let place = room.as_ref().map_or_else(String::new, |room| format!(" in {room}"));
    let last = if last.is_empty() { String::new() } else { format!(", after: {last}") };
    format!("{name} is {stage}{place} and not settled{last}")
}

/// Adds up the samples of a metric with this text in their labels.
fn sum(metrics: &str, name: &str, label: &str) -> f64 {
    let samples = metrics.lines().filter(|line| line.starts_with(name) && line.contains(label));
    samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::super::account::SeatOf;
    use super::*;

    fn seat(name: &str, status: &str) -> SeatOf {
        SeatOf { name: name.to_owned(), status: status.to_owned() }
    }

    fn client(name: &str, room: &str, seats: &[SeatOf]) -> Account {
        let (name, user) = (name.to_owned(), format!("guest-{name}"));
        let (room, seats) = (Some(room.to_owned()), seats.to_vec());
        Account { name, user, stage: "seated", room, seats, is_settled: true, last: String::new() }
    }

    /// Four clients in two rooms.
    fn census() -> Census {
        let (one, two) = ([seat("a", "playing"), seat("b", "playing")], [seat("c", "playing"), seat("d", "playing")]);
        let accounts = vec![client("a", "r1", &one), client("b", "r1", &one), client("c", "r2", &two), client("d", "r2", &two)];
        let presence = accounts.iter().map(|account| (account.user.clone(), "match".to_owned())).collect();
        Census { accounts, presence, seats: 4.0, connections: 8.0 }
    }

    #[test]
    fn everybody_in_one_match_is_right() {
        assert_eq!(census().together(), Vec::<String>::new());
    }

    #[test]
    fn a_client_without_a_match_is_named() {
        let mut census = census();
        let lost = &mut census.accounts[3];
        (lost.room, lost.is_settled, lost.stage, lost.last) = (None, false, "waiting", "queue_paused: wait".to_owned());
        census.presence.insert("guest-d".to_owned(), "queue".to_owned());
        let wrong = census.together();
        assert_eq!(wrong[0], "d is waiting and not settled, after: queue_paused: wait");
        assert!(wrong.contains(&"r2 has 2 seats for 1 clients".to_owned()), "{wrong:?}");
        assert!(wrong.contains(&"d plays, and the server calls it queue".to_owned()), "{wrong:?}");
    }

    #[test]
    fn a_seat_that_nobody_holds_is_found() {
        let mut away = census();
        away.accounts[1].seats[0].status = "away".to_owned();
        assert_eq!(away.together(), ["a is away in r1"]);

        let mut twice = census();
        twice.accounts.iter_mut().take(2).for_each(|account| account.seats.push(seat("c", "playing")));
        twice.seats = 5.0;
        let wrong = twice.together();
        assert!(wrong.contains(&"c is in Some(\"r2\"), and has seats in {\"r1\", \"r2\"}".to_owned()), "{wrong:?}");
        assert!(wrong.contains(&"the server counts 5 seats for 4 clients".to_owned()), "{wrong:?}");

        let mut stranger = census();
        stranger.accounts.iter_mut().take(2).for_each(|account| account.seats.push(seat("x", "playing")));
        assert!(stranger.together().contains(&"x is no client, and has seats in {\"r1\"}".to_owned()));
    }

    #[test]
    fn whoever_has_left_is_in_no_match() {
        let mut census = census();
        census.presence.values_mut().for_each(|status| *status = "offline".to_owned());
        (census.seats, census.connections) = (0.0, 0.0);
        assert_eq!(census.apart(), Vec::<String>::new());
        (census.seats, census.connections) = (1.0, 1.0);
        census.presence.insert("guest-a".to_owned(), "match".to_owned());
        assert_eq!(
            census.apart(),
            [
                "a has left, and the server calls it match",
                "the server counts 1 seats that nobody holds",
                "the server counts 1 connections to matches and queues"
            ]
        );
    }

    #[test]
    fn samples_of_a_metric_add_up() {
        let text = "x_seats{game=\"a\",by=\"player\"} 3\nx_seats{game=\"b\",by=\"player\"} 4\nx_seats{game=\"a\",by=\"bot\"} 9\n";
        assert_eq!(sum(text, "x_seats{", "by=\"player\""), 7.0);
    }
}
