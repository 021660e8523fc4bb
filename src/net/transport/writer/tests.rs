//! Tests of the writer, on a pair of real sockets.

use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::net::transport::{cursor::tests::HEAD, websocket::tests::server_frame as frame};

/// A WebSocket that has begun, with both of its ends.
struct Pair {
    writer: Writer,
    socket: Socket,
    client: TcpStream,
}

impl Pair {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let socket = Socket::new(listener.accept().await.unwrap().0);
        let pair = Self { writer: Writer::default(), socket, client };
        pair.writable().await;
        pair.writer.switch_protocols();
        pair.library(HEAD);
        pair
    }

    /// Waits until the socket takes bytes.
    async fn writable(&self) {
        std::future::poll_fn(|cx| self.socket.poll_write_ready(cx)).await.unwrap();
    }

    fn library(&self, bytes: &[u8]) {
        assert_eq!(self.accept(bytes).taken, bytes.len());
    }

    fn accept(&self, bytes: &[u8]) -> Accepted {
        self.writer.library_write(&self.socket, &[io::IoSlice::new(bytes)], usize::MAX).unwrap()
    }

    fn send_now(&self, frame: &[u8]) -> Result<(), Full> {
        self.writer.send_now(&self.socket, frame)
    }

    fn send_reliably(&self, frame: Vec<u8>) -> Result<(), Full> {
        self.writer.send_reliably(&self.socket, frame).map(drop)
    }

    /// Lets the library write until the kernel takes no more. Returns the number of its frames.
    fn fill(&self, frame: &[u8]) -> usize {
        (1..1_000_000).find(|_| self.accept(frame).waiting > 0).expect("the socket does not take everything")
    }
}

/// Reads the payloads of so many frames at the client's end.
async fn read(client: &mut TcpStream, frames: usize) -> Vec<Vec<u8>> {
    let mut head = vec![0; HEAD.len()];
    client.read_exact(&mut head).await.unwrap();
    let mut payloads = Vec::new();
    for _ in 0..frames {
        let mut header = [0; 2];
        client.read_exact(&mut header).await.unwrap();
        assert_eq!(header[0], 0x82, "a frame begins where one is due");
        let mut payload = vec![0; usize::from(header[1])];
        client.read_exact(&mut payload).await.unwrap();
        payloads.push(payload);
    }
    payloads
}

#[tokio::test]
async fn nothing_overtakes_the_marker() {
    let mut pair = Pair::new().await;
    assert_eq!(pair.send_now(&frame(b"early")), Err(Full));
    pair.writer.expect(b"welcome");
    assert_eq!(pair.send_now(&frame(b"state")), Err(Full));
    pair.send_reliably(frame(b"event")).unwrap();
    pair.library(&frame(b"ping"));
    pair.library(&frame(b"welcome, Ada"));
    pair.send_now(&frame(b"state")).unwrap();
    let read = read(&mut pair.client, 4).await;
    assert_eq!(read, [&b"ping"[..], b"welcome, Ada", b"event", b"state"]);
}

#[tokio::test]
async fn no_frame_goes_into_a_frame_of_the_library() {
    let mut pair = Pair::new().await;
    pair.writer.expect(b"w");
    pair.library(&frame(b"w"));
    let ping = frame(b"a long ping");
    for cut in 1..ping.len() {
        pair.library(&ping[..cut]);
        assert_eq!(pair.send_now(&frame(b"state")), Err(Full), "cut at {cut}");
        pair.send_reliably(frame(b"event")).unwrap();
        pair.library(&ping[cut..]);
        pair.send_now(&frame(b"state")).unwrap();
    }
    let frames = read(&mut pair.client, 1 + 3 * (ping.len() - 1)).await;
    for three in frames[1..].chunks(3) {
        assert_eq!(three, [&b"a long ping"[..], b"event", b"state"]);
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_gets_whole_frames_later() {
    let pair = Pair::new().await;
    pair.writer.expect(b"w");
    pair.library(&frame(b"w"));
    let big = frame(&[7; 100]);
    let mut sent = 0;
    while pair.send_now(&big).is_ok() {
        sent += 1;
        assert!(sent < 1_000_000, "the socket takes everything");
    }
    assert!(pair.writer.state().rest.len() < big.len());
    pair.library(&frame(b"ping"));
    pair.send_reliably(frame(b"event")).unwrap();
    let frames = read_while_draining(pair, 1 + sent + 2).await;
    assert!(frames[1..=sent].iter().all(|payload| *payload == [7; 100]));
    assert_eq!(frames[sent + 1..], [b"ping".to_vec(), b"event".to_vec()]);
}

/// Reads so many frames at the client's end, while what waits goes out.
async fn read_while_draining(pair: Pair, frames: usize) -> Vec<Vec<u8>> {
    let Pair { writer, socket, mut client } = pair;
    let reader = tokio::spawn(async move { read(&mut client, frames).await });
    while !writer.drain(&socket) {
        std::future::poll_fn(|cx| socket.poll_write_ready(cx)).await.unwrap();
    }
    reader.await.unwrap()
}

#[tokio::test]
async fn the_library_never_waits_and_its_bytes_are_counted() {
    let pair = Pair::new().await;
    let big = frame(&[7; 100]);
    let sent = pair.fill(&big);
    let before = pair.writer.state().waiting();
    for n in 1..=100 {
        assert_eq!(pair.accept(&big), Accepted { taken: big.len(), waiting: before + n * big.len() });
    }
    let frames = read_while_draining(pair, sent + 100).await;
    assert!(frames.iter().all(|payload| *payload == [7; 100]));
}

#[tokio::test]
async fn reliable_messages_keep_their_place_among_those_of_the_library() {
    let pair = Pair::new().await;
    pair.writer.expect(b"w");
    pair.library(&frame(b"w"));
    let sent = pair.fill(&frame(&[7; 100]));
    pair.send_reliably(frame(b"event")).unwrap();
    pair.library(&frame(b"answer"));
    pair.send_reliably(frame(b"over")).unwrap();
    let frames = read_while_draining(pair, 1 + sent + 3).await;
    assert_eq!(frames[sent + 1..], [b"event".to_vec(), b"answer".to_vec(), b"over".to_vec()]);
}

#[tokio::test]
async fn a_close_frame_is_the_last_one() {
    let mut pair = Pair::new().await;
    pair.library(&frame(b"last"));
    assert!(pair.writer.close_websocket(&pair.socket, CloseCode::TooBig));
    assert!(!pair.writer.close_websocket(&pair.socket, CloseCode::Protocol), "once");
    pair.library(&frame(b"too late"));
    assert_eq!(pair.send_reliably(frame(b"too late")), Err(Full));
    pair.socket.shut_down(std::net::Shutdown::Both).unwrap();
    let mut all = Vec::new();
    pair.client.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, [HEAD, &frame(b"last"), &[0x88, 2, 0x03, 0xf1]].concat());
}

#[tokio::test]
async fn an_http_answer_waits_for_its_socket() {
    let pair = Pair { writer: Writer::default(), ..Pair::new().await };
    let write = || pair.writer.library_write(&pair.socket, &[io::IoSlice::new(&[b'a'; 1_000])], 0);
    let error = (0..1_000_000).find_map(|_| write().err()).expect("the socket does not take everything");
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert_eq!(pair.writer.state().waiting(), 0);
}

#[tokio::test]
async fn the_backlog_is_bounded() {
    let pair = Pair::new().await;
    assert_eq!(pair.send_reliably(frame(b"before")), Err(Full));
    pair.writer.expect(b"never");
    for _ in 0..BACKLOG_MESSAGES {
        pair.send_reliably(frame(b"event")).unwrap();
    }
    assert_eq!(pair.send_reliably(frame(b"one too many")), Err(Full));
}

#[tokio::test]
async fn messages_for_the_seat_before_go_out_before_the_next_marker() {
    let pair = Pair::new().await;
    pair.writer.expect(b"w");
    pair.library(&frame(b"w"));
    let sent = pair.fill(&frame(&[7; 100]));
    pair.send_reliably(frame(b"over")).unwrap();
    pair.writer.expect(b"next");
    pair.send_reliably(frame(b"welcome")).unwrap();
    pair.library(&frame(b"next"));
    let frames = read_while_draining(pair, 1 + sent + 3).await;
    assert_eq!(frames[sent + 1..], [b"over".to_vec(), b"next".to_vec(), b"welcome".to_vec()]);
}
