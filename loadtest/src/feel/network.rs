//! The lossy line: server and browser in network namespaces of their own, between which each IP packet passes this program. It is
//! delayed or dropped here, and the kernels' TCP does with that what it does on any line. It needs Linux and root.
//!
//! ```text
//! server's namespace                                client's namespace
//!   10.213.0.1 ── tun ── delay, loss (this process) ── tun ── 10.213.0.2      the line
//!   10.213.1.1 ────────────────── veth ────────────────────── 10.213.1.2      past it, for the reference
//! ```

#![expect(unsafe_code, reason = "a tunnel is made by an ioctl, and read by its descriptor")]

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::ioctl::{Setter, ioctl};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::profile::Profile;
use super::schedule::Schedule;

pub(crate) const LINE: &str = "10.213.0.1";
pub(crate) const DIRECT: &str = "10.213.1.1";

/// The packets of one direction that are on their way at once. More are dropped, as a router does.
const ON_THE_WAY: usize = 4096;

const LARGEST_PACKET: usize = 2048;
const O_NONBLOCK: i32 = 0o4000;
const TUNSETIFF: u32 = 0x4004_54ca;
/// A tunnel of IP packets, without a header before each.
const IFF_TUN_AND_NO_PI: u16 = 0x1001;

/// An end of the line: what is read from it was sent there, and what is written to it arrives there.
type Tunnel = Arc<AsyncFd<File>>;

/// Two namespaces and the line between them. They vanish with it.
pub(crate) struct Network {
    server: String,
    client: String,
    _relays: JoinSet<()>,
}

impl Network {
    /// Makes both namespaces. Fails without the rights to do so.
    pub(crate) fn make(profile: &Profile, seed: u64, begun: Instant) -> anyhow::Result<Self> {
        let id = std::process::id() % 100_000;
        let [server, client] = ["s", "c"].map(|side| format!("feel-{side}{id}"));
        let mut network = Self { server, client, _relays: JoinSet::new() };
        let (near, far) = network.lay(id)?;
        for (n, (from, to)) in [(&near, &far), (&far, &near)].into_iter().enumerate() {
            let schedule = Schedule::new(profile.clone(), seed.wrapping_mul(2).wrapping_add(n as u64));
            network._relays.spawn(carry(Arc::clone(from), Arc::clone(to), schedule, begun));
        }
        Ok(network)
    }

    /// The command by which a program runs beside the server.
    pub(crate) fn beside_server(&self) -> Vec<String> {
        words(&format!("ip netns exec {}", self.server))
    }

    pub(crate) fn beside_client(&self) -> Vec<String> {
        words(&format!("ip netns exec {}", self.client))
    }

    fn lay(&self, id: u32) -> anyhow::Result<(Tunnel, Tunnel)> {
        let Self { server, client, .. } = self;
        let ends = [
            (server, format!("feels{id}"), ("10.213.0.1", "10.213.0.2")),
            (client, format!("feelc{id}"), ("10.213.0.2", "10.213.0.1")),
        ];
        let mut tunnels = Vec::new();
        for (namespace, tunnel, (own, other)) in ends {
            ip(&format!("netns add {namespace}"))?;
            ip(&format!("-n {namespace} link set lo up"))?;
            // SAFETY: the file keeps its descriptor as long as it is registered.
            tunnels.push(Arc::new(unsafe { AsyncFd::register(open_tunnel(&tunnel)?) }?));
            ip(&format!("link set {tunnel} netns {namespace}"))?;
            ip(&format!("-n {namespace} addr add {own} peer {other} dev {tunnel}"))?;
            ip(&format!("-n {namespace} link set {tunnel} up"))?;
        }
        ip(&format!("link add direct netns {server} type veth peer name direct netns {client}"))?;
        for (namespace, own) in [(server, "10.213.1.1"), (client, "10.213.1.2")] {
            ip(&format!("-n {namespace} addr add {own}/24 dev direct"))?;
            ip(&format!("-n {namespace} link set direct up"))?;
        }
        let far = tunnels.pop().context("both ends were made")?;
        Ok((tunnels.pop().context("both ends were made")?, far))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for namespace in [&self.server, &self.client] {
            // It may not have been made.
            let _ = ip(&format!("netns del {namespace}"));
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn ip(arguments: &str) -> anyhow::Result<()> {
    let output = Command::new("ip").args(arguments.split(' ')).output().context("cannot run ip")?;
    if !output.status.success() {
        bail!("ip {arguments}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// The part of `struct ifreq` that the ioctl reads.
#[repr(C)]
struct Request {
    name: [u8; 16],
    flags: u16,
    rest: [u8; 22],
}

fn open_tunnel(name: &str) -> anyhow::Result<File> {
    let path = "/dev/net/tun";
    let file = OpenOptions::new().read(true).write(true).custom_flags(O_NONBLOCK).open(path);
    let file = file.with_context(|| format!("cannot open {path}"))?;
    let mut request = Request { name: [0; 16], flags: IFF_TUN_AND_NO_PI, rest: [0; 22] };
    request.name[..name.len()].copy_from_slice(name.as_bytes());
    // SAFETY: TUNSETIFF takes a pointer to a `struct ifreq`, which `Request` is, and keeps none of it.
    unsafe { ioctl(&file, Setter::<TUNSETIFF, Request>::new(request)) }.context("cannot make a tunnel")?;
    Ok(file)
}

/// Passes packets on in one direction, those that are not lost, when the schedule says.
async fn carry(from: Tunnel, to: Tunnel, mut schedule: Schedule, begun: Instant) {
    let (sender, mut receiver) = mpsc::channel::<(Duration, Vec<u8>)>(ON_THE_WAY);
    let read = async move {
        let mut packet = [0; LARGEST_PACKET];
        while let Ok(mut ready) = from.readable().await {
            match ready.try_io(|tunnel| tunnel.get_ref().read(&mut packet)) {
                Ok(Ok(length)) => {
                    if let Some(at) = schedule.packet(begun.elapsed()) {
                        // A full queue drops it.
                        let _ = sender.try_send((at, packet[..length].to_vec()));
                    }
                }
                // Until both ends are up.
                Ok(Err(error)) if error.kind() != ErrorKind::WouldBlock => tokio::time::sleep(Duration::from_millis(10)).await,
                _ => {}
            }
        }
    };
    let write = async move {
        while let Some((at, packet)) = receiver.recv().await {
            sleep_until(begun + at).await;
            // A tunnel that takes nothing drops it.
            let _ = to.get_ref().write(&packet);
        }
    };
    tokio::join!(read, write);
}
