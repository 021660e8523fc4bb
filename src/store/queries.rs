//! The queries. They are the same SQL for SQLite and PostgreSQL.

use std::{future::Future, pin::Pin};

use serde::{Deserialize, Serialize};
use sqlx::{Any, AnyConnection, Connection, Row, any::AnyRow};

use super::database::{Store, StoreError};
use crate::{
    host::{Leader, MatchResult, Player, now},
    identity::BlockStore,
    lobby::{Identity, UserId},
};

/// A user, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredPlayer {
    /// The user's id.
    pub user: UserId,
    /// The latest display name.
    pub name: String,
    /// Whether the user is a guest.
    pub guest: bool,
    /// The first connection, in milliseconds since 1970.
    pub first_seen: u64,
    /// The last connection, in milliseconds since 1970.
    pub last_seen: u64,
}

/// A user's rating in one mode of one game, as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredRating {
    /// The user.
    pub user: UserId,
    /// The game.
    pub game: String,
    /// The mode.
    pub mode: String,
    /// The estimate.
    pub rating: f64,
    /// Its standard deviation.
    pub deviation: f64,
    /// The volatility of results; used by Glicko-2.
    pub volatility: f64,
}

/// A match, from the view of one of its players.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredMatch {
    /// The id of the match.
    pub id: String,
    /// The game.
    pub game: String,
    /// The mode; empty if the matchmaker did not make the match.
    pub mode: String,
    /// When it ended, in milliseconds since 1970.
    pub ended: u64,
    /// Whether the player won.
    pub won: bool,
    /// Whether the player kept their seat to the end.
    pub stayed: bool,
}

const SEEN: &str = "
    INSERT INTO players (user_id, name, guest, first_seen, last_seen) VALUES ($1, $2, $3, $4, $4)
    ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, last_seen = excluded.last_seen
    WHERE players.last_seen <= excluded.last_seen";

const SAVE_RATING: &str = "
    INSERT INTO ratings (user_id, game, mode, rating, deviation, volatility, updated) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (user_id, game, mode) DO UPDATE SET rating = excluded.rating, deviation = excluded.deviation,
        volatility = excluded.volatility, updated = excluded.updated";

const LEADERS: &str = "
    SELECT ratings.user_id, name, rating, deviation FROM ratings JOIN players ON players.user_id = ratings.user_id
    WHERE game = $1 AND mode = $2 ORDER BY rating DESC, ratings.user_id LIMIT $3";

const SAVE_MATCH: &str = "
    INSERT INTO matches (id, room, game, mode, began, ended) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (id) DO NOTHING";

const SAVE_MATCH_PLAYER: &str = "
    INSERT INTO match_players (match_id, user_id, seat, won, stayed) VALUES ($1, $2, $3, $4, $5)";

const MATCHES_OF: &str = "
    SELECT id, game, mode, ended, won, stayed FROM matches JOIN match_players ON match_id = id
    WHERE user_id = $1 ORDER BY ended DESC, id LIMIT $2";

// Results are kept. They name the guest's id only.
const FORGET_RATINGS_OF_GUESTS: &str = "
    DELETE FROM ratings WHERE user_id IN (SELECT user_id FROM players WHERE guest = 1 AND last_seen < $1)";

impl Store {
    /// Records that a user connected.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn seen(&self, who: &Identity) -> Result<(), StoreError> {
        self.seen_at((&who.user, who.name.as_str(), who.guest), now()).await
    }

    /// Records that a user, whose name this is and who may be a guest, connected at a time in milliseconds since 1970.
    pub(super) async fn seen_at(&self, who: (&UserId, &str, bool), at: u64) -> Result<(), StoreError> {
        let mut lease = self.lease().await?;
        seen(&mut lease, who, at).await?;
        lease.end();
        Ok(())
    }

    /// Returns a user.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn player(&self, user: &UserId) -> Result<Option<StoredPlayer>, StoreError> {
        let query = "SELECT user_id, name, guest, first_seen, last_seen FROM players WHERE user_id = $1";
        let mut lease = self.lease().await?;
        let row = sqlx::query::<Any>(query).bind(user.as_str()).fetch_optional(&mut *lease).await?;
        lease.end();
        let player = |row: AnyRow| {
            Ok(StoredPlayer {
                user: user_of(&row)?,
                name: row.try_get("name")?,
                guest: flag(&row, "guest")?,
                first_seen: time(&row, "first_seen")?,
                last_seen: time(&row, "last_seen")?,
            })
        };
        row.map(player).transpose()
    }

    /// Deletes guests whose last connection was before a time in milliseconds since 1970, with their ratings. Returns their number.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn forget_guests(&self, before: u64) -> Result<u64, StoreError> {
        let mut lease = self.lease().await?;
        let mut change = lease.begin().await?;
        sqlx::query(FORGET_RATINGS_OF_GUESTS).bind(before as i64).execute(&mut *change).await?;
        let query = "DELETE FROM players WHERE guest = 1 AND last_seen < $1";
        let forgotten = sqlx::query(query).bind(before as i64).execute(&mut *change).await?;
        change.commit().await?;
        lease.end();
        Ok(forgotten.rows_affected())
    }

    /// Returns a user's rating in a mode of a game.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn rating(&self, user: &UserId, game: &str, mode: &str) -> Result<Option<StoredRating>, StoreError> {
        Ok(self.ratings(user).await?.into_iter().find(|rating| rating.game == game && rating.mode == mode))
    }

    /// Returns all ratings of a user.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn ratings(&self, user: &UserId) -> Result<Vec<StoredRating>, StoreError> {
        let query =
            "SELECT user_id, game, mode, rating, deviation, volatility FROM ratings WHERE user_id = $1 ORDER BY game, mode";
        let mut lease = self.lease().await?;
        let rows = sqlx::query::<Any>(query).bind(user.as_str()).fetch_all(&mut *lease).await?;
        lease.end();
        let rating = |row: &AnyRow| {
            Ok(StoredRating {
                user: user_of(row)?,
                game: row.try_get("game")?,
                mode: row.try_get("mode")?,
                rating: row.try_get("rating")?,
                deviation: row.try_get("deviation")?,
                volatility: row.try_get("volatility")?,
            })
        };
        rows.iter().map(rating).collect()
    }

    /// Returns the players with the highest ratings in a mode, the highest first: at most `most`.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn leaders(&self, game: &str, mode: &str, most: u32) -> Result<Vec<Leader>, StoreError> {
        let mut lease = self.lease().await?;
        let rows = sqlx::query::<Any>(LEADERS).bind(game).bind(mode).bind(i64::from(most)).fetch_all(&mut *lease).await?;
        lease.end();
        let leader = |row: &AnyRow| {
            let name: String = row.try_get("name")?;
            Ok(Leader::new(user_of(row)?, name, row.try_get("rating")?, row.try_get("deviation")?))
        };
        rows.iter().map(leader).collect()
    }

    /// Writes ratings in one transaction.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn save_ratings(&self, ratings: &[StoredRating]) -> Result<(), StoreError> {
        let mut lease = self.lease().await?;
        let mut change = lease.begin().await?;
        for rating in ratings {
            sqlx::query(SAVE_RATING)
                .bind(rating.user.as_str())
                .bind(&rating.game)
                .bind(&rating.mode)
                .bind(rating.rating)
                .bind(rating.deviation)
                .bind(rating.volatility)
                .bind(now() as i64)
                .execute(&mut *change)
                .await?;
        }
        change.commit().await?;
        lease.end();
        Ok(())
    }

    /// Writes the result of a match, with its players. A result that is already stored is not changed.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn save_match(&self, result: &MatchResult) -> Result<(), StoreError> {
        let mut lease = self.lease().await?;
        let mut change = lease.begin().await?;
        let written = sqlx::query(SAVE_MATCH)
            .bind(&result.id)
            .bind(result.room.as_str())
            .bind(&result.game)
            .bind(&result.mode)
            .bind(result.began as i64)
            .bind(result.ended as i64)
            .execute(&mut *change)
            .await?;
        // A result that is there already has its players.
        let players = if written.rows_affected() == 0 { &[][..] } else { &result.players };
        for Player { seat, user, name, guest, won, stayed } in players {
            seen(&mut change, (user, name, *guest), result.ended).await?;
            sqlx::query(SAVE_MATCH_PLAYER)
                .bind(&result.id)
                .bind(user.as_str())
                .bind(i64::from(seat.0))
                .bind(i64::from(*won))
                .bind(i64::from(*stayed))
                .execute(&mut *change)
                .await?;
        }
        change.commit().await?;
        lease.end();
        Ok(())
    }

    /// Returns the latest matches of a user, newest first, `most` at most.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn matches(&self, user: &UserId, most: u32) -> Result<Vec<StoredMatch>, StoreError> {
        let mut lease = self.lease().await?;
        let rows = sqlx::query::<Any>(MATCHES_OF).bind(user.as_str()).bind(i64::from(most)).fetch_all(&mut *lease).await?;
        lease.end();
        let kept = |row: &AnyRow| {
            Ok(StoredMatch {
                id: row.try_get("id")?,
                game: row.try_get("game")?,
                mode: row.try_get("mode")?,
                ended: time(row, "ended")?,
                won: flag(row, "won")?,
                stayed: flag(row, "stayed")?,
            })
        };
        rows.iter().map(kept).collect()
    }

    /// Returns the block list.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn blocked(&self) -> Result<Vec<UserId>, StoreError> {
        let mut lease = self.lease().await?;
        let rows = sqlx::query::<Any>("SELECT user_id FROM bans ORDER BY user_id").fetch_all(&mut *lease).await?;
        lease.end();
        rows.iter().map(user_of).collect()
    }

    /// Returns whether a user is blocked.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn is_blocked(&self, user: &UserId) -> Result<bool, StoreError> {
        let query = sqlx::query::<Any>("SELECT user_id FROM bans WHERE user_id = $1").bind(user.as_str());
        let mut lease = self.lease().await?;
        let row = query.fetch_optional(&mut *lease).await?;
        lease.end();
        Ok(row.is_some())
    }

    /// Puts a user on the block list.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn block(&self, user: &UserId) -> Result<(), StoreError> {
        let query = "INSERT INTO bans (user_id, since) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING";
        let mut lease = self.lease().await?;
        sqlx::query(query).bind(user.as_str()).bind(now() as i64).execute(&mut *lease).await?;
        lease.end();
        Ok(())
    }

    /// Takes a user off the block list.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn unblock(&self, user: &UserId) -> Result<(), StoreError> {
        let mut lease = self.lease().await?;
        sqlx::query("DELETE FROM bans WHERE user_id = $1").bind(user.as_str()).execute(&mut *lease).await?;
        lease.end();
        Ok(())
    }
}

impl BlockStore for Store {
    fn is_blocked<'a>(&'a self, user: &'a UserId) -> Pin<Box<dyn Future<Output = Option<bool>> + Send + 'a>> {
        Box::pin(async move {
            let answer = self.is_blocked(user).await;
            answer.inspect_err(|error| tracing::debug!(%error, "the block list cannot be read")).ok()
        })
    }
}

async fn seen(connection: &mut AnyConnection, who: (&UserId, &str, bool), at: u64) -> Result<(), StoreError> {
    let (user, name, guest) = who;
    let query = sqlx::query(SEEN).bind(user.as_str()).bind(name).bind(i64::from(guest)).bind(at as i64);
    query.execute(connection).await?;
    Ok(())
}

fn user_of(row: &AnyRow) -> Result<UserId, StoreError> {
    let text: String = row.try_get("user_id")?;
    UserId::parse(&text).ok_or(StoreError::User(text))
}

fn time(row: &AnyRow, column: &str) -> Result<u64, StoreError> {
    Ok(row.try_get::<i64, _>(column)?.max(0) as u64)
}

fn flag(row: &AnyRow, column: &str) -> Result<bool, StoreError> {
    Ok(row.try_get::<i64, _>(column)? != 0)
}
