//! Plays in Chromium by a script for Node, and reads what it recorded.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;
use tokio::process::Command;
use tokio::time::timeout;

use super::trace::Run;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/feel/run.mjs");
const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/node_modules/playwright-core");
const CHROMIUM: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// How long starting, joining and leaving may take beyond the time of play.
const BEYOND: Duration = Duration::from_secs(120);

/// The parameters of the script.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Order {
    /// The module that takes a seat on the system, relative to the script.
    pub(crate) seat: &'static str,
    pub(crate) chromium: PathBuf,
    /// The server's address over the line, and past it.
    pub(crate) line: String,
    pub(crate) direct: String,
    pub(crate) predict: bool,
    pub(crate) seed: u64,
    pub(crate) rooms: Vec<Match>,
    /// The folder for the pictures of a dodge.
    pub(crate) film: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Match {
    pub(crate) fight: bool,
    pub(crate) seconds: f64,
}

/// Node, and Chromium with the packages that drive it.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    node: PathBuf,
    pub(crate) chromium: PathBuf,
}

impl Browser {
    /// Looks for `$CHROMIUM`, or for one in `$PATH`.
    pub(crate) fn find(node: PathBuf) -> anyhow::Result<Self> {
        if !Path::new(PACKAGES).exists() {
            bail!("the packages of assets/ are missing: run `npm ci --prefix assets`");
        }
        let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
        let chromium = named.or_else(|| CHROMIUM.iter().find_map(|name| on_path(name)));
        let chromium = chromium.context("there is no Chromium in $PATH; $CHROMIUM may name one")?;
        Ok(Self { node, chromium })
    }

    /// Plays. `prefix` is a command that runs the script elsewhere, such as in another network.
    pub(crate) async fn play(&self, order: &Order, prefix: &[String]) -> anyhow::Result<Run> {
        let mut words = prefix.iter().map(std::ffi::OsString::from).collect::<Vec<_>>();
        words.extend([self.node.clone().into(), SCRIPT.into(), serde_json::to_string(order)?.into()]);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let longest = BEYOND + Duration::from_secs_f64(order.rooms.iter().map(|room| room.seconds).sum());
        let output = timeout(longest, command.output()).await.context("the browser took too long")??;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("the browser's script failed: {}", said.lines().find(|line| line.contains("Error")).unwrap_or(said.trim()));
        }
        serde_json::from_slice(&output.stdout).context("the browser's script printed no traces")
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
