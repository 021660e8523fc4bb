//! The database: where it is, how it is opened, and its schema's versions.

#[cfg(feature = "store-sqlite")]
use std::path::PathBuf;
use std::time::Duration;

use sqlx::{
    AnyPool,
    any::{AnyPoolOptions, install_default_drivers},
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
#[cfg(feature = "store-sqlite")]
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
use thiserror::Error;

/// Connections to PostgreSQL or to a file, at most.
const CONNECTIONS: u32 = 4;

/// How long a query waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The steps from an empty database to this version's tables, each once. What has been released is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[(1, "first", include_str!("migrations/0001_first.sql"))];

/// Where the tables are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In memory, for tests: gone with the store.
    #[cfg(feature = "store-sqlite")]
    Memory,
    /// In an SQLite file, made if it is not there.
    #[cfg(feature = "store-sqlite")]
    File(PathBuf),
    /// On a PostgreSQL server: `postgres://user:password@host/database`.
    #[cfg(feature = "store-postgres")]
    Postgres(String),
}

/// Why the store does not open, or does not answer.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database said no, or nothing.
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// The tables are not what this version knows.
    #[error("the tables cannot be brought up to date: {0}")]
    Migrate(#[from] MigrateError),
    /// A URL of another kind of database.
    #[cfg(feature = "store-postgres")]
    #[error("a database's URL begins with postgres:// or postgresql://")]
    Url,
    /// Something in the tables that this version did not write.
    #[error("the tables hold \"{0}\", which is no user's id")]
    User(String),
}

/// The tables. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store(pub(super) AnyPool);

impl Store {
    /// Connects, and brings the tables up to date. Must be called within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// If there is no such database, or its tables are of a later version.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        install_default_drivers();
        let options = AnyPoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = match database {
            #[cfg(feature = "store-sqlite")]
            // One connection that is never let go: each would have tables of its own, and they go with it.
            Database::Memory => {
                let options = options.min_connections(1).max_connections(1).idle_timeout(None).max_lifetime(None);
                options.connect("sqlite::memory:").await?
            }
            #[cfg(feature = "store-sqlite")]
            Database::File(path) => {
                let file = SqliteConnectOptions::new().filename(path).create_if_missing(true);
                let options = options.max_connections(CONNECTIONS).after_connect(|connection, _| {
                    Box::pin(async move {
                        // Readers do not wait for the writer; what the last moments before a power cut wrote may be lost.
                        for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL"] {
                            sqlx::query(pragma).execute(&mut *connection).await?;
                        }
                        Ok(())
                    })
                });
                options.connect(file.to_url_lossy().as_str()).await?
            }
            #[cfg(feature = "store-postgres")]
            Database::Postgres(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                options.max_connections(CONNECTIONS).connect(url).await?
            }
            #[cfg(feature = "store-postgres")]
            Database::Postgres(_) => return Err(StoreError::Url),
        };
        let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
            Migration::new(*version, (*name).into(), MigrationType::Simple, sqlx::SqlStr::from_static(sql), false)
        });
        Migrator::with_migrations(migrations.collect()).run(&pool).await?;
        Ok(Self(pool))
    }

    /// Lets every connection go; what is asked afterwards fails.
    pub async fn close(&self) {
        self.0.close().await;
    }
}
