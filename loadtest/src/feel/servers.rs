//! Starts the servers under test.

use tokio::process::Command;

use super::row::System;
use crate::compare::{Node, install_colyseus};

/// A server to start, and the module that takes a seat on it, relative to the page's script.
pub(crate) struct Program {
    pub(crate) command: Vec<String>,
    pub(crate) seat: &'static str,
    pub(crate) version: String,
}

impl Program {
    /// Finds the program of a system, and installs it on first use. The error says why it cannot run.
    pub(crate) async fn of(system: System, node: &Node) -> anyhow::Result<Self> {
        if system == System::Colyseus {
            let (folder, version) = install_colyseus(node).await.map_err(anyhow::Error::msg)?;
            let command = vec![node.program.display().to_string(), folder.join("feel_server.mjs").display().to_string()];
            return Ok(Self { command, seat: "../colyseus/feel.mjs", version: format!("Colyseus {version} with Predict") });
        }
        let own = std::env::current_exe()?.display().to_string();
        let version = format!("Tickcast {}", env!("CARGO_PKG_VERSION"));
        Ok(Self { command: vec![own, "serve-feel".to_owned()], seat: "tickcast.mjs", version })
    }

    /// Returns the command, with more words after it.
    pub(crate) fn start(&self, prefix: &[String], more: Vec<String>) -> Command {
        let words: Vec<&String> = prefix.iter().chain(&self.command).chain(&more).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env("NODE_ENV", "production");
        command
    }
}
