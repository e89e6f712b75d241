//! Hidden first line of the comment on a pull request, by which a later run finds it.

use std::fmt;

use crate::image::Digest;

/// First line of a comment: which workflow writes it, and which run wrote it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommentMarker {
    /// What the comment is about.
    pub(super) key: CommentKey,
    /// Run that wrote the text.
    pub(super) run: RunOrder,
}

/// Workflow and environment that a comment is about, as 32 hexadecimal digits: no text can end the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommentKey(String);

/// Place of a run among the runs of its workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RunOrder {
    /// `GITHUB_RUN_NUMBER`
    pub(super) number: u64,
    /// `GITHUB_RUN_ATTEMPT`
    pub(super) attempt: u64,
}

const BEGIN: &str = "<!-- shipmark check ";
const END: &str = " -->";
/// Digits of a key.
const KEY_LENGTH: usize = 32;

impl CommentKey {
    /// Returns the key of a workflow, `owner/name/path`, and an environment.
    pub(super) fn new(workflow: &str, environment: &str) -> Self {
        let digest = Digest::from_bytes(format!("{workflow}\0{environment}").as_bytes());
        let digest = digest.to_string();
        let hex = digest.split_once(':').map_or("", |(_, hex)| hex);
        Self(hex.chars().take(KEY_LENGTH).collect())
    }
}

impl CommentMarker {
    /// Reads the first line of a comment; `None` for one without a marker.
    pub(super) fn parse(body: &str) -> Option<Self> {
        let line = body.lines().next()?.trim_end();
        let words = line.strip_prefix(BEGIN)?.strip_suffix(END)?;
        let words: Vec<&str> = words.split(' ').collect();
        let [key, number, attempt] = words.as_slice() else {
            return None;
        };
        let is_key = key.len() == KEY_LENGTH && key.bytes().all(|b| b.is_ascii_hexdigit());
        Some(Self {
            key: CommentKey(is_key.then(|| (*key).to_owned())?),
            run: RunOrder {
                number: number.strip_prefix("run=")?.parse().ok()?,
                attempt: attempt.strip_prefix("attempt=")?.parse().ok()?,
            },
        })
    }
}

impl fmt::Display for CommentMarker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RunOrder { number, attempt } = self.run;
        let CommentKey(key) = &self.key;
        write!(f, "{BEGIN}{key} run={number} attempt={attempt}{END}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marker(number: u64, attempt: u64) -> CommentMarker {
        CommentMarker {
            key: CommentKey::new("acme/web/.github/workflows/a.yml", "prod"),
            run: RunOrder { number, attempt },
        }
    }

    #[test]
    fn a_marker_is_read_back() {
        let text = marker(42, 2).to_string();
        assert_eq!(
            text,
            "<!-- shipmark check fd8c73985d2da22fff91bca8e3318f19 run=42 attempt=2 -->"
        );
        for end in ["", "\n## Check", "\r\n## Check"] {
            let found = CommentMarker::parse(&format!("{text}{end}"));
            assert_eq!(found, Some(marker(42, 2)), "{end:?}");
        }
        for wrong in [
            String::new(),
            format!("x {text}"),
            format!("\n{text}"),
            text.replace("run=42", "run=x"),
            text.replace("run=42 ", ""),
            text.replace("<!-- shipmark check ", "<!-- shipmark check 0"),
        ] {
            assert_eq!(CommentMarker::parse(&wrong), None, "{wrong}");
        }
        assert!(marker(10, 1).run > marker(9, 7).run && marker(9, 2).run > marker(9, 1).run);
    }

    #[test]
    fn workflows_and_environments_have_keys_of_their_own() {
        let key = CommentKey::new("a/b/c.yml", "prod");
        assert_ne!(key, CommentKey::new("a/b/c.yml", "stage"));
        assert_ne!(key, CommentKey::new("a/b/d.yml", "prod"));
    }

    proptest! {
        #[test]
        fn promise_8_no_workflow_or_environment_ends_the_marker(workflow in any::<String>(), name in any::<String>()) {
            let key = CommentKey::new(&workflow, &name);
            let marker = CommentMarker { key, run: RunOrder { number: 1, attempt: 1 } };
            let text = marker.to_string();
            prop_assert_eq!(text.matches("-->").count(), 1);
            prop_assert_eq!(CommentMarker::parse(&text), Some(marker));
        }
    }
}
