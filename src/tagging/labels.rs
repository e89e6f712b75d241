use std::cmp::Ordering;

use super::expand::{Subject, line};
use super::rules::{RuleError, Rules, entries};
use super::{Finding, TaggingError};
use crate::event::Repository;

/// What an image says of itself: keys and values in the order in which they are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(pub Vec<(String, String)>);

/// The labels or annotations of an image: those of the OCI specification, then the lines of
/// `input` (which is `labels` or `annotations`).
///
/// # Errors
/// A line that cannot be read or expanded.
pub fn labels(
    rules: &Rules,
    subject: &Subject,
    repository: &Repository,
    version: &str,
    (input, lines): (&'static str, &str),
    findings: &mut Vec<Finding>,
) -> Result<Labels, TaggingError> {
    let custom = entries(lines).map_err(|error| TaggingError::List {
        list: RuleError {
            input,
            line: error.line,
            rule: input.to_owned(),
            column: error.column,
            problem: error.problem.into(),
        },
    })?;
    let revision = subject.revision(rules.mode);
    let mut labels = Labels(image(subject, repository, version, revision));
    for text in line(rules, subject, input, &custom, findings)? {
        if let Some((key, value)) = text.split_once('=') {
            labels.set(key, value);
        }
    }
    labels.0.sort_by(|a, b| collate(&a.0, &b.0));
    Ok(labels)
}

fn image(
    subject: &Subject,
    repository: &Repository,
    version: &str,
    revision: String,
) -> Vec<(String, String)> {
    let known = |text: &Option<String>| text.clone().unwrap_or_default();
    let url = known(&repository.url);
    let created = subject.now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    [
        ("title", known(&repository.name)),
        ("description", known(&repository.description)),
        ("url", url.clone()),
        ("source", url),
        ("version", version.to_owned()),
        ("created", created),
        ("revision", revision),
        ("licenses", known(&repository.license)),
    ]
    .map(|(key, value)| (format!("org.opencontainers.image.{key}"), value))
    .into()
}

impl Labels {
    fn set(&mut self, key: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some(known) => value.clone_into(&mut known.1),
            None => self.0.push((key.to_owned(), value.to_owned())),
        }
    }

    /// `key=value` each.
    pub fn lines(&self) -> Vec<String> {
        let line = |(key, value): &(String, String)| format!("{key}={value}");
        self.0.iter().map(line).collect()
    }
}

/// The order of Unicode's collation, as far as the keys of labels need it: punctuation before
/// digits before letters, and lower case before upper only where nothing else differs. Letters
/// beyond ASCII come last, by their number, for the tables that order them are larger than the
/// rest of this program's data.
fn collate(a: &str, b: &str) -> Ordering {
    let primary = |text: &str| text.chars().filter_map(weight).collect::<Vec<_>>();
    let case = |text: &str| {
        text.chars()
            .map(|c| c.is_ascii_uppercase())
            .collect::<Vec<_>>()
    };
    primary(a)
        .cmp(&primary(b))
        .then_with(|| case(a).cmp(&case(b)))
}

fn weight(c: char) -> Option<u32> {
    const PUNCTUATION: &str = "\t\n\u{b}\u{c}\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
    let c = c.to_ascii_lowercase();
    match PUNCTUATION.find(c) {
        Some(at) => Some(u32::try_from(at).unwrap_or_default()),
        None if c.is_control() => None,
        None => Some(0x100 + u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ordered_as_in_javascript() {
        let mut keys = [
            "b", "a.b", "a-b", "A", "a", "a_b", "ab", "B", "1", "10", "2", "é", "a/b", "aB", "Ab",
        ];
        keys.sort_by(|a, b| collate(a, b));
        assert_eq!(
            keys,
            [
                "1", "10", "2", "a", "A", "a_b", "a-b", "a.b", "a/b", "ab", "aB", "Ab", "b", "B",
                "é"
            ]
        );
    }

    #[test]
    fn a_later_key_wins() {
        let mut labels = Labels::default();
        labels.set("a", "1");
        labels.set("a", "2");
        assert_eq!(labels.lines(), ["a=2"]);
    }
}
