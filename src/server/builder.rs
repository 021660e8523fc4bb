//! `tickcast::server()`: what a server hosts, and how.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use axum::Router;
use bytes::Bytes;
use socketioxide::SocketIo;

use super::{
    error::StartError,
    persistence::{Persistence, PersistenceConfig},
};
#[cfg(feature = "jwt")]
use crate::identity::Jwt;
#[cfg(feature = "webhook")]
use crate::store::WebhookConfig;
use crate::{
    game::{Game, GameDef, GameError},
    host::{Host, Limits, MatchRules, Parties, RatedMode, Ratings},
    identity::{Gate, Hook},
    lobby::UserId,
    matchmaking::{Mode, RatingStore, RatingSystem},
    net::{Additions, NetLimits, Origins, Page, Site},
};

/// Describes a server that hosts nothing yet.
///
/// `tickcast::server().game::<Arena>().run()` is a whole program.
pub fn server() -> ServerBuilder {
    ServerBuilder::default()
}

/// How a server behaves. Each field has its default.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Rooms, tickets and how long an empty room is kept.
    pub host: Limits,
    /// Sizes, rates and time limits of connections.
    pub net: NetLimits,
}

/// Configures a server and starts it. [`server`] makes one.
#[must_use = "a builder does nothing until `run` or `start`"]
pub struct ServerBuilder {
    pub(super) games: Vec<Result<GameDef, GameError>>,
    pub(super) pages: Vec<Page>,
    client_bundle: Option<Bytes>,
    origins: Vec<String>,
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
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self {
            games: Vec::new(),
            pages: Vec::new(),
            client_bundle: None,
            origins: Vec::new(),
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
        }
    }
}

impl ServerBuilder {
    /// Hosts a game. What is wrong with its registration is told at the start.
    pub fn game<G: Game>(mut self) -> Self {
        self.games.push(GameDef::new::<G>());
        self
    }

    /// Serves files; `/index.html` is served at `/` too. A path that does not begin with `/`, or is one of the server's own, is an
    /// error at start.
    pub fn pages(mut self, pages: impl IntoIterator<Item = Page>) -> Self {
        self.pages.extend(pages);
        self
    }

    /// Serves the official browser client at `/socket.io/socket.io.js`.
    pub fn client_bundle(mut self, bundle: impl Into<Bytes>) -> Self {
        self.client_bundle = Some(bundle.into());
        self
    }

    /// Lets web pages of another origin, like `https://play.example.org`, talk to this server. What is no origin is an error at
    /// start.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Adds Socket.IO namespaces of the host's own, with their handlers. Called at the start, once for each of the two endpoints:
    /// clients with the default parser and with MessagePack meet the same namespaces. The checks of origins and sizes are those of
    /// the server; who comes in and how often, the handlers decide.
    ///
    /// The server's own namespaces, `/`, `/lobby`, `/matchmaking` and `/gameplay`, cannot be replaced, and a name
    /// begins with `/`: all else is an error at start. Of two with one name the later one counts.
    ///
    /// ```no_run
    /// use tickcast::socketioxide::extract::{AckSender, Data, SocketRef};
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// let greet = async |Data(name): Data<String>, ack: AckSender| {
    ///     let _ = ack.send(&format!("hello, {name}"));
    /// };
    /// let desk = async move |socket: SocketRef| socket.on("greet", greet);
    /// tickcast::server().namespaces(move |io, _host| io.ns("/desk", desk)).run()
    /// # }
    /// ```
    pub fn namespaces(mut self, add: impl Fn(&SocketIo, &Host) + Send + 'static) -> Self {
        self.additions.namespaces(add);
        self
    }

    /// Serves HTTP routes of the host's own below a path, like `/shop`. The router is made at the start; requests pass the
    /// check of origins first. What the router does not know is looked for among the pages.
    ///
    /// A path at, above or below one that the server, a page or other routes have is an error at start.
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

    /// Changes limits and times.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Lets players queue for a mode of a game. The first one is for those who name none, unless one is named `default`; a game
    /// without modes has that one, for as many as it seats.
    pub fn mode<G: Game>(mut self, name: impl Into<String>, mode: Mode) -> Self {
        self.modes.push((G::NAME.to_owned(), name.into(), mode));
        self
    }

    /// The same for modes by game and name, as a file has them. Each takes the place of one of the same name.
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

    /// Measures skill by another system than Weng and Lin's.
    pub fn rating_system(mut self, system: impl RatingSystem) -> Self {
        self.ratings.system = Arc::new(system);
        self
    }

    /// Keeps ratings elsewhere than in memory, or in the tables of a server that has any.
    pub fn rating_store(mut self, store: impl RatingStore) -> Self {
        self.ratings.store = Arc::new(store);
        self.has_rating_store = true;
        self
    }

    /// Asks somebody else who is in a party.
    pub fn parties(mut self, parties: impl Parties) -> Self {
        self.parties = Some(Arc::new(parties));
        self
    }

    /// Lets in whoever has a token of this issuer. The command line may name another.
    #[cfg(feature = "jwt")]
    pub fn jwt(mut self, jwt: Jwt) -> Self {
        self.jwt = Some(jwt);
        self
    }

    /// Whether people without a token are let in. They are unless told otherwise.
    pub fn guests(mut self, taken: bool) -> Self {
        self.guests = taken;
        self
    }

    /// Asks a check of the host's own about everybody who comes.
    pub fn hook(mut self, hook: impl Hook) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Lets these people not in. While the server runs, `host().block(..)` does the same.
    pub fn block(mut self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.blocked.extend(users);
        self
    }

    /// Keeps what outlives the process in this folder: guests' identities, players, ratings, results and the block list.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.persistence.data = Some(folder.into());
        self
    }

    /// Keeps players, ratings, results and the block list in a PostgreSQL database, like `postgres://user:password@host/name`.
    #[cfg(feature = "store-postgres")]
    pub fn database(mut self, url: impl Into<String>) -> Self {
        self.persistence.database = Some(url.into());
        self
    }

    /// Posts each result to a server of the host's.
    #[cfg(feature = "webhook")]
    pub fn webhook(mut self, webhook: WebhookConfig) -> Self {
        self.persistence.webhook = Some(webhook);
        self
    }

    /// Checks the games and hands them over.
    pub(super) fn take_games(&mut self) -> Result<Vec<GameDef>, StartError> {
        let games = self.games.drain(..).collect::<Result<Vec<GameDef>, GameError>>()?;
        for (at, game) in games.iter().enumerate() {
            if games[..at].iter().any(|other| other.name() == game.name()) {
                return Err(StartError::SameName(game.name()));
            }
        }
        Ok(games)
    }

    /// How the matchmaker works for these games.
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
            let checked = rule.check(usize::from(*game.seats().end()), game.has_bot());
            checked.map_err(|error| wrong(error.to_string()))?;
            modes.push((game.name(), mode, rule));
        }
        let rated = modes.iter().filter(|(.., mode)| mode.is_rated());
        let rated = rated.map(|(game, name, mode)| RatedMode { game, mode: name.clone(), teams: mode.sides() });
        let ratings = Arc::new(Ratings { rated: rated.collect(), ..self.ratings.clone() });
        Ok(MatchRules { modes, ratings, parties: self.parties.take() })
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

    /// Finds what would never be served, and what would never be let in.
    pub(super) fn check_site(&self) -> Result<(), StartError> {
        Additions::check_pages(&self.pages)?;
        self.additions.check_routes(&self.pages)?;
        match self.origins.iter().find(|origin| !Origins::can_name(origin)) {
            Some(wrong) => Err(StartError::Origin(wrong.clone())),
            None => Ok(()),
        }
    }

    /// What is left of the builder once the host runs.
    pub(super) fn into_site(self) -> Site {
        let origins: Origins = self.origins.into_iter().collect();
        Site { origins, pages: self.pages, client_bundle: self.client_bundle, additions: self.additions }
    }
}
