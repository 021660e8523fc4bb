//! The proxy between a client and the server: it passes bytes on until it is ordered to let the line die. Each client has a proxy of
//! its own, so an order is for the newest connection, or for the next one if there is none.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::schedule::{Death, Kind};
use crate::tally::locked;

/// How long a client waits for an ordered death. It comes at once if the client has a connection.
const DIES_WITHIN: Duration = Duration::from_secs(1);

/// When the line is to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cue {
    Now,
    /// Once the next bytes from the client have reached the server.
    Sent,
    /// Right before bytes of the server with these in them reach the client.
    Told(&'static [u8]),
}

/// The orders to one proxy, and what has become of them.
struct Orders {
    pending: Mutex<Pending>,
    changed: Notify,
    died: watch::Sender<Vec<Death>>,
}

#[derive(Default)]
struct Pending {
    order: Option<(Death, Cue)>,
    /// The number of the newest connection. Only this one takes orders.
    newest: u64,
}

impl Orders {
    fn new() -> Self {
        Self { pending: Mutex::default(), changed: Notify::new(), died: watch::Sender::new(Vec::new()) }
    }

    fn give(&self, order: Option<(Death, Cue)>) {
        locked(&self.pending).order = order;
        self.changed.notify_waiters();
    }

    /// Makes a connection the newest one, and returns its number.
    fn begin(&self) -> u64 {
        let mut pending = locked(&self.pending);
        pending.newest += 1;
        pending.newest
    }

    fn take(&self, connection: u64, is_cue: impl Fn(Cue) -> bool) -> Option<Death> {
        let mut pending = locked(&self.pending);
        if pending.newest != connection {
            return None;
        }
        pending.order.take_if(|(_, cue)| is_cue(*cue)).map(|(death, _)| death)
    }

    async fn due(&self, connection: u64) -> Death {
        loop {
            let changed = self.changed.notified();
            if let Some(death) = self.take(connection, |cue| cue == Cue::Now) {
                return death;
            }
            changed.await;
        }
    }

    fn died(&self, death: Death) {
        self.died.send_modify(|died| died.push(death));
    }
}

/// A client's way to the server.
pub(crate) struct Line {
    address: SocketAddr,
    orders: Arc<Orders>,
    serving: JoinHandle<()>,
}

impl Line {
    /// Listens on a free port of this machine.
    pub(crate) async fn open(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let orders = Arc::new(Orders::new());
        let serving = tokio::spawn(serve(listener, server, Arc::clone(&orders)));
        Ok(Self { address, orders, serving })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Orders a death. An earlier one that has not come yet is forgotten.
    pub(crate) fn order(&self, death: Death, cue: Cue) {
        self.orders.give(Some((death, cue)));
    }

    /// Lets the newest connection die, and waits until it has.
    pub(crate) async fn kill(&self, death: Death) {
        let mut died = self.orders.died.subscribe();
        let before = died.borrow_and_update().len();
        self.order(death, Cue::Now);
        // If the connection has ended by itself, the order is for the next one.
        let _ = timeout(DIES_WITHIN, died.wait_for(|died| died.len() > before)).await;
    }

    /// Forgets an order that has not been carried out.
    pub(crate) fn spare(&self) {
        self.orders.give(None);
    }

    /// Returns the deaths so far.
    pub(crate) fn deaths(&self) -> Vec<Death> {
        self.orders.died.borrow().clone()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // This ends the connections, too, also those that are half open.
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, server: SocketAddr, orders: Arc<Orders>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((client, _)) = accepted else { continue };
        let number = orders.begin();
        let orders = Arc::clone(&orders);
        connections.spawn(async move {
            // Without the server, the client's connection ends.
            let Ok(server) = TcpStream::connect(server).await else { return };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            carry(client, server, &orders, number).await;
        });
    }
}

/// Passes bytes on until the line dies, and then does what the kind of death says.
async fn carry(mut client: TcpStream, mut server: TcpStream, orders: &Orders, number: u64) {
    let Some(death) = relay(&mut client, &mut server, orders, number).await else { return };
    if death.kind == Kind::Reset {
        // A reset is best effort: without it, the ends are closed.
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
    orders.died(death);
    match death.kind {
        Kind::HalfOpen => std::future::pending().await,
        Kind::Reset | Kind::Closed => {}
        Kind::SwallowedToServer => one_way(&mut server, &mut client).await,
        Kind::SwallowedToClient => one_way(&mut client, &mut server).await,
    }
}

/// Passes bytes on in both directions. Returns how the line dies, or `None` when one end has closed it.
async fn relay<C, S>(client: &mut C, server: &mut S, orders: &Orders, number: u64) -> Option<Death>
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut up, mut down) = (vec![0; 4096], vec![0; 16 * 1024]);
    let mut doomed: Option<(Death, Instant)> = None;
    loop {
        tokio::select! {
            biased;
            () = sleep_until(doomed.map_or_else(Instant::now, |(_, at)| at)), if doomed.is_some() => {
                return doomed.map(|(death, _)| death);
            }
            death = orders.due(number), if doomed.is_none() => doomed = Some((death, Instant::now() + death.delay)),
            read = client.read(&mut up) => {
                let bytes = &up[..read.ok().filter(|read| *read > 0)?];
                server.write_all(bytes).await.ok()?;
                match orders.take(number, |cue| cue == Cue::Sent) {
                    // A timer would be late by up to a millisecond, in which the answer may come.
                    Some(death) if death.delay.is_zero() => return Some(death),
                    Some(death) => doomed = Some((death, Instant::now() + death.delay)),
                    None => {}
                }
            }
            read = server.read(&mut down) => {
                let bytes = &down[..read.ok().filter(|read| *read > 0)?];
                if let Some(death) = orders.take(number, |cue| matches!(cue, Cue::Told(text) if contains(bytes, text))) {
                    return Some(death);
                }
                client.write_all(bytes).await.ok()?;
            }
        }
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|part| part == text)
}

/// Passes bytes on in one direction until they end. What comes the other way vanishes, its end included.
async fn one_way<F, T>(from: &mut F, to: &mut T)
where
    F: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let (mut living, mut vanishing) = (vec![0; 4096], vec![0; 4096]);
    let (mut is_read, mut is_written) = (true, true);
    loop {
        tokio::select! {
            read = from.read(&mut living) => match read {
                Ok(read @ 1..) => is_written = is_written && to.write_all(&living[..read]).await.is_ok(),
                _ => return,
            },
            read = to.read(&mut vanishing), if is_read => is_read = matches!(read, Ok(1..)),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};
    use tokio::time::sleep;

    use super::super::schedule::{Moment, Step};
    use super::*;

    fn death(kind: Kind, delay: u64) -> Death {
        Death { step: Step::Queue, moment: Moment::After, kind, delay: Duration::from_millis(delay) }
    }

    /// A client's and a server's end, and what the relay between them returns.
    fn relayed(orders: &Arc<Orders>) -> (DuplexStream, DuplexStream, JoinHandle<Option<Death>>) {
        let ((client, mut near), (server, mut far)) = (duplex(64), duplex(64));
        let (orders, number) = (Arc::clone(orders), orders.begin());
        let task = tokio::spawn(async move {
            let death = relay(&mut near, &mut far, &orders, number).await;
            // Both ends stay open, as for a line that is half open.
            sleep(Duration::from_secs(3600)).await;
            death
        });
        (client, server, task)
    }

    async fn says(from: &mut DuplexStream, to: &mut DuplexStream, text: &str) -> bool {
        from.write_all(text.as_bytes()).await.unwrap();
        let mut heard = vec![0; text.len()];
        timeout(Duration::from_secs(1), to.read_exact(&mut heard))
            .await
            .is_ok_and(|read| read.is_ok() && heard == text.as_bytes())
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_pass_until_the_death_that_was_ordered() {
        let orders = Arc::new(Orders::new());
        let (mut client, mut server, _) = relayed(&orders);
        assert!(says(&mut client, &mut server, "hello").await);
        assert!(says(&mut server, &mut client, "welcome").await);
        orders.give(Some((death(Kind::HalfOpen, 0), Cue::Now)));
        sleep(Duration::from_millis(1)).await;
        assert!(!says(&mut client, &mut server, "hello").await);
        assert!(!says(&mut server, &mut client, "welcome").await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_sent_and_its_answer_is_lost() {
        let orders = Arc::new(Orders::new());
        let (mut client, mut server, _) = relayed(&orders);
        orders.give(Some((death(Kind::HalfOpen, 20), Cue::Sent)));
        assert!(says(&mut server, &mut client, "a ping").await);
        assert!(says(&mut client, &mut server, "a request").await);
        sleep(Duration::from_millis(19)).await;
        assert!(says(&mut server, &mut client, "in time").await);
        sleep(Duration::from_millis(1)).await;
        assert!(!says(&mut server, &mut client, "too late").await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_that_was_named_is_lost() {
        let orders = Arc::new(Orders::new());
        let (mut client, mut server, _) = relayed(&orders);
        orders.give(Some((death(Kind::HalfOpen, 0), Cue::Told(b"matched"))));
        assert!(says(&mut server, &mut client, "status").await);
        assert!(says(&mut client, &mut server, "matched").await, "the client may say what it likes");
        assert!(!says(&mut server, &mut client, "is matched.").await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_is_for_the_newest_connection_or_the_next() {
        let orders = Arc::new(Orders::new());
        let (mut old, mut server, _) = relayed(&orders);
        let (mut new, mut server_of_new, _) = relayed(&orders);
        orders.give(Some((death(Kind::Reset, 0), Cue::Now)));
        sleep(Duration::from_millis(1)).await;
        assert!(says(&mut old, &mut server, "hello").await);
        assert!(!says(&mut new, &mut server_of_new, "hello").await);
        orders.give(Some((death(Kind::Reset, 0), Cue::Sent)));
        let (mut next, mut server, _) = relayed(&orders);
        assert!(says(&mut next, &mut server, "hello").await);
        assert!(!says(&mut server, &mut next, "welcome").await);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_of_one_direction_vanish_with_their_end() {
        let ((mut client, mut near), (mut server, mut far)) = (duplex(64), duplex(64));
        let task = tokio::spawn(async move { one_way(&mut far, &mut near).await });
        assert!(says(&mut server, &mut client, "a frame").await);
        assert!(!says(&mut client, &mut server, "an input").await);
        drop(client);
        assert!(timeout(Duration::from_secs(9), server.read(&mut [0; 8])).await.is_err(), "the server is told nothing");
        server.write_all(b"another frame").await.unwrap();
        assert!(!task.is_finished());
        drop(server);
        task.await.unwrap();
    }

    /// A client's end and a server's end of a real line.
    async fn connected(line: &Line, listener: &TcpListener) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(line.address()).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn a_reset_and_a_close_are_told_to_both_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let line = Line::open(listener.local_addr().unwrap()).await.unwrap();
        for (kind, expected) in [(Kind::Reset, Err(io::ErrorKind::ConnectionReset)), (Kind::Closed, Ok(0))] {
            let (mut client, mut server) = connected(&line, &listener).await;
            line.kill(death(kind, 0)).await;
            for end in [&mut client, &mut server] {
                assert_eq!(end.read(&mut [0; 8]).await.map_err(|error| error.kind()), expected, "{kind:?}");
            }
        }
        assert_eq!(line.deaths(), [death(Kind::Reset, 0), death(Kind::Closed, 0)]);
    }
}
