//! The delaying proxy: a line for machines on which no network can be made. What it reads, it writes when [`Schedule`] says.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::profile::Profile;
use super::schedule::Schedule;

/// The reads of one direction that are on their way at once. Beyond that, the proxy does not read on.
const ON_THE_WAY: usize = 4096;

/// A proxy in front of a server.
pub(crate) struct Proxy {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port of this machine. `begun` is the start of the line, from which its blackouts count.
    pub(crate) async fn open(server: SocketAddr, profile: Profile, seed: u64, begun: Instant) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let lines = Lines { profile, seed, begun, opened: AtomicU64::new(0) };
        Ok(Self { address, serving: tokio::spawn(serve(listener, server, lines)) })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Makes the schedules of connections.
struct Lines {
    profile: Profile,
    seed: u64,
    begun: Instant,
    opened: AtomicU64,
}

impl Lines {
    fn next(&self) -> Schedule {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        Schedule::new(self.profile.clone(), self.seed.wrapping_mul(1 << 20).wrapping_add(number))
    }
}

async fn serve(listener: TcpListener, server: SocketAddr, lines: Lines) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((client, _)) = accepted else { continue };
        let (up, down, begun) = (lines.next(), lines.next(), lines.begun);
        connections.spawn(async move {
            // Without the server, the client's connection ends.
            let Ok(server) = TcpStream::connect(server).await else { return };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::join!(carry(from_client, to_server, up, begun), carry(from_server, to_client, down, begun));
        });
    }
}

/// Passes bytes on in one direction until they end.
async fn carry<F, T>(mut from: F, mut to: T, mut schedule: Schedule, begun: Instant)
where
    F: AsyncRead + Unpin,
    T: AsyncWrite + Unpin,
{
    let (sender, mut receiver) = mpsc::channel::<(Duration, Vec<u8>)>(ON_THE_WAY);
    let read = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let at = schedule.arrival(begun.elapsed(), length);
            if sender.send((at, buffer[..length].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((at, bytes)) = receiver.recv().await {
            sleep_until(begun + at).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // The other end may have gone already.
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::time::{sleep, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_arrive_when_the_schedule_says_and_in_order() {
        let profile = Profile { loss: 0.1, .."poor".parse().unwrap() };
        let begun = Instant::now();
        let mut expected = Schedule::new(profile.clone(), 4);
        let ((mut client, near), (far, mut server)) = (duplex(1 << 16), duplex(1 << 16));
        tokio::spawn(carry(near, far, Schedule::new(profile, 4), begun));
        let sending = tokio::spawn(async move {
            for n in 0..100u8 {
                client.write_all(&[n]).await.unwrap();
                sleep(Duration::from_millis(33)).await;
            }
        });
        for n in 0..100u8 {
            let at = expected.arrival(Duration::from_millis(33) * u32::from(n), 1);
            assert_eq!(server.read_u8().await.unwrap(), n);
            let late = begun.elapsed().as_secs_f64() - at.as_secs_f64();
            assert!((0.0..0.002).contains(&late), "byte {n} is {late} s late");
        }
        sending.await.unwrap();
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0, "the end arrives, too");
    }

    #[tokio::test]
    async fn a_proxy_carries_both_ways() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let profile = "lan".parse().unwrap();
        let proxy = Proxy::open(listener.local_addr().unwrap(), profile, 1, Instant::now()).await.unwrap();
        let mut client = TcpStream::connect(proxy.address).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        client.write_all(b"hello").await.unwrap();
        server.write_all(b"welcome").await.unwrap();
        let (mut heard, mut answer) = ([0; 5], [0; 7]);
        timeout(Duration::from_secs(20), server.read_exact(&mut heard)).await.unwrap().unwrap();
        timeout(Duration::from_secs(20), client.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!((&heard, &answer), (b"hello", b"welcome"));
        drop(client);
        assert_eq!(timeout(Duration::from_secs(20), server.read(&mut [0; 8])).await.unwrap().unwrap(), 0);
    }
}
