//! The database: its address, how it is opened, and the versions of its tables.

#[cfg(feature = "store-sqlite")]
use std::{
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};
use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use sqlx::{
    Any, AnyConnection, AnyPool,
    any::{AnyPoolOptions, install_default_drivers},
    error::ErrorKind,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    pool::PoolConnection,
};
use thiserror::Error;

/// Most connections to PostgreSQL or to a file.
const CONNECTIONS: u32 = 4;

/// How long the start and each query wait for a connection, unless the caller says otherwise.
const WAIT: Duration = Duration::from_secs(5);

/// The migrations from an empty database to the tables of this version. A released one is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[(1, "first", include_str!("migrations/0001_first.sql"))];

/// The database to open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// SQLite in memory, for tests. It is lost with the store.
    #[cfg(feature = "store-sqlite")]
    Memory,
    /// An SQLite file, which is created if it is missing. On Unix nobody but its owner may read it: what others may do with a file
    /// that everybody could read is taken away.
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
    /// The file of the database cannot be created, or protected from others.
    #[cfg(feature = "store-sqlite")]
    #[error("the database {path} cannot be created: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The URL is not one of PostgreSQL.
    #[cfg(feature = "store-postgres")]
    #[error("the URL of the database must begin with postgres:// or postgresql://")]
    Url,
    /// The database took too long.
    #[error("the database did not answer in time")]
    Timeout,
    /// The tables hold an invalid user id.
    #[error("the tables hold the user id \"{0}\", which is not 1 to 64 printable ASCII characters")]
    User(String),
}

impl StoreError {
    /// Whether the database took the query and refused what is in it, so that another attempt would be refused, too.
    pub(super) fn is_final(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        // PostgreSQL's classes 22 and 23: what is not a value of the column's type, and what breaks a constraint.
        let of_data = error.code().is_some_and(|code| code.len() == 5 && (code.starts_with("22") || code.starts_with("23")));
        of_data || !matches!(error.kind(), ErrorKind::Other)
    }
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
pub struct Store {
    pool: AnyPool,
    /// Keeps the tables of a database in memory, which last as long as any connection to it.
    anchor: Option<AnyPool>,
}

impl Store {
    /// Connects and migrates the tables. Waits at most 5 s for a connection, and so does each query later. Must be called within a
    /// Tokio runtime.
    ///
    /// # Errors
    ///
    /// If the database cannot be reached, or its tables are of a later version.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        Self::open_within(database, WAIT).await
    }

    /// Does the same, and waits for a connection as long as `wait`.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub async fn open_within(database: &Database, wait: Duration) -> Result<Self, StoreError> {
        install_default_drivers();
        let options = AnyPoolOptions::new().acquire_timeout(wait);
        let (pool, anchor) = match database {
            #[cfg(feature = "store-sqlite")]
            Database::Memory => {
                static COUNT: AtomicU32 = AtomicU32::new(0);
                let name = COUNT.fetch_add(1, Ordering::Relaxed);
                let url = format!("sqlite:file:tickcast-{name}?mode=memory&cache=shared");
                let options = options.max_connections(1);
                let anchor = options.clone().idle_timeout(None).max_lifetime(None).connect(&url).await?;
                (options.connect(&url).await?, Some(anchor))
            }
            #[cfg(feature = "store-sqlite")]
            Database::File(path) => {
                protect(path).map_err(|error| StoreError::File { path: path.clone(), error })?;
                let options = options.max_connections(CONNECTIONS).after_connect(|connection, _| {
                    Box::pin(async move {
                        // Readers do not wait for the writer. A power cut may lose the last writes.
                        for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL"] {
                            sqlx::query(pragma).execute(&mut *connection).await?;
                        }
                        Ok(())
                    })
                });
                (options.connect(&url_of(path)?).await?, None)
            }
            #[cfg(feature = "store-postgres")]
            Database::Postgres(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                (options.max_connections(CONNECTIONS).connect(url).await?, None)
            }
            #[cfg(feature = "store-postgres")]
            Database::Postgres(_) => return Err(StoreError::Url),
        };
        let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
            Migration::new(*version, (*name).into(), MigrationType::Simple, sqlx::SqlStr::from_static(sql), false)
        });
        Migrator::with_migrations(migrations.collect()).run(&pool).await?;
        Ok(Self { pool, anchor })
    }

    /// Closes every connection. Later queries fail.
    pub async fn close(&self) {
        self.pool.close().await;
        if let Some(anchor) = &self.anchor {
            anchor.close().await;
        }
    }

    /// Takes a connection out of the pool, for one piece of work.
    pub(super) async fn lease(&self) -> Result<Lease, StoreError> {
        Ok(Lease { connection: self.pool.acquire().await?, is_good: false })
    }
}

/// A connection on which one piece of work is done. Unless [`end`](Self::end) says that all of it was done, the connection is closed:
/// after an error it may still be within a transaction that nobody commits, and whatever was written on it later would be lost.
pub(super) struct Lease {
    connection: PoolConnection<Any>,
    is_good: bool,
}

impl Lease {
    /// Gives the connection back to the pool.
    pub(super) fn end(mut self) {
        self.is_good = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.is_good {
            self.connection.close_on_drop();
        }
    }
}

impl Deref for Lease {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }
}

/// Creates the file of a database, so that only its owner can read it. SQLite gives the files beside it the same permissions.
#[cfg(feature = "store-sqlite")]
fn protect(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

        let file = options.mode(0o600).open(path)?;
        let mut permissions = file.metadata()?.permissions();
        // A group may have been let in on purpose.
        if permissions.mode() & 0o007 != 0 {
            permissions.set_mode(0o600);
            for end in ["", "-wal", "-shm"] {
                let mut beside = path.as_os_str().to_owned();
                beside.push(end);
                match std::fs::set_permissions(beside, permissions.clone()) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
    }
    #[cfg(not(unix))]
    options.open(path)?;
    Ok(())
}

/// Returns the URL of a file with every unusual byte encoded: sqlx encodes neither `%` nor a path that begins like a URL.
#[cfg(feature = "store-sqlite")]
fn url_of(path: &Path) -> Result<String, StoreError> {
    let failed = |error| StoreError::File { path: path.to_owned(), error };
    let path = std::path::absolute(path).map_err(failed)?;
    let text = path.to_str().ok_or_else(|| failed(io::Error::new(io::ErrorKind::InvalidInput, "its path is not UTF-8")))?;
    let mut url = "sqlite:".to_owned();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            url.push(byte.into());
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(url + "?mode=rwc")
}
