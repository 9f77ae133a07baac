//! A websocket client that costs next to nothing, so that what is measured is the server: frames are made before,
//! written by one thread and counted by another.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// One websocket.
pub(crate) struct Client {
    writer: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Client {
    /// Opens a websocket at a `ws://` URL.
    pub(crate) fn connect(url: &str) -> Client {
        let address = url.trim_start_matches("ws://");
        let mut writer = TcpStream::connect(address).unwrap();
        writer.set_nodelay(true).unwrap();
        let upgrade = format!(
            "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        writer.write_all(upgrade.as_bytes()).unwrap();
        let mut reader = BufReader::with_capacity(1 << 18, writer.try_clone().unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(line.contains("101"), "{line}");
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        Client { writer, reader }
    }

    /// Sends all requests without waiting, and returns as many replies.
    pub(crate) fn pipeline(&mut self, requests: Vec<String>) -> Vec<String> {
        let mut bytes = Vec::new();
        for request in &requests {
            frame(&mut bytes, request.as_bytes());
        }
        let mut writer = self.writer.try_clone().unwrap();
        let sender = std::thread::spawn(move || writer.write_all(&bytes).unwrap());
        let replies = requests.iter().map(|_| self.receive()).collect();
        sender.join().unwrap();
        replies
    }

    fn receive(&mut self) -> String {
        let mut head = [0; 2];
        self.reader.read_exact(&mut head).unwrap();
        assert_eq!(head[0], 0x81, "a whole text frame");
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.reader.read_exact(&mut length).unwrap();
                usize::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                self.reader.read_exact(&mut length).unwrap();
                usize::try_from(u64::from_be_bytes(length)).unwrap()
            }
            short => usize::from(short),
        };
        let mut text = vec![0; length];
        self.reader.read_exact(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }
}

/// A client's text frame. Its mask is zero, which masks nothing and is allowed.
fn frame(to: &mut Vec<u8>, text: &[u8]) {
    to.push(0x81);
    match u16::try_from(text.len()) {
        Ok(short) if short < 126 => to.push(0x80 | u8::try_from(short).unwrap()),
        Ok(length) => {
            to.push(0x80 | 126);
            to.extend(length.to_be_bytes());
        }
        Err(_) => {
            to.push(0x80 | 127);
            to.extend(u64::try_from(text.len()).unwrap().to_be_bytes());
        }
    }
    to.extend([0; 4]);
    to.extend(text);
}
