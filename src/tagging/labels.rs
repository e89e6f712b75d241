use std::cmp::Ordering;

use super::expand::{TagContext, expand_lines};
use super::rules::{RuleError, TagRuleSet, parse_entries};
use super::{Finding, TaggingError};
use crate::event::RepositoryDetails;
use crate::notices::to_printable;

/// What ends a line somewhere.
const BREAKS: [char; 7] = [
    '\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}',
];
/// The most characters of a key that a message shows.
const SHOWN: usize = 120;

/// What an image says of itself: keys and values in the order in which they are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderedLabels(pub Vec<(String, String)>);

/// The labels or annotations of an image: those of the OCI specification, then the lines of
/// `input` (which is `labels` or `annotations`).
///
/// # Errors
/// A line that cannot be read or expanded.
pub fn build_labels(
    rules: &TagRuleSet,
    subject: &TagContext,
    repository: &RepositoryDetails,
    version: &str,
    (input, lines): (&'static str, &str),
    findings: &mut Vec<Finding>,
) -> Result<OrderedLabels, TaggingError> {
    let custom = parse_entries(lines).map_err(|error| TaggingError::List {
        list: Box::new(RuleError {
            input,
            line: error.line,
            rule: input.to_owned(),
            column: error.column,
            problem: error.problem.into(),
        }),
    })?;
    let revision = subject.revision(rules.mode);
    let mut labels = OrderedLabels(standard_labels(subject, repository, version, revision));
    for text in expand_lines(rules, subject, input, &custom, findings)? {
        if let Some((key, value)) = text.split_once('=') {
            labels.set(key, value);
        }
    }
    labels.0.sort_by(|a, b| compare_keys(&a.0, &b.0));
    Ok(labels)
}

fn standard_labels(
    subject: &TagContext,
    repository: &RepositoryDetails,
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

impl OrderedLabels {
    fn set(&mut self, key: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some(known) => value.clone_into(&mut known.1),
            None => self.0.push((key.to_owned(), value.to_owned())),
        }
    }

    /// Keeps labels apart in a list with `separator` between them, so that none of them can make
    /// another: of a text of several lines the first stays, as in docker/metadata-action's JSON, and a
    /// separator in a text becomes a space. What is changed is said.
    pub fn keep_apart(&mut self, separator: &str, findings: &mut Vec<Finding>) {
        let separates = !separator.trim().is_empty();
        let apart = |text: &str| {
            let first = text.split(BREAKS).next().unwrap_or_default();
            let mut text = first.to_owned();
            // What is left around one may be another.
            while separates && text.contains(separator) {
                text = text.replace(separator, " ");
            }
            text
        };
        for (key, value) in &mut self.0 {
            let (new_key, new_value) = (apart(key), apart(value));
            if new_key == *key && new_value == *value {
                continue;
            }
            let shown = to_printable(&new_key, SHOWN);
            let what = match key.contains(BREAKS) || value.contains(BREAKS) {
                true => "has several lines, of which the first is given",
                false => "holds the separator of the list, in whose place is a space",
            };
            let finding = Finding::from_note(format!("{shown} {what}"));
            // Most labels are annotations as well.
            if !findings.contains(&finding) {
                findings.push(finding);
            }
            (*key, *value) = (new_key, new_value);
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
fn compare_keys(a: &str, b: &str) -> Ordering {
    let primary = |text: &str| {
        text.chars()
            .filter_map(character_weight)
            .collect::<Vec<_>>()
    };
    let case = |text: &str| {
        text.chars()
            .map(|c| c.is_ascii_uppercase())
            .collect::<Vec<_>>()
    };
    primary(a)
        .cmp(&primary(b))
        .then_with(|| case(a).cmp(&case(b)))
}

fn character_weight(c: char) -> Option<u32> {
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
        keys.sort_by(|a, b| compare_keys(a, b));
        assert_eq!(
            keys,
            [
                "1", "10", "2", "a", "A", "a_b", "a-b", "a.b", "a/b", "ab", "aB", "Ab", "b", "B",
                "é"
            ]
        );
    }

    #[test]
    fn promise_8_no_text_of_a_label_makes_another_label() {
        let mut tried = 0;
        for separator in ["\n", "\r\n", ",", ";", "|", " | ", "\u{2028}"] {
            for end in BREAKS
                .map(String::from)
                .iter()
                .map(String::as_str)
                .chain(["\r\n", separator])
            {
                for (key, value) in [
                    ("a", format!("x{end}evil=1")),
                    ("a", format!("{end}evil=1{end}")),
                    (&*format!("a{end}evil"), "1".to_owned()),
                ] {
                    let mut labels = OrderedLabels::default();
                    labels.set(key, &value);
                    labels.set("b", "2");
                    let mut findings = Vec::new();
                    labels.keep_apart(separator, &mut findings);
                    let list = labels.lines().join(separator);
                    assert_eq!(list.split(separator).count(), 2, "{list:?}");
                    assert!(
                        !list.contains(BREAKS) || separator.contains(BREAKS),
                        "{list:?}"
                    );
                    assert_eq!(
                        list.lines().filter(|line| line.starts_with("evil")).count(),
                        0
                    );
                    assert_eq!(findings.len(), 1, "{list:?}");
                    tried += 1;
                }
            }
        }
        assert_eq!(tried, 7 * 9 * 3);
    }

    #[test]
    fn labels_that_are_apart_stay_as_they_are() {
        let mut labels = OrderedLabels::default();
        labels.set("a", "Hello, world | x");
        let (before, mut findings) = (labels.clone(), Vec::new());
        labels.keep_apart("\n", &mut findings);
        labels.keep_apart(" ", &mut findings);
        assert_eq!((labels, findings.len()), (before, 0));
    }

    #[test]
    fn a_later_key_wins() {
        let mut labels = OrderedLabels::default();
        labels.set("a", "1");
        labels.set("a", "2");
        assert_eq!(labels.lines(), ["a=2"]);
    }
}
