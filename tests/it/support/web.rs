//! A web server that says what it is told to, for services that are no registry.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// An answer to whatever begins with a path.
type Answers = Vec<(String, u16, String)>;

pub struct Web {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    /// Answers by the first of `answers` whose path the request's begins with; else 404.
    pub fn start(answers: &[(&str, u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let owned = |(path, status, body): &(&str, u16, &str)| {
            ((*path).to_owned(), *status, (*body).to_owned())
        };
        let (answers, log): (Answers, _) = (answers.iter().map(owned).collect(), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &answers, &log);
            }
        });
        Self { address, asked }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// The paths that were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, answers: &Answers, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    let path = head.split(' ').nth(1).unwrap_or_default();
    log.lock().unwrap().push(path.to_owned());
    let known = answers
        .iter()
        .find(|(start, ..)| path.starts_with(start.as_str()));
    let (status, body) = known.map_or((404, "{}"), |(_, status, body)| (*status, body));
    let length = body.len();
    // What passes is asked for again at once.
    let retry = if status >= 500 {
        "Retry-After: 0\r\n"
    } else {
        ""
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{retry}Connection: close\r\n\r\n{body}"
    );
}
