//! Answers a client that probes a WebSocket before it upgrades to it.
//!
//! ```text
//! client: 2probe      server: 3probe      client: 5
//! ```

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::net::transport::websocket::{ClientHeader, Opcode, pong, write_client, write_server_header};

const PING: &[u8] = b"2probe";
const PONG: &[u8] = b"3probe";
const UPGRADE: &[u8] = b"5";

/// The longest payload of a frame in a probe, that of a control frame.
const MAX_BYTES: u64 = 125;

/// Answers a probe. Returns the bytes from the client's `5` on, or `None` if the client does not upgrade.
///
/// `bytes` were read before. `probed` is called once the client may upgrade.
pub(crate) async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S, mut bytes: Vec<u8>, mut probed: impl FnMut(),
) -> Option<Vec<u8>> {
    let mut is_probed = false;
    loop {
        let header = whole_frame(stream, &mut bytes).await?;
        let end = header.payload.end as usize;
        let payload = header.unmask::<{ MAX_BYTES as usize }>(&bytes[..end]);
        match (header.opcode(), &payload[..]) {
            (Some(Opcode::Text), PING) if !is_probed => {
                stream.write_all(&pong_of_probe()).await.ok()?;
                is_probed = true;
                probed();
            }
            (Some(Opcode::Text), UPGRADE) if is_probed => return Some(bytes),
            (None, ping) if header.is_ping() => stream.write_all(&pong(ping)).await.ok()?,
            (None, _) if header.is_control() && !header.is_close() => {}
            _ => return None,
        }
        bytes.drain(..end);
    }
}

/// Returns what the client has sent in its probe, for the library to read.
pub(crate) fn ping_of_probe() -> Vec<u8> {
    let mut frame = Vec::new();
    write_client(&mut frame, Opcode::Text, PING);
    frame
}

/// Returns the answer to a probe, which the library writes, too.
pub(crate) fn pong_of_probe() -> Vec<u8> {
    let mut frame = Vec::new();
    write_server_header(&mut frame, Opcode::Text, PONG.len());
    frame.extend_from_slice(PONG);
    frame
}

/// Reads until the first frame is whole. `None` if it is not one of a probe, or does not come.
async fn whole_frame<S: AsyncRead + Unpin>(stream: &mut S, bytes: &mut Vec<u8>) -> Option<ClientHeader> {
    loop {
        if let Some(header) = ClientHeader::read(bytes) {
            if !header.is_plain() || header.payload_length() > MAX_BYTES {
                return None;
            }
            if bytes.len() as u64 >= header.payload.end {
                return Some(header);
            }
        }
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;
    use crate::net::transport::websocket::tests::client_frame as frame;

    async fn read(client: &mut DuplexStream, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        client.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    #[tokio::test]
    async fn a_probe_ends_with_the_upgrade_and_what_came_behind_it() {
        let (mut client, mut server) = duplex(1000);
        let behind = [frame(0x81, b"5"), frame(0x81, b"40")].concat();
        client.write_all(&frame(0x81, b"2probe")).await.unwrap();
        client.write_all(&[frame(0x89, b"hi"), frame(0x8a, b""), behind.clone()].concat()).await.unwrap();
        let mut probed = 0;
        assert_eq!(answer(&mut server, Vec::new(), || probed += 1).await, Some(behind));
        assert_eq!(probed, 1);
        assert_eq!(read(&mut client, 12).await, b"\x81\x063probe\x8a\x02hi");
    }

    #[tokio::test]
    async fn whatever_is_no_probe_ends_it() {
        let probe = || frame(0x81, b"2probe");
        for wrong in [
            frame(0x81, b"5"),
            frame(0x81, b"40"),
            frame(0x82, b"2probe"),
            frame(0x88, b""),
            frame(0x01, b"2probe"),
            frame(0x81, &[b'2'; 200]),
            [probe(), probe()].concat(),
            [probe(), probe(), frame(0x81, b"5")].concat(),
            [probe(), frame(0x81, b"42[\"a\"]")].concat(),
            Vec::new(),
        ] {
            let (mut client, mut server) = duplex(1000);
            client.write_all(&wrong).await.unwrap();
            client.shutdown().await.unwrap();
            assert_eq!(answer(&mut server, Vec::new(), || {}).await, None, "{wrong:?}");
        }
    }
}
