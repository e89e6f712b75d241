//! Messages of the program as its sources have them, with `…` in the place of values.

use super::rust_source::{Part, relative, root, rust_files, split_rust};

/// How a message comes to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageKind {
    /// The first line of a refusal or an error: `Failure::refused`, `input` or `service`.
    Failure,
    /// Text of an error type, which a failure may contain.
    Cause,
}

/// A message of `src`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageTemplate {
    pub file: String,
    pub text: String,
    pub kind: MessageKind,
}

/// Code in front of the literal of a message.
const BEFORE_FAILURES: [&str; 4] = [
    "Failure::refused(",
    "Failure::input(",
    "Failure::service(",
    "Failure::incomplete(",
];
const BEFORE_CAUSES: [&str; 2] = ["#[error(", "wrong("];
/// Methods whose last argument is the text, about an input or one of its entries.
const INPUT_ERRORS: [&str; 3] = ["entry_error", "arguments.error", "self.error"];
/// The same in files that are about errors alone.
const BEFORE_CAUSES_OF_ERROR_FILES: [&str; 2] = ["write!(f,", "f.write_str("];

/// Returns every message that is a literal, in the order of the files. A message of values alone has no text
/// of its own and is left out.
pub fn message_templates() -> Vec<MessageTemplate> {
    let mut found = Vec::new();
    for path in rust_files() {
        let file = relative(&path);
        let text = std::fs::read_to_string(&path).unwrap();
        found.extend(templates_of(&file, program_part(&file, &text)));
    }
    found
}

/// Returns the part of a file that is not a test.
fn program_part<'a>(file: &str, text: &'a str) -> &'a str {
    if file.contains("tests")
        || file.ends_with("sample_outcomes.rs")
        || file.ends_with("samples.rs")
    {
        return "";
    }
    text.split("#[cfg(test)]\nmod ").next().unwrap()
}

fn templates_of(file: &str, text: &str) -> Vec<MessageTemplate> {
    let mut before = String::new();
    let mut found = Vec::new();
    for (part, _, content) in split_rust(text) {
        match part {
            Part::Comment => {}
            Part::Code => before += &content.split_whitespace().collect::<String>(),
            Part::Literal => {
                let kind = kind_of(file, &before);
                found.extend(kind.map(|kind| MessageTemplate {
                    file: file.to_owned(),
                    text: template(&content),
                    kind,
                }));
                before.clear();
            }
        }
    }
    found.retain(|template| has_words(&template.text));
    found
}

fn kind_of(file: &str, before: &str) -> Option<MessageKind> {
    let before = before.strip_suffix("format!(").unwrap_or(before);
    let before = before.strip_suffix('&').unwrap_or(before);
    let ends = |texts: &[&str]| texts.iter().any(|text| before.ends_with(text));
    if ends(&BEFORE_FAILURES) {
        return Some(MessageKind::Failure);
    }
    let is_error_file = file.ends_with("error.rs");
    let is_input_error = before.ends_with(',') && {
        let (call, arguments) = before.rsplit_once('(').unwrap_or_default();
        !arguments.contains(')') && INPUT_ERRORS.iter().any(|name| call.ends_with(name))
    };
    let is_cause = is_input_error
        || ends(&BEFORE_CAUSES)
        || is_error_file && ends(&BEFORE_CAUSES_OF_ERROR_FILES);
    is_cause.then_some(MessageKind::Cause)
}

/// Returns the text of a literal with `…` for each value, in one line.
fn template(literal: &str) -> String {
    let literal = literal.strip_prefix('"').unwrap_or(literal);
    let literal = literal.strip_suffix('"').unwrap_or(literal);
    let literal = literal.replace("\\\n", "");
    let literal = literal.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let mut text = String::new();
    let mut rest = literal.as_str();
    while let Some((start, after)) = rest.split_once('{') {
        let (_, end) = after.split_once('}').expect("the end of a value");
        text += start;
        text.push('…');
        rest = end;
    }
    text += rest;
    let text = text.replace('\u{1}', "{").replace('\u{2}', "}");
    let text = text.replace("\\\"", "\"").replace("\\n", " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn has_words(text: &str) -> bool {
    text.split(['…', ' ', ':', '(', ')'])
        .any(|word| word.len() > 1)
}

/// Returns the code that follows `Failure::KIND(` wherever it is no literal, with its file.
pub fn computed_failures() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in rust_files() {
        let file = relative(&path);
        let text = std::fs::read_to_string(&path).unwrap();
        let text: String = program_part(&file, &text).split_whitespace().collect();
        for before in BEFORE_FAILURES {
            for (_, after) in text.match_indices(before).map(|(at, _)| text.split_at(at)) {
                let argument = &after[before.len()..];
                let argument = argument.strip_prefix("format!(").unwrap_or(argument);
                if !argument.starts_with('"') {
                    found.push((file.clone(), argument.chars().take(40).collect()));
                }
            }
        }
    }
    found
}

#[test]
fn messages_are_found_with_their_kinds() {
    let text = r#"
        #[error("blob {0}: {cause}")] A,
        #[error(
            "expected {wanted:?}, \
             got {{service}} \"x\"" , wanted = 1)] B,
        #[error("{0}: {1}")] C,
        x = Failure::refused(format!("tag {tag} of {place}")).with_hint("go on");
        Err(wrong(&format!("is not {text}")));
        arguments.entry_error(Input::Images, entry, "is no place");
        write!(f, "no message here");
    "#;
    let found = templates_of("src/a.rs", text);
    let texts: Vec<_> = found.iter().map(|found| found.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "blob …: …",
            "expected …, got {service} \"x\"",
            "tag … of …",
            "is not …",
            "is no place"
        ]
    );
    assert_eq!(found[2].kind, MessageKind::Failure);
    assert_eq!(templates_of("src/a/error.rs", text).len(), 6);
    assert!(
        message_templates()
            .iter()
            .all(|found| found.file.starts_with("src/"))
    );
    assert!(root().join("src").is_dir());
}
