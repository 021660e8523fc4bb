//! `tickcast::server()`: describes what a server hosts, and how.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use axum::Router;
use bytes::Bytes;
use socketioxide::SocketIo;

use super::{
    error::StartError,
    persistence::{Persistence, PersistenceConfig},
    rules::RulesModules,
};
#[cfg(feature = "jwt")]
use crate::identity::Jwt;
#[cfg(feature = "metrics")]
use crate::observe::Exposition;
#[cfg(feature = "webhook")]
use crate::store::WebhookConfig;
use crate::{
    game::{Game, GameDef, GameError, RulesModule},
    host::{Host, Limits, MatchRules, Parties, RatedMode, Ratings},
    identity::{Gate, Hook},
    lobby::UserId,
    matchmaking::{Mode, RatingStore, RatingSystem},
    net::{Additions, NetLimits, Origins, Page, Site, TrustedProxies},
};

/// Describes a server that hosts nothing yet.
///
/// # Examples
///
/// ```no_run
/// # fn program<Race: tickcast::prelude::Game>() -> tickcast::anyhow::Result<()> {
/// tickcast::server().game::<Race>().run() // a whole program
/// # }
/// ```
pub fn server() -> ServerBuilder {
    ServerBuilder::default()
}

/// Limits and times of a server, all with defaults. [`ServerBuilder::config`] changes them.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Config {
    /// Limits of rooms and tickets, and how long an empty room is kept.
    pub host: Limits,
    /// Sizes, rates and timeouts of connections.
    pub net: NetLimits,
}

/// Configures a server and starts it. [`server`] makes one.
///
/// These methods accumulate and may be called several times: [`game`](Self::game), [`rules`](Self::rules), [`pages`](Self::pages),
/// [`page_folder`](Self::page_folder), [`page_folder_at`](Self::page_folder_at), [`allow_origin`](Self::allow_origin), [`namespaces`](Self::namespaces),
/// [`routes`](Self::routes), [`config`](Self::config), [`mode`](Self::mode), [`modes`](Self::modes),
/// [`without_rules`](Self::without_rules) and [`block`](Self::block). Every other method sets one value. Calling it twice is an error at start: [`StartError::Repeated`].
///
/// # Examples
///
/// ```
/// use tickcast::{matchmaking::Mode, prelude::*, server::ServerBuilder};
///
/// fn describe<Race: Game>() -> ServerBuilder {
///     tickcast::server()
///         .game::<Race>()
///         .mode::<Race>("duel", Mode::teams(2).rated())
///         .allow_origin("https://play.example.org")
///         .data("/var/lib/race")
/// }
/// ```
#[must_use = "a builder does nothing until `run` or `start`"]
pub struct ServerBuilder {
    pub(super) games: Vec<Result<GameDef, GameError>>,
    pub(super) rules: RulesModules,
    pub(super) pages: Vec<Page>,
    client_bundle: Option<Bytes>,
    pub(super) origins: Vec<String>,
    pub(super) proxies: Vec<String>,
    pub(super) config: Config,
    pub(super) persistence: PersistenceConfig,
    pub(super) additions: Additions,
    #[cfg(feature = "jwt")]
    pub(super) jwt: Option<Jwt>,
    pub(super) guests: bool,
    hook: Option<Arc<dyn Hook>>,
    blocked: Vec<UserId>,
    modes: Vec<(String, String, Mode)>,
    ratings: Ratings,
    pub(super) has_rating_store: bool,
    parties: Option<Arc<dyn Parties>>,
    /// The methods called so far that set one value.
    set: Vec<&'static str>,
    /// The first of those methods that was called a second time.
    repeated: Option<&'static str>,
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self {
            games: Vec::new(),
            rules: RulesModules::default(),
            pages: Vec::new(),
            client_bundle: None,
            origins: Vec::new(),
            proxies: Vec::new(),
            config: Config::default(),
            persistence: PersistenceConfig::default(),
            additions: Additions::default(),
            #[cfg(feature = "jwt")]
            jwt: None,
            guests: true,
            hook: None,
            blocked: Vec::new(),
            modes: Vec::new(),
            ratings: Ratings::default(),
            has_rating_store: false,
            parties: None,
            set: Vec::new(),
            repeated: None,
        }
    }
}

impl ServerBuilder {
    /// Hosts a game. A mistake in its registration is an error at start, and so are two games with one name. Calls accumulate.
    ///
    /// # Examples
    ///
    /// ```
    /// # use tickcast::{prelude::*, server::ServerBuilder};
    /// # fn describe<Race: Game, Arena: Game>() -> ServerBuilder {
    /// tickcast::server().game::<Race>().game::<Arena>()
    /// # }
    /// ```
    pub fn game<G: Game>(mut self) -> Self {
        self.games.push(GameDef::new::<G>());
        self
    }

    /// Serves the WebAssembly module that [`predictor!`](crate::predictor) makes of a game's rules, at `/rules/<game>.wasm`.
    ///
    /// `welcome` has its hash, and `room.predictWith()` of the client loads it. Two modules for one game, a game that is not hosted
    /// and bytes that are no module are errors at start. Calls for several games accumulate.
    pub fn rules<G: Game>(mut self, module: impl Into<RulesModule>) -> Self {
        self.rules.add(G::NAME, module.into());
        self
    }

    /// Logs at start why there is no module for a game, unless `--rules` brings one: for a program that was built without it.
    pub fn without_rules<G: Game>(mut self, reason: impl Into<String>) -> Self {
        self.rules.miss(G::NAME, reason.into());
        self
    }

    /// Serves files. `/index.html` is served at `/` too.
    ///
    /// A path that does not begin with `/`, is one of the server's own or is given twice is an error at start. Calls accumulate.
    ///
    /// # Examples
    ///
    /// ```
    /// use tickcast::net::Page;
    ///
    /// let text = "<!doctype html> ..";
    /// let front = Page { path: "/index.html".into(), content_type: "text/html; charset=utf-8", bytes: text.into() };
    /// let server = tickcast::server().pages([front]);
    /// ```
    pub fn pages(mut self, pages: impl IntoIterator<Item = Page>) -> Self {
        self.pages.extend(pages);
        self
    }

    /// Serves the official browser client at `/socket.io/socket.io.js`.
    pub fn client_bundle(mut self, bundle: impl Into<Bytes>) -> Self {
        self.once(".client_bundle(..)");
        self.client_bundle = Some(bundle.into());
        self
    }

    /// Admits web pages of another origin, like `https://play.example.org`. Calls accumulate.
    ///
    /// A text that is not an origin is an error at start.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Trusts the proxies in a network like `10.0.0.0/8`, or at one address like `127.0.0.1`. Calls accumulate.
    ///
    /// The headers `X-Forwarded-For`, or else `Forwarded`, of a trusted proxy tell the address of the client, on which all limits
    /// count, and `X-Forwarded-Host` and `X-Forwarded-Proto` the origin that the server's own pages have. Nobody is trusted unless
    /// named here; once somebody is, limits count all other local addresses, too.
    ///
    /// A text that is neither a network nor an address is an error at start.
    pub fn trust_proxy(mut self, network: impl Into<String>) -> Self {
        self.proxies.push(network.into());
        self
    }

    /// Adds Socket.IO namespaces with handlers of your own.
    ///
    /// `add` is called at start, once for each of the two endpoints, so clients with the default parser and with MessagePack find
    /// the same namespaces. The server checks origins and sizes; your handlers decide who may connect, and how often.
    ///
    /// Register handlers in the middleware of a namespace, as below. An event that comes before its handler is lost.
    /// [`in_order`](crate::net::in_order) keeps the order of a client's events.
    ///
    /// A name must begin with `/` and differ from the server's own namespaces `/`, `/lobby`, `/matchmaking` and `/gameplay`;
    /// otherwise the server does not start. Calls accumulate. If two namespaces have the same name, the later one replaces the
    /// earlier one.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::convert::Infallible;
    /// use tickcast::{
    ///     net::in_order,
    ///     socketioxide::{
    ///         extract::{AckSender, Data, SocketRef},
    ///         handler::ConnectHandler,
    ///     },
    /// };
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// fn greet(Data(name): Data<String>, ack: AckSender) {
    ///     let _ = ack.send(&format!("hello, {name}"));
    /// }
    /// // Runs before the client is told that it is connected: no event comes before its handler.
    /// let admit = async |socket: SocketRef| {
    ///     socket.on("greet", in_order(greet));
    ///     Ok::<_, Infallible>(())
    /// };
    /// tickcast::server().namespaces(move |io, _host| io.ns("/desk", (async || {}).with(admit))).run()
    /// # }
    /// ```
    pub fn namespaces(mut self, add: impl Fn(&SocketIo, &Host) + Send + 'static) -> Self {
        self.additions.namespaces(add);
        self
    }

    /// Serves HTTP routes of your own below a path like `/shop`.
    ///
    /// `make` is called at start. The origin of each request is checked before it reaches the router, and a request that the
    /// router does not match is looked up among the pages.
    ///
    /// A path equal to, above or below a path of the server, of a page or of other routes is an error at start. Calls accumulate.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use tickcast::axum::{Router, routing::get};
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// let rooms = |host: &tickcast::host::Host| {
    ///     let host = host.clone();
    ///     Router::new().route("/rooms", get(move || async move { host.rooms(None).rooms.len().to_string() }))
    /// };
    /// tickcast::server().routes("/status", rooms).run()
    /// # }
    /// ```
    pub fn routes(mut self, path: impl Into<String>, make: impl FnOnce(&Host) -> Router + Send + 'static) -> Self {
        self.additions.routes(path.into(), make);
        self
    }

    /// Changes limits and times. Calls accumulate.
    ///
    /// # Examples
    ///
    /// ```
    /// let server = tickcast::server().config(|config| config.net.connections_per_address = 64);
    /// ```
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Lets players queue for a mode of a game. Calls accumulate. Two modes of a game with one name are an error at start.
    ///
    /// Players who name no mode get the mode `default`, or the first one if none has that name. A game without modes has one
    /// queue, for as many players as it seats.
    ///
    /// # Examples
    ///
    /// ```
    /// use tickcast::{matchmaking::Mode, prelude::*, server::ServerBuilder};
    ///
    /// fn describe<Race: Game>() -> ServerBuilder {
    ///     let casual = Mode::free_for_all(2..=8).backfill();
    ///     let ranked = Mode::teams(2).of(2..=2).ready_check(secs(10.0)).rated();
    ///     tickcast::server().game::<Race>().mode::<Race>("casual", casual).mode::<Race>("ranked", ranked)
    /// }
    /// ```
    pub fn mode<G: Game>(mut self, name: impl Into<String>, mode: Mode) -> Self {
        self.modes.push((G::NAME.to_owned(), name.into(), mode));
        self
    }

    /// Adds modes by game and name, as in a file for `--modes`. A mode replaces an earlier one of the same name. Calls accumulate.
    ///
    /// # Examples
    ///
    /// ```
    /// let file = r#"{"race": {"duel": {"teams": 2, "players": 1, "rated": true}}}"#;
    /// let server = tickcast::server().modes(serde_json::from_str(file)?);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn modes(mut self, modes: BTreeMap<String, BTreeMap<String, Mode>>) -> Self {
        let modes =
            modes.into_iter().flat_map(|(game, modes)| modes.into_iter().map(move |(name, mode)| (game.clone(), name, mode)));
        for (game, name, mode) in modes {
            match self.modes.iter_mut().find(|(of, named, _)| *of == game && *named == name) {
                Some((.., old)) => *old = mode,
                None => self.modes.push((game, name, mode)),
            }
        }
        self
    }

    /// Replaces the rating system. The default is Weng and Lin's.
    pub fn rating_system(mut self, system: impl RatingSystem) -> Self {
        self.once(".rating_system(..)");
        self.ratings.system = Arc::new(system);
        self
    }

    /// Replaces the store of ratings. The default is the server's database, or memory if it has none.
    pub fn rating_store(mut self, store: impl RatingStore) -> Self {
        self.once(".rating_store(..)");
        self.ratings.store = Arc::new(store);
        self.has_rating_store = true;
        self
    }

    /// Replaces the parties of the lobby with those of your own service.
    pub fn parties(mut self, parties: impl Parties) -> Self {
        self.once(".parties(..)");
        self.parties = Some(Arc::new(parties));
        self
    }

    /// Admits users with a token of this issuer. The command line may name another issuer instead.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use tickcast::identity::Jwt;
    ///
    /// let key = std::fs::read("tickets.pub.pem")?;
    /// let server = tickcast::server().jwt(Jwt::public_key(&key)?.issuer("https://example.org")).guests(false);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "jwt")]
    pub fn jwt(mut self, jwt: Jwt) -> Self {
        self.once(".jwt(..)");
        self.jwt = Some(jwt);
        self
    }

    /// Admits guests, users without a token, or refuses them. The default is `true`.
    pub fn guests(mut self, admitted: bool) -> Self {
        self.once(".guests(..)");
        self.guests = admitted;
        self
    }

    /// Adds a check of your own for every user who connects.
    pub fn hook(mut self, hook: impl Hook) -> Self {
        self.once(".hook(..)");
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Blocks these users. `host().block(..)` does the same while the server runs. Calls accumulate.
    pub fn block(mut self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.blocked.extend(users);
        self
    }

    /// Keeps data in this folder, which is created if it is missing.
    ///
    /// The folder holds the key that lets guests return after a restart. With the feature `store-sqlite`, and unless there is a
    /// PostgreSQL database, it also holds players, ratings, results and the block list in `tickcast.db`.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.once(".data(..)");
        self.persistence.data = Some(folder.into());
        self
    }

    /// Keeps players, ratings, results and the block list in a PostgreSQL database: `postgres://user:password@host/name`.
    #[cfg(feature = "store-postgres")]
    pub fn database(mut self, url: impl Into<String>) -> Self {
        self.once(".database(..)");
        self.persistence.database = Some(url.into());
        self
    }

    /// Posts the result of each match to a server of your own.
    #[cfg(feature = "webhook")]
    pub fn webhook(mut self, webhook: WebhookConfig) -> Self {
        self.once(".webhook(..)");
        self.persistence.webhook = Some(webhook);
        self
    }

    /// Records the call of a method that sets one value. A second call is reported at start.
    fn once(&mut self, method: &'static str) {
        if self.set.contains(&method) {
            self.repeated.get_or_insert(method);
        }
        self.set.push(method);
    }

    /// Checks the calls of this builder and the games, and hands the games over.
    pub(super) fn take_games(&mut self) -> Result<Vec<GameDef>, StartError> {
        if let Some(method) = self.repeated {
            return Err(StartError::Repeated(method));
        }
        let mut games = self.games.drain(..).collect::<Result<Vec<GameDef>, GameError>>()?;
        for (at, game) in games.iter().enumerate() {
            if games[..at].iter().any(|other| other.name() == game.name()) {
                return Err(StartError::SameName(game.name()));
            }
        }
        self.rules.give_to(&mut games)?;
        Ok(games)
    }

    /// Checks the modes and makes the matchmaker's rules for these games.
    pub(super) fn take_match_rules(&mut self, games: &[GameDef]) -> Result<MatchRules, StartError> {
        let mut modes: Vec<(&'static str, String, Mode)> = Vec::new();
        for (name, mode, rule) in self.modes.drain(..) {
            let wrong = |message: String| StartError::Mode { game: name.clone(), mode: mode.clone(), message };
            let game = games.iter().find(|game| game.name() == name).ok_or_else(|| wrong("the game is not hosted".into()))?;
            if mode.is_empty() || !mode.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) {
                return Err(wrong("its name must be of letters, digits, - and _".into()));
            }
            if modes.iter().any(|(other, named, _)| *other == name && *named == mode) {
                return Err(wrong("there is another of that name".into()));
            }
            let checked = rule.check(usize::from(*game.seats().end()), game.bots());
            checked.map_err(|error| wrong(error.to_string()))?;
            modes.push((game.name(), mode, rule));
        }
        let rated = modes.iter().filter(|(.., mode)| mode.is_rated());
        let mut ratings = self.ratings.clone();
        ratings.rated = rated.map(|(game, name, mode)| RatedMode { game, mode: name.clone(), teams: mode.sides() }).collect();
        ratings.limits = self.config.host.clone();
        Ok(MatchRules { modes, ratings: Arc::new(ratings), parties: self.parties.take() })
    }

    /// Whether anybody can be let in at all.
    pub(super) fn admits_anybody(&self) -> bool {
        #[cfg(feature = "jwt")]
        if self.jwt.is_some() {
            return true;
        }
        self.guests || self.hook.is_some()
    }

    pub(super) fn take_gate(&mut self, persistence: &mut Persistence) -> Gate {
        let gate = persistence.guard(Gate::default(), self.guests);
        #[cfg(feature = "jwt")]
        let gate = gate.jwt(self.jwt.take());
        gate.hook(self.hook.take()).blocked(self.blocked.drain(..))
    }

    /// Finds pages and routes that could never be served, and origins that could never match.
    pub(super) fn check_site(&self) -> Result<(), StartError> {
        Additions::check_pages(&self.pages)?;
        self.additions.check_folders()?;
        self.additions.check_routes(&self.pages)?;
        match self.origins.iter().find(|origin| !Origins::can_name(origin)) {
            Some(wrong) => Err(StartError::Origin(wrong.clone())),
            None => Ok(()),
        }
    }

    /// Returns the networks of proxies.
    pub(super) fn read_proxies(&self) -> Result<TrustedProxies, StartError> {
        let wrong = |text: &String| StartError::Proxy(text.clone());
        self.proxies.iter().map(|text| TrustedProxies::read(text).ok_or_else(|| wrong(text))).collect()
    }

    /// Returns what the HTTP server needs, once the host runs.
    pub(super) fn into_site(self, #[cfg(feature = "metrics")] exposition: Exposition) -> Site {
        let origins: Origins = self.origins.into_iter().collect();
        Site {
            origins,
            pages: self.pages,
            client_bundle: self.client_bundle,
            additions: self.additions,
            #[cfg(feature = "metrics")]
            exposition,
        }
    }
}
