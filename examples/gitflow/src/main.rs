//! A server that answers every request with the same page.

use std::io::{Read, Write};
use std::net::TcpListener;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", 8080))?;
    for connection in listener.incoming() {
        let mut connection = connection?;
        let answered = connection
            .read(&mut [0; 1024])
            .and_then(|_| connection.write_all(ANSWER));
        if let Err(error) = answered {
            eprintln!("{error}");
        }
    }
    Ok(())
}
