//! Recorded answers of real registries, from `tests/data/registries`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::answer::Answer;

/// Headers that belong to the connection on which an answer was recorded.
const OF_THE_CONNECTION: [&str; 3] = ["date", "content-length", "connection"];

/// One recorded answer, to be sent as it is or with the names of this test put in.
#[derive(Clone, Debug)]
pub struct Fixture {
    name: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Loads an answer by its name, such as `ecr/400_immutable_tag`.
pub fn fixture(name: &str) -> Fixture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/registries")
        .join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let value: Value = serde_json::from_str(&text).expect("a fixture is JSON");
    Fixture {
        name: name.to_owned(),
        status: value["status"].as_u64().expect("a status") as u16,
        headers: headers(&value["headers"]),
        body: value["body"].as_str().expect("a body").to_owned(),
    }
}

impl Fixture {
    /// Puts a name of this test in the place of the recorded one, in headers and body.
    pub fn with(mut self, recorded: &str, here: &str) -> Self {
        for (_, value) in &mut self.headers {
            *value = value.replace(recorded, here);
        }
        self.body = self.body.replace(recorded, here);
        self
    }

    /// Replaces a whole header.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn answer(&self) -> Answer {
        let start = Answer::new(self.status).known_from(&self.name);
        let headers = self.headers.iter();
        headers
            .fold(start, |answer, (name, value)| answer.header(name, value))
            .bytes(self.body.clone())
    }
}

fn headers(value: &Value) -> Vec<(String, String)> {
    let object = value.as_object().expect("headers are an object");
    let mut headers = Vec::new();
    for (name, value) in object {
        let name = name.to_lowercase();
        match value {
            Value::Array(values) => {
                headers.extend(values.iter().map(|one| (name.clone(), text(one))))
            }
            one => headers.push((name, text(one))),
        }
    }
    headers.retain(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()));
    headers
}

fn text(value: &Value) -> String {
    value.as_str().expect("a header is a string").to_owned()
}
