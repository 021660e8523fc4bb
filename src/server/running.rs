//! The running server: how it starts and how it stops.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::watch, task::JoinHandle, time::timeout};

use super::{builder::ServerBuilder, error::StartError, persistence::Persistence};
use crate::{
    game::GameDef,
    host::{Host, Ratings, Record, Recorder},
    net::{Endpoints, Listener},
    observe,
};

/// Time for clients to read their `over`.
const FAREWELL: Duration = Duration::from_millis(300);

/// Time for connections to close; a client that does not read would never close its own.
const CLOSING: Duration = Duration::from_secs(2);

/// Interval at which counters are published and histograms are folded.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

impl ServerBuilder {
    /// Starts the server on an address like `127.0.0.1:3000`, in the current Tokio runtime. Port 0 takes any free port.
    ///
    /// [`RunningServer::shutdown`] stops it.
    ///
    /// # Errors
    ///
    /// If something was configured wrongly, or the port, the database or the folder for data is not available.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use tickcast::prelude::*;
    /// # async fn serve<MyGame: Game>() -> Result<(), tickcast::server::StartError> {
    /// let server = tickcast::server().game::<MyGame>().start("127.0.0.1:0").await?;
    /// println!("playing at {}", server.url());
    /// server.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn start(self, listen: &str) -> Result<RunningServer, StartError> {
        RunningServer::start(self, listen).await
    }
}

/// A running server.
///
/// Dropping it without [`shutdown`](Self::shutdown) only stops it from accepting connections; rooms run until the runtime ends.
pub struct RunningServer {
    address: SocketAddr,
    host: Host,
    persistence: Persistence,
    endpoints: Arc<Endpoints>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    upkeep: JoinHandle<()>,
    ratings: Arc<Ratings>,
    /// Rates results whose players' ratings were not loaded in time.
    rating: JoinHandle<()>,
}

impl RunningServer {
    async fn start(mut builder: ServerBuilder, listen: &str) -> Result<Self, StartError> {
        let games = builder.take_games()?;
        let mut rules = builder.take_match_rules(&games)?;
        if !builder.admits_anybody() {
            return Err(StartError::Closed);
        }
        builder.check_site()?;
        let proxies = builder.read_proxies()?;
        #[cfg(feature = "metrics")]
        let exposition = observe::exposition().map_err(|error| StartError::Metrics(error.to_string()))?;
        observe::describe(games.iter().map(GameDef::name));
        let limits = builder.config.net.clone();
        let bound = async {
            let listener = Listener::bind(listen, limits.clone(), proxies).await?;
            io::Result::Ok((listener.address()?, listener))
        };
        let (address, listener) = bound.await.map_err(|error| StartError::Listen { address: listen.to_owned(), error })?;
        let mut persistence = std::mem::take(&mut builder.persistence).open(&builder.config.host).await?;
        let gate = builder.take_gate(&mut persistence);
        if let Some(ratings) = persistence.ratings().filter(|_| !builder.has_rating_store) {
            Arc::make_mut(&mut rules.ratings).store = ratings;
        }
        let ratings = rules.ratings.clone();
        persistence.tell_leaders(&ratings).await;
        persistence.take_unrated().into_iter().for_each(|result| ratings.record(&Record::Ended(result)));
        let rating = tokio::spawn(ratings.clone().rate_later());
        let host = Host::start(
            games,
            builder.config.host.clone(),
            gate,
            persistence.recorders().into_iter().chain([ratings.clone() as _]),
        );
        let endpoints = match Endpoints::new(&host, &limits, rules, &builder.additions) {
            Ok(endpoints) => Arc::new(endpoints),
            Err(error) => {
                rating.abort();
                persistence.close(&ratings).await;
                return Err(error.into());
            }
        };
        let site = builder.into_site(
            #[cfg(feature = "metrics")]
            exposition.clone(),
        );
        let origins = site.origins.clone();
        let router = site.router(host.clone(), &endpoints, &limits);
        let (stop, stopped) = watch::channel(false);
        let upkeep = tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP_INTERVAL).await;
                observe::publish_bytes();
                #[cfg(feature = "metrics")]
                exposition.upkeep();
            }
        });
        let accepting = tokio::spawn(listener.serve(router, origins, stopped));
        Ok(Self { address, host, persistence, endpoints, stop, accepting, upkeep, ratings, rating })
    }

    /// The address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for a browser on this machine.
    pub fn url(&self) -> String {
        // Not every browser opens the address that means all interfaces.
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, self.address.port()))
    }

    /// The host, which opens rooms from within the program.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The database, if there is one.
    #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
    pub fn store(&self) -> Option<&crate::store::Store> {
        self.persistence.store()
    }

    /// Stops accepting connections, ends every room with `over`, and closes every connection within a few seconds.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        self.host.close();
        tokio::time::sleep(FAREWELL).await;
        if timeout(CLOSING, self.endpoints.close()).await.is_err() {
            tracing::warn!("some connections did not close in time");
        }
        // Ends at once: the loop has been told to stop.
        let _ = self.accepting.await;
        self.upkeep.abort();
        self.rating.abort();
        self.persistence.close(&self.ratings).await;
    }
}
