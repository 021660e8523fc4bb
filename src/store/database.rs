//! The database: its address, how it is opened, and the versions of its tables.

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

/// Most connections to PostgreSQL or to a file.
const CONNECTIONS: u32 = 4;

/// How long a query waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The migrations from an empty database to the tables of this version. A released one is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[(1, "first", include_str!("migrations/0001_first.sql"))];

/// The database to open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// SQLite in memory, for tests. It is lost with the store.
    #[cfg(feature = "store-sqlite")]
    Memory,
    /// An SQLite file, which is created if it is missing.
    #[cfg(feature = "store-sqlite")]
    File(PathBuf),
    /// A database on a PostgreSQL server: `postgres://user:password@host/database`.
    #[cfg(feature = "store-postgres")]
    Postgres(String),
}

/// Why the store cannot be opened or queried.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database is unavailable or refused the query.
    #[error("the database cannot be used: {0}")]
    Database(#[from] sqlx::Error),
    /// The tables are not of this version and cannot be migrated to it.
    #[error("the tables cannot be migrated: {0}")]
    Migrate(#[from] MigrateError),
    /// The URL is not one of PostgreSQL.
    #[cfg(feature = "store-postgres")]
    #[error("the URL of the database must begin with postgres:// or postgresql://")]
    Url,
    /// The tables hold an invalid user id.
    #[error("the tables hold the user id \"{0}\", which is not 1 to 64 printable ASCII characters")]
    User(String),
}

/// An open database. Cheap to clone.
///
/// # Examples
///
/// ```no_run
/// # #[cfg(feature = "store-sqlite")]
/// # async fn open() -> Result<(), tickcast::store::StoreError> {
/// use tickcast::store::{Database, Store};
///
/// let store = Store::open(&Database::File("tickcast.db".into())).await?;
/// println!("{} users are blocked", store.blocked().await?.len());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Store(pub(super) AnyPool);

impl Store {
    /// Connects and migrates the tables. Must be called within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// If the database cannot be reached, or its tables are of a later version.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        install_default_drivers();
        let options = AnyPoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = match database {
            #[cfg(feature = "store-sqlite")]
            // One connection that is never closed: the tables belong to the connection and are lost with it.
            Database::Memory => {
                let options = options.min_connections(1).max_connections(1).idle_timeout(None).max_lifetime(None);
                options.connect("sqlite::memory:").await?
            }
            #[cfg(feature = "store-sqlite")]
            Database::File(path) => {
                let file = SqliteConnectOptions::new().filename(path).create_if_missing(true);
                let options = options.max_connections(CONNECTIONS).after_connect(|connection, _| {
                    Box::pin(async move {
                        // Readers do not wait for the writer. A power cut may lose the last writes.
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

    /// Closes every connection. Later queries fail.
    pub async fn close(&self) {
        self.0.close().await;
    }
}
