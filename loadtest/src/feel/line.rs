//! The line between server and browser, of either kind.

use std::fmt;

use clap::ValueEnum;
use tokio::time::Instant;

#[cfg(target_os = "linux")]
use super::network::{DIRECT, LINE, Network};
use super::profile::Profile;
use super::proxy::Proxy;
use super::row::System;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// A proxy that delays what it passes on. A lost segment stalls what follows it.
    Proxy,
    /// Two network namespaces, between which packets are delayed and lost. Needs Linux and root.
    Network,
}

impl Backend {
    /// Returns the network if it can be made here.
    pub(crate) fn best() -> Self {
        match Line::lay(Self::Network, &Profile::all()[0], 0, Instant::now()) {
            Ok(_) => Self::Network,
            Err(error) => {
                eprintln!("no network of its own, so a proxy is the line: {error:#}");
                Self::Proxy
            }
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proxy => "a delaying proxy, on which a lost segment stalls what follows it",
            Self::Network => "two network namespaces, between which packets are delayed and lost",
        })
    }
}

/// Where the browser finds the server: over the line, and past it.
pub(crate) struct Addresses {
    pub(crate) line: String,
    pub(crate) direct: String,
}

/// A line of one kind. It ends when it is dropped.
pub(crate) struct Line {
    kind: Kind,
    profile: Profile,
    seed: u64,
    begun: Instant,
}

enum Kind {
    Proxy(Option<Proxy>),
    #[cfg(target_os = "linux")]
    Network(Network),
}

impl Line {
    /// `begun` is the time from which blackouts count.
    pub(crate) fn lay(backend: Backend, profile: &Profile, seed: u64, begun: Instant) -> anyhow::Result<Self> {
        let kind = match backend {
            Backend::Proxy => Kind::Proxy(None),
            #[cfg(target_os = "linux")]
            Backend::Network => Kind::Network(Network::make(profile, seed, begun)?),
            #[cfg(not(target_os = "linux"))]
            Backend::Network => anyhow::bail!("only Linux has network namespaces"),
        };
        Ok(Self { kind, profile: profile.clone(), seed, begun })
    }

    /// The words before the command of a program that runs where the server is.
    pub(crate) fn beside_server(&self) -> Vec<String> {
        match &self.kind {
            Kind::Proxy(_) => Vec::new(),
            #[cfg(target_os = "linux")]
            Kind::Network(network) => network.beside_server(),
        }
    }

    pub(crate) fn beside_client(&self) -> Vec<String> {
        match &self.kind {
            Kind::Proxy(_) => Vec::new(),
            #[cfg(target_os = "linux")]
            Kind::Network(network) => network.beside_client(),
        }
    }

    /// The words after a server's command, by which it listens where the line ends.
    pub(crate) fn listen(&self, system: System) -> Vec<String> {
        match &self.kind {
            Kind::Proxy(_) => Vec::new(),
            #[cfg(target_os = "linux")]
            Kind::Network(_) if system == System::Colyseus => vec!["0.0.0.0".to_owned()],
            #[cfg(target_os = "linux")]
            Kind::Network(_) => ["--listen", "0.0.0.0", "--named", &format!("{LINE},{DIRECT}")].map(str::to_owned).to_vec(),
        }
    }

    /// Connects the line with a server that has printed its address.
    pub(crate) async fn reach(&mut self, url: &str) -> anyhow::Result<Addresses> {
        match &mut self.kind {
            Kind::Proxy(open) => {
                let address = url.trim_start_matches("http://").parse()?;
                let proxy = open.insert(Proxy::open(address, self.profile.clone(), self.seed, self.begun).await?);
                Ok(Addresses { line: proxy.url(), direct: url.to_owned() })
            }
            #[cfg(target_os = "linux")]
            Kind::Network(_) => {
                let at = |host| url.replace("127.0.0.1", host);
                Ok(Addresses { line: at(LINE), direct: at(DIRECT) })
            }
        }
    }
}
