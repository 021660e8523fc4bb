//! The command line and the environment variables.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Command, CommandFactory, FromArgMatches, Parser, builder::Resettable};

use super::{
    builder::{Config, ServerBuilder},
    modes::read_modes,
    persistence::PersistenceConfig,
};
#[cfg(feature = "jwt")]
use crate::identity::{Jwt, KeyError};
#[cfg(feature = "webhook")]
use crate::store::WebhookConfig;
use crate::{game::GameDef, matchmaking::Mode};

/// An authoritative game server.
#[derive(Debug, Parser)]
#[command(version = env!("CARGO_PKG_VERSION"))]
pub(super) struct Args {
    /// Address to listen on: host and port; port 0 takes any free one
    #[arg(long, env = "TICKCAST_LISTEN", default_value = "127.0.0.1:3000")]
    pub(super) listen: String,

    /// What to log, like `info` or `warn,tickcast=debug`
    #[arg(long, env = "TICKCAST_LOG", default_value = "info")]
    pub(super) log: String,

    /// Most TCP connections from one address at a time, 0 for no limit; private addresses are not limited [default: 256, unless the program sets another]
    #[arg(long, env = "TICKCAST_CONNECTIONS_PER_ADDRESS", value_name = "COUNT")]
    connections_per_address: Option<usize>,

    /// Admit web pages of other origins, like `https://play.example.org,https://example.org`
    #[arg(long, env = "TICKCAST_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    allow_origin: Vec<String>,

    /// Take the client's address from the headers of the proxies in these networks, like `127.0.0.1,10.0.0.0/8`
    #[arg(long, env = "TICKCAST_TRUSTED_PROXIES", value_name = "NETWORK", value_delimiter = ',')]
    trusted_proxies: Vec<String>,

    /// Set a limit by its name, like `max_rooms=200`; may be given several times. docs/OPERATIONS.md lists all
    #[arg(long = "limit", env = "TICKCAST_LIMITS", value_name = "NAME=VALUE", value_delimiter = ',')]
    limits: Vec<String>,

    /// Print the schema of a game as JSON and exit
    #[arg(long, value_name = "GAME", conflicts_with = "print_types")]
    print_schema: Option<String>,

    /// Print the TypeScript types of a game, a .d.ts file, and exit
    #[arg(long, value_name = "GAME")]
    print_types: Option<String>,

    #[cfg(feature = "jwt")]
    #[command(flatten)]
    pub(super) jwt: JwtArgs,

    #[command(flatten)]
    pub(super) persistence: PersistenceArgs,

    /// Add the modes of matchmaking in this JSON file, by game and name: {"arena": {"1v1": {"teams": 2, "players": 1}}}
    #[arg(long, env = "TICKCAST_MODES", value_name = "FILE")]
    modes: Option<PathBuf>,

    /// Serve the modules by which clients predict, the files <game>_module.wasm in this folder
    #[arg(long, env = "TICKCAST_RULES", value_name = "FOLDER")]
    pub(super) rules: Option<PathBuf>,

    /// Serve the files in a folder as pages, like `web/dist`, or below a path, like `/docs=book`; may be given several times
    #[arg(long, env = "TICKCAST_PAGES", value_name = "[PATH=]FOLDER", value_delimiter = ',')]
    pages: Vec<String>,

    /// Refuse users without a token
    #[arg(long, env = "TICKCAST_NO_GUESTS", value_parser = clap::builder::BoolishValueParser::new())]
    pub(super) no_guests: bool,
}

impl Args {
    /// Reads the command line and the environment. Ends the process on `--help`, `--version` and mistakes.
    pub(super) fn read() -> Self {
        let mut matches = without_empty_variables(Self::command(), |name| std::env::var_os(name)).get_matches();
        Self::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.exit())
    }

    /// Whether a text is to be printed instead of starting a server.
    pub(super) fn prints(&self) -> bool {
        self.print_schema.is_some() || self.print_types.is_some()
    }

    /// The text that `--print-schema` or `--print-types` asks for; empty without either.
    pub(super) fn printed(&self, games: &[GameDef]) -> anyhow::Result<String> {
        if let Some(name) = &self.print_schema {
            let schema = find_game(games, name)?.schema();
            return Ok(serde_json::to_string_pretty(&**schema)? + "\n");
        }
        match &self.print_types {
            Some(name) => Ok(find_game(games, name)?.schema().to_d_ts()),
            None => Ok(String::new()),
        }
    }

    /// Adds the origins, the proxies and the folders of pages to those that the program names.
    pub(super) fn change_site(&self, mut server: ServerBuilder) -> ServerBuilder {
        let named = |list: &[String]| -> Vec<String> {
            list.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
        };
        server = named(&self.allow_origin).into_iter().fold(server, ServerBuilder::allow_origin);
        server = named(&self.trusted_proxies).into_iter().fold(server, ServerBuilder::trust_proxy);
        named(&self.pages).iter().fold(server, |server, pages| match pages.split_once('=') {
            Some(("/", folder)) => server.page_folder(folder),
            Some((path, folder)) if path.starts_with('/') => server.page_folder_at(path, folder),
            _ => server.page_folder(pages),
        })
    }

    /// Sets the limits that `--limit` names.
    pub(super) fn change_limits(&self, config: &mut Config) -> anyhow::Result<()> {
        config.net.connections_per_address = self.connections_per_address.unwrap_or(config.net.connections_per_address);
        // A list may end in a comma, and a variable may be empty.
        for limit in self.limits.iter().map(|limit| limit.trim()).filter(|limit| !limit.is_empty()) {
            let (name, value) = limit.split_once('=').with_context(|| format!("a limit is NAME=VALUE, not \"{limit}\""))?;
            config.set_limit(name.trim(), value.trim())?;
        }
        Ok(())
    }

    /// The modes of the file that `--modes` names, by game and name.
    pub(super) fn read_modes(&self) -> anyhow::Result<BTreeMap<String, BTreeMap<String, Mode>>> {
        let Some(file) = &self.modes else { return Ok(BTreeMap::new()) };
        read_modes(&read_text(file)?).with_context(|| format!("cannot use {}", file.display()))
    }
}

/// Takes empty variables as not set: files of variables and container definitions often list all of them.
fn without_empty_variables(command: Command, value: impl Fn(&std::ffi::OsStr) -> Option<OsString>) -> Command {
    command.mut_args(|arg| {
        let is_empty = arg.get_env().is_some_and(|name| value(name).is_some_and(|value| value.is_empty()));
        if is_empty { arg.env(Resettable::Reset) } else { arg }
    })
}

/// The mark with which some editors begin a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads a text in UTF-8, without the mark at its start.
fn read_text(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(text)
}

/// Reads a secret: all bytes of a binary file, or a text without white space at its end.
#[cfg(any(feature = "jwt", feature = "webhook"))]
fn read_secret(file: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    if bytes.starts_with(&[0xff, 0xfe]) && bytes.iter().skip(3).step_by(2).all(|byte| *byte == 0) {
        anyhow::bail!("{} is text in UTF-16; save it in UTF-8, or no two programs will read the same secret", file.display());
    }
    let is_text = |text: &str| text.chars().all(|letter| !letter.is_control() || letter.is_ascii_whitespace());
    match std::str::from_utf8(&bytes) {
        Ok(text) if is_text(text) => {
            let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
            Ok(text.trim_ascii_end().to_vec())
        }
        _ => Ok(bytes),
    }
}

fn find_game<'a>(games: &'a [GameDef], name: &str) -> anyhow::Result<&'a GameDef> {
    games.iter().find(|game| game.name() == name).with_context(|| {
        let known: Vec<_> = games.iter().map(GameDef::name).collect();
        format!("no game is named \"{name}\"; this program has: {}", known.join(", "))
    })
}

/// Where data is kept and results are posted.
#[derive(Debug, Default, clap::Args)]
pub(super) struct PersistenceArgs {
    /// Keep data in this folder: the key of guests' tokens and, unless --database is given, the database
    #[arg(long, env = "TICKCAST_DATA", value_name = "FOLDER")]
    data: Option<PathBuf>,

    #[cfg(feature = "store-postgres")]
    /// Keep players, ratings, results and the block list in PostgreSQL: postgres://user:password@host/name
    #[arg(long, env = "TICKCAST_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,

    #[cfg(feature = "webhook")]
    /// Post the result of each match to this URL: https://host/path
    #[arg(long, env = "TICKCAST_WEBHOOK", value_name = "URL", requires = "webhook_secret_file")]
    webhook: Option<String>,

    #[cfg(feature = "webhook")]
    /// Sign posted results with the secret in this file, at least 16 bytes
    #[arg(long, env = "TICKCAST_WEBHOOK_SECRET_FILE", value_name = "FILE")]
    webhook_secret_file: Option<PathBuf>,

    #[cfg(feature = "webhook")]
    /// Trust the certificate authorities in this PEM file, besides those of the system, when posting to https
    #[arg(long, env = "TICKCAST_WEBHOOK_CA_FILE", value_name = "FILE", requires = "webhook")]
    webhook_ca_file: Option<PathBuf>,
}

impl PersistenceArgs {
    /// Overrides what the program configured.
    pub(super) fn change(self, persistence: &mut PersistenceConfig) -> anyhow::Result<()> {
        persistence.data = self.data.or(persistence.data.take());
        #[cfg(feature = "store-postgres")]
        {
            persistence.database = self.database.or(persistence.database.take());
        }
        #[cfg(feature = "webhook")]
        if let (Some(url), Some(file)) = (self.webhook, self.webhook_secret_file) {
            let webhook = WebhookConfig::new(url, read_secret(&file)?);
            persistence.webhook = Some(WebhookConfig { ca_file: self.webhook_ca_file, ..webhook });
        }
        Ok(())
    }
}

#[cfg(feature = "jwt")]
/// The issuer of tokens.
#[derive(Debug, Default, clap::Args)]
pub(super) struct JwtArgs {
    /// Accept tokens signed with HS256 and the secret in this file, at least 32 bytes
    #[arg(long, env = "TICKCAST_JWT_SECRET_FILE", value_name = "FILE", group = "jwt_key")]
    jwt_secret_file: Option<PathBuf>,

    /// Accept tokens that this public key in PEM verifies: RS256 for RSA, EdDSA for Ed25519
    #[arg(long, env = "TICKCAST_JWT_PUBLIC_KEY", value_name = "FILE", group = "jwt_key")]
    jwt_public_key: Option<PathBuf>,

    /// Accept tokens that a key of this JSON Web Key Set verifies
    #[arg(long, env = "TICKCAST_JWT_JWKS", value_name = "FILE", group = "jwt_key")]
    jwt_jwks: Option<PathBuf>,

    /// Require this issuer, `iss`, in tokens
    #[arg(long, env = "TICKCAST_JWT_ISSUER", value_name = "ISS")]
    jwt_issuer: Option<String>,

    /// Require this audience, `aud`, in tokens
    #[arg(long, env = "TICKCAST_JWT_AUDIENCE", value_name = "AUD")]
    jwt_audience: Option<String>,
}

#[cfg(feature = "jwt")]
type Reader = (fn(&Path) -> anyhow::Result<Vec<u8>>, fn(&[u8]) -> Result<Jwt, KeyError>);

#[cfg(feature = "jwt")]
impl JwtArgs {
    /// The issuer that the command line describes, if any.
    pub(super) fn read(&self) -> anyhow::Result<Option<Jwt>> {
        let kinds: [(&Option<PathBuf>, Reader); 3] = [
            (&self.jwt_secret_file, (read_secret, Jwt::hs256)),
            (&self.jwt_public_key, (read_text, Jwt::public_key)),
            (&self.jwt_jwks, (read_text, Jwt::jwks)),
        ];
        let Some((file, (read, use_key))) = kinds.iter().find_map(|(file, reader)| Some((file.as_ref()?, reader))) else {
            if self.jwt_issuer.is_some() || self.jwt_audience.is_some() {
                anyhow::bail!("--jwt-issuer and --jwt-audience need a key: --jwt-secret-file, --jwt-public-key or --jwt-jwks");
            }
            return Ok(None);
        };
        let mut jwt = use_key(&read(file)?).with_context(|| format!("cannot use {}", file.display()))?;
        if let Some(issuer) = &self.jwt_issuer {
            jwt = jwt.issuer(issuer);
        }
        if let Some(audience) = &self.jwt_audience {
            jwt = jwt.audience(audience);
        }
        Ok(Some(jwt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        game::{Game, MatchBuilder, NoConfig},
        prelude::GameInput,
    };

    struct Coins;

    #[derive(GameInput, Clone, Default)]
    struct Keys {
        jump: bool,
    }

    impl Game for Coins {
        const NAME: &'static str = "coins";
        type Input = Keys;
        type Config = NoConfig;

        fn build(m: &mut MatchBuilder<Self>) {
            m.tick_rate(20);
        }
    }

    fn print(args: &[&str]) -> Result<String, String> {
        let args = Args::try_parse_from(["server"].iter().chain(args)).map_err(|error| error.to_string())?;
        assert!(args.prints());
        args.printed(&[GameDef::new::<Coins>().unwrap()]).map_err(|error| error.to_string())
    }

    #[test]
    fn schemas_and_types_are_printed_without_a_server() {
        let schema: serde_json::Value = serde_json::from_str(&print(&["--print-schema", "coins"]).unwrap()).unwrap();
        assert_eq!((&schema["game"], &schema["hz"]), (&"coins".into(), &20.into()));
        let types = print(&["--print-types", "coins"]).unwrap();
        assert!(types.contains("jump"), "{types}");
        assert!(!Args::try_parse_from(["server"]).unwrap().prints());
    }

    #[test]
    fn an_unknown_game_lists_the_known_ones() {
        for flag in ["--print-schema", "--print-types"] {
            assert_eq!(print(&[flag, "chess"]), Err("no game is named \"chess\"; this program has: coins".to_owned()));
        }
        let both = print(&["--print-schema", "coins", "--print-types", "coins"]);
        assert!(both.is_err_and(|error| error.contains("cannot be used with")));
    }

    fn limited(args: &[&str]) -> Result<Config, String> {
        let args = Args::try_parse_from(["server"].iter().chain(args)).map_err(|error| error.to_string())?;
        let mut config = Config::default();
        args.change_limits(&mut config).map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn origins_and_proxies_are_lists() {
        let args = ["--allow-origin", "https://a.test, https://b.test", "--allow-origin", "https://c.test"];
        let args = Args::try_parse_from(["server"].iter().chain(&args).chain(&["--trusted-proxies", "10.0.0.0/8,::1,"])).unwrap();
        let server = args.change_site(crate::server::server().trust_proxy("127.0.0.1"));
        assert_eq!(server.origins, ["https://a.test", "https://b.test", "https://c.test"]);
        assert_eq!(server.proxies, ["127.0.0.1", "10.0.0.0/8", "::1"]);
    }

    #[test]
    fn limits_are_set_by_name() {
        let config = limited(&["--limit", "max_rooms=3", "--limit", "message_bytes=8192, ticket_life = 2.5,"]).unwrap();
        assert_eq!((config.host.max_rooms, config.net.message_bytes), (3, 8192));
        assert_eq!(config.host.ticket_life.as_secs_f32(), 2.5);
        let config = limited(&["--connections-per-address", "5", "--limit", ""]).unwrap();
        assert_eq!(config.net.connections_per_address, 5);
        assert_eq!(limited(&["--limit", "max_rooms"]).unwrap_err(), "a limit is NAME=VALUE, not \"max_rooms\"");
        assert!(limited(&["--limit", "rooms=3"]).unwrap_err().contains("the limits are: "));
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let value = |name: &std::ffi::OsStr| match name.to_str().unwrap() {
            "TICKCAST_DATA" | "TICKCAST_NO_GUESTS" | "TICKCAST_CONNECTIONS_PER_ADDRESS" => Some(OsString::new()),
            "TICKCAST_LISTEN" => Some("127.0.0.1:0".into()),
            _ => None,
        };
        let command = without_empty_variables(Args::command(), value);
        let read: Vec<_> =
            command.get_arguments().filter(|arg| arg.get_env().is_some()).map(|arg| arg.get_id().as_str()).collect();
        assert!(read.contains(&"listen") && read.contains(&"log"), "{read:?}");
        for empty in ["data", "no_guests", "connections_per_address"] {
            assert!(!read.contains(&empty), "{empty} is read from an empty variable");
        }
    }

    /// A file of a test's own, which the system removes in time.
    #[cfg(feature = "jwt")]
    fn file(name: &str, bytes: &[u8]) -> PathBuf {
        let file = std::env::temp_dir().join(format!("tickcast cli {} {name}", std::process::id()));
        fs::write(&file, bytes).unwrap();
        file
    }

    #[cfg(feature = "jwt")]
    #[test]
    fn a_secret_is_read_as_it_was_meant() {
        let secret = b"a secret of thirty-two bytes, or so";
        for (name, bytes, expected) in [
            ("line", [secret, &b"\n"[..]].concat(), secret.to_vec()),
            ("dos line", [secret, &b" \r\n"[..]].concat(), secret.to_vec()),
            ("marked", [BYTE_ORDER_MARK, secret, b"\r\n"].concat(), secret.to_vec()),
            ("binary and a space", [&[0xc3; 31], &b" "[..]].concat(), [&[0xc3; 31], &b" "[..]].concat()),
            ("binary and a line break", [&[1; 31], &b"\n"[..]].concat(), [&[1; 31], &b"\n"[..]].concat()),
        ] {
            let file = file(name, &bytes);
            assert_eq!(read_secret(&file).unwrap(), expected, "{name}");
            fs::remove_file(file).unwrap();
        }
        let wide: Vec<u8> = "\u{feff}a wide secret".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let file = file("wide", &wide);
        assert!(read_secret(&file).unwrap_err().to_string().contains("UTF-16"));
        fs::remove_file(file).unwrap();
    }

    #[cfg(feature = "jwt")]
    #[test]
    fn a_key_may_begin_with_a_byte_order_mark() {
        let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keys");
        for (flag, name) in
            [("--jwt-public-key", "rsa.pub.pem"), ("--jwt-public-key", "ed25519.pub.pem"), ("--jwt-jwks", "jwks.json")]
        {
            let marked = file(name, &[BYTE_ORDER_MARK, &fs::read(format!("{keys}/{name}")).unwrap()].concat());
            assert_eq!(read(&[flag, marked.to_str().unwrap()]), Ok(true), "{name}");
            fs::remove_file(marked).unwrap();
        }
    }

    #[cfg(feature = "jwt")]
    fn read(args: &[&str]) -> Result<bool, String> {
        let args = Args::try_parse_from(["server"].iter().chain(args)).map_err(|error| error.to_string())?;
        args.jwt.read().map(|jwt| jwt.is_some()).map_err(|error| format!("{error:#}"))
    }

    #[cfg(feature = "jwt")]
    #[test]
    fn keys_are_read_from_files() {
        let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keys");
        let (public, private) = (format!("{keys}/rsa.pub.pem"), format!("{keys}/rsa.pem"));
        assert_eq!(read(&[]), Ok(false));
        assert_eq!(read(&["--jwt-public-key", &public, "--jwt-issuer", "me", "--jwt-audience", "you"]), Ok(true));
        assert_eq!(read(&["--jwt-secret-file", &private]), Ok(true), "a secret may be any bytes");
        for (args, expected) in [
            (vec!["--jwt-public-key", &*private], "not a public key"),
            (vec!["--jwt-jwks", &*public], "not a JSON Web Key Set"),
            (vec!["--jwt-jwks", "/nowhere"], "cannot read /nowhere"),
            (vec!["--jwt-jwks", &*public, "--jwt-public-key", &*public], "cannot be used with"),
            (vec!["--jwt-issuer", "me"], "need a key"),
        ] {
            let said = read(&args).unwrap_err();
            assert!(said.contains(expected), "{args:?}: {said}");
        }
    }
}
