//! A stand-in for the two requests to GitHub's REST API.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

#[derive(Default)]
struct State {
    /// What is said under `/0`, `/1`, …: of the repository, and when its commits were made.
    said: Vec<(Option<Value>, Option<String>)>,
    paths: Vec<String>,
    heads: String,
}

pub struct Api {
    address: String,
    state: Arc<Mutex<State>>,
}

impl Api {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = shared.clone();
                std::thread::spawn(move || answer(stream.unwrap(), &shared));
            }
        });
        Self { address, state }
    }

    /// The API's address for something that says this.
    pub fn add(&self, repository: Option<Value>, committed: Option<&str>) -> String {
        let mut state = self.state.lock().unwrap();
        state.said.push((repository, committed.map(str::to_owned)));
        format!("{}/{}", self.address, state.said.len() - 1)
    }

    /// What was asked for since this was last asked.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().paths)
    }

    pub fn was_shown(&self, text: &str) -> bool {
        self.state.lock().unwrap().heads.contains(text)
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut state = state.lock().unwrap();
    state.heads += &head;
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let said = parts
        .next()
        .and_then(|index| state.said.get(index.parse::<usize>().ok()?));
    let rest = format!("/{}", parts.next().unwrap_or_default());
    let (repository, committed) = said.cloned().unwrap_or_default();
    let (path, body) = match rest.rsplit_once("/commits/") {
        Some((repository, _)) => (
            format!("{repository}/commits/*"),
            committed.map(|date| json!({"commit": {"committer": {"date": date}}})),
        ),
        None => (rest, repository),
    };
    state.paths.push(path);
    drop(state);
    let (status, body) = match body {
        Some(body) => ("200 OK", body.to_string()),
        None => ("404 Not Found", json!({"message": "Not Found"}).to_string()),
    };
    let length = body.len();
    let mut stream = stream;
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}
