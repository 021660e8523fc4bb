//! The proxy between a client and the server: it passes bytes on until it is ordered to let the line die. Each client has a proxy of
//! its own, so an order is for the newest session, or for the next one if there is none.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::orders::{Cue, Orders, Part, is_repeated_poll, tells};
use super::schedule::{Death, Kind};

/// How long a client waits for an ordered death. It comes at once if the client has a connection.
const DIES_WITHIN: Duration = Duration::from_secs(1);

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

    /// Lets the newest session die, and waits until it has.
    pub(crate) async fn kill(&self, death: Death) {
        let mut died = self.orders.died.subscribe();
        let before = died.borrow_and_update().len();
        self.order(death, Cue::Now);
        // If the session has ended by itself, the order is for the next one.
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
        let orders = Arc::clone(&orders);
        connections.spawn(async move {
            // Without the server, the client's connection ends.
            let Ok(server) = TcpStream::connect(server).await else { return };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            carry(client, server, &orders).await;
        });
    }
}

/// Passes bytes on until the line dies, and then does what the kind of death says.
async fn carry(mut client: TcpStream, mut server: TcpStream, orders: &Orders) {
    let Some(death) = relay(&mut client, &mut server, orders).await else { return };
    if death.kind == Kind::Reset {
        // A reset is best effort: without it, the ends are closed.
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
    match death.kind {
        Kind::HalfOpen => std::future::pending().await,
        Kind::Reset | Kind::Closed => {}
        Kind::SwallowedToServer => one_way(&mut server, &mut client).await,
        Kind::SwallowedToClient => one_way(&mut client, &mut server).await,
    }
}

/// Passes bytes on in both directions. Returns how the line dies, or `None` when one end has closed it.
async fn relay<C, S>(client: &mut C, server: &mut S, orders: &Orders) -> Option<Death>
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut up, mut down) = (vec![0; 4096], vec![0; 16 * 1024]);
    let mut unsent = client.read(&mut up).await.ok().filter(|read| *read > 0)?;
    let mut part = Part::begin(orders, &up[..unsent]);
    let session = part.session;
    let mut doomed: Option<(Death, Instant)> = None;
    loop {
        tokio::select! {
            biased;
            () = sleep_until(doomed.map_or_else(Instant::now, |(_, at)| at)), if doomed.is_some() => {
                let death = doomed.take().map(|(death, _)| death)?;
                if orders.strike(session, death) {
                    return Some(death);
                }
            }
            death = orders.due(session), if doomed.is_none() => doomed = Some((death, Instant::now() + death.delay)),
            read = async { if unsent > 0 { Ok(unsent) } else { client.read(&mut up).await } } => {
                unsent = 0;
                let bytes = &up[..read.ok().filter(|read| *read > 0)?];
                part.asks(bytes);
                server.write_all(bytes).await.ok()?;
                if !is_repeated_poll(bytes) && let Some(death) = orders.take(session, |cue| cue == Cue::Sent) {
                    // A timer would be late by up to a millisecond, in which the answer may come.
                    if death.delay.is_zero() && orders.strike(session, death) {
                        return Some(death);
                    }
                    doomed = (!death.delay.is_zero()).then(|| (death, Instant::now() + death.delay));
                }
            }
            read = server.read(&mut down) => {
                let bytes = &down[..read.ok().filter(|read| *read > 0)?];
                let told = orders.take(session, |cue| matches!(cue, Cue::Told(text) if tells(bytes, text)));
                if let Some(death) = told && orders.strike(session, death) {
                    return Some(death);
                }
                part.answers(bytes);
                client.write_all(bytes).await.ok()?;
            }
        }
    }
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
        let ((client, mut near), (server, mut far)) = (duplex(256), duplex(256));
        let orders = Arc::clone(orders);
        let task = tokio::spawn(async move {
            let death = relay(&mut near, &mut far, &orders).await;
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
        assert!(says(&mut client, &mut server, "hello").await);
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
        assert!(says(&mut client, &mut server, "hello").await);
        orders.give(Some((death(Kind::HalfOpen, 0), Cue::Told(b"matched"))));
        assert!(says(&mut server, &mut client, "status").await);
        assert!(says(&mut client, &mut server, "matched").await, "the client may say what it likes");
        assert!(!says(&mut server, &mut client, "is matched.").await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_is_for_the_newest_session_or_the_next() {
        let orders = Arc::new(Orders::new());
        let (mut old, mut server, _) = relayed(&orders);
        assert!(says(&mut old, &mut server, "hello").await);
        let (mut new, mut server_of_new, _) = relayed(&orders);
        assert!(says(&mut new, &mut server_of_new, "hello").await);
        orders.give(Some((death(Kind::Reset, 0), Cue::Now)));
        sleep(Duration::from_millis(1)).await;
        assert!(says(&mut old, &mut server, "hello").await);
        assert!(!says(&mut new, &mut server_of_new, "hello").await);
        orders.give(Some((death(Kind::Reset, 0), Cue::Sent)));
        let (mut next, mut server, _) = relayed(&orders);
        assert!(says(&mut next, &mut server, "hello").await);
        assert!(!says(&mut server, &mut next, "welcome").await);
    }

    const OPEN: &str = "GET /?transport=polling HTTP/1.1\r\n";
    const POLL: &str = "GET /?transport=polling&sid=x HTTP/1.1\r\n";
    const POST: &str = "POST /?transport=polling&sid=x HTTP/1.1\r\n";
    const ANSWER: &str = "HTTP/1.1 200 OK\r\n";

    #[tokio::test(start_paused = true)]
    async fn a_session_that_polls_dies_during_a_poll_with_all_its_connections() {
        let orders = Arc::new(Orders::new());
        let (mut polls, mut server, dead) = relayed(&orders);
        assert!(says(&mut polls, &mut server, OPEN).await && says(&mut server, &mut polls, ANSWER).await);
        let (mut posts, mut server_of_posts, _) = relayed(&orders);
        assert!(says(&mut posts, &mut server_of_posts, POST).await);
        orders.give(Some((death(Kind::HalfOpen, 0), Cue::Now)));
        sleep(Duration::from_millis(1)).await;
        assert!(says(&mut server_of_posts, &mut posts, ANSWER).await, "no poll is on its way");
        assert!(says(&mut polls, &mut server, POLL).await, "the poll reaches the server");
        sleep(Duration::from_millis(1)).await;
        assert_eq!(*orders.died.borrow(), [death(Kind::HalfOpen, 0)]);
        assert!(!says(&mut server, &mut polls, ANSWER).await && !says(&mut posts, &mut server_of_posts, POST).await);
        let (mut more, mut server, _) = relayed(&orders);
        assert!(!says(&mut more, &mut server, POST).await, "another connection of this session is dead, too");
        let (mut next, mut server, _) = relayed(&orders);
        assert!(says(&mut next, &mut server, OPEN).await && says(&mut server, &mut next, ANSWER).await);
        assert!(!dead.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_poll_that_opens_a_session_sends() {
        let orders = Arc::new(Orders::new());
        let (mut polls, mut server, _) = relayed(&orders);
        assert!(says(&mut polls, &mut server, OPEN).await && says(&mut server, &mut polls, ANSWER).await);
        orders.give(Some((death(Kind::HalfOpen, 0), Cue::Sent)));
        assert!(says(&mut polls, &mut server, POLL).await && says(&mut server, &mut polls, ANSWER).await);
        assert!(says(&mut polls, &mut server, POLL).await);
        let (mut posts, mut server_of_posts, _) = relayed(&orders);
        assert!(says(&mut posts, &mut server_of_posts, POST).await, "the request reaches the server");
        assert!(!says(&mut server, &mut polls, ANSWER).await);
        orders.give(Some((death(Kind::HalfOpen, 0), Cue::Sent)));
        let (mut next, mut server, _) = relayed(&orders);
        assert!(says(&mut next, &mut server, OPEN).await && !says(&mut server, &mut next, ANSWER).await);
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
        let mut client = TcpStream::connect(line.address()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        client.write_all(b"hello").await.unwrap();
        server.read_exact(&mut [0; 5]).await.unwrap();
        (client, server)
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
