use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::encodings;

/// Texts that must appear nowhere. The runner is told to mask them; what is printed or written by
/// this process has them taken out already, for a terminal masks nothing.
#[derive(Clone, Default)]
pub struct SecretTexts {
    /// What the runner is told.
    masks: Vec<String>,
    /// What is taken out, found by how it begins; the longest first.
    forms: HashMap<Beginning, Vec<String>>,
}

type Beginning = [u8; MIN_REDACTED_LENGTH];

/// Shorter texts are masked in a job's log but not taken out of what is written: they would take
/// half of every digest with them.
const MIN_REDACTED_LENGTH: usize = 4;
/// What is written for a secret.
const STARS: &str = "***";
/// What ends a text that was cut: see [`crate::notices::to_printable`].
const CUT: char = '…';

impl SecretTexts {
    /// Adds a secret, each of its lines, and what these look like when they are encoded. Of several lines
    /// those that tell nothing, such as the braces of a key in JSON, are left out: the runner masks each
    /// line of a mask by itself, and would hide half of the log.
    pub fn add(&mut self, secret: &str) {
        let whole = secret.trim();
        self.add_encoded(whole);
        if whole.contains(['\n', '\r']) {
            let lines = whole.lines().map(str::trim);
            let telling = lines.filter(|line| line.len() >= MIN_REDACTED_LENGTH);
            telling.for_each(|line| self.add_encoded(line));
        }
        // A key in a file ends with a line break, and is encoded with it.
        if whole != secret && whole.len() >= MIN_REDACTED_LENGTH {
            self.add_form(&BASE64_STANDARD.encode(secret), true);
        }
    }

    /// Adds a password and the form in which Basic authentication sends it.
    pub fn add_login(&mut self, user: &str, password: &str) {
        self.add(password);
        self.add(&BASE64_STANDARD.encode(format!("{user}:{password}")));
    }

    /// Adds all of `others`. Returns what the runner has to be told that it was not told yet, the
    /// longest first: a secret may hold another.
    pub fn merge(&mut self, others: &Self) -> Vec<String> {
        let new: Vec<String> = others
            .masks
            .iter()
            .filter(|mask| !self.masks.contains(mask))
            .cloned()
            .collect();
        new.iter().for_each(|mask| self.add_form(mask, true));
        others
            .forms
            .values()
            .flatten()
            .for_each(|form| self.add_form(form, false));
        new
    }

    /// Returns what the runner is told to mask, the longest first.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.masks.iter().map(String::as_str)
    }

    /// Returns `text` without the secrets, in whatever encoding they stand there; where it was cut in
    /// the middle of one, without what is left of that.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.hide_except(text, &[])
    }

    /// Returns `text` without the secrets, but with the `names` in it as they are, and with digests: a
    /// secret that happens to be a part of one is not told by it.
    pub fn hide_except<'a>(&self, text: &'a str, names: &[String]) -> Cow<'a, str> {
        let found = self.find(text);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let kept = match names {
            [] => Vec::new(),
            names => kept(text, names),
        };
        let is_kept = |found: &Range<usize>| {
            let holds = |kept: &Range<usize>| kept.start <= found.start && found.end <= kept.end;
            kept.iter().any(holds)
        };
        let mut out = String::with_capacity(text.len());
        // What is before it is written, or hidden.
        let mut at = 0;
        for found in found.into_iter().filter(|found| !is_kept(found)) {
            if found.start >= at {
                out += &text[at..found.start];
                out += STARS;
            }
            at = at.max(found.end);
        }
        out += &text[at..];
        Cow::Owned(out)
    }

    /// Returns where secrets stand in `text`, by their beginnings. They may overlap.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let bytes = text.as_bytes();
        let cuts: Vec<usize> = text.match_indices(CUT).map(|(at, _)| at).collect();
        let mut found = Vec::new();
        for (at, beginning) in bytes.windows(MIN_REDACTED_LENGTH).enumerate() {
            let beginning: &Beginning = beginning.try_into().expect("a window of that length");
            let Some(forms) = self.forms.get(beginning) else {
                continue;
            };
            let rest = &bytes[at..];
            let cut = cuts.get(cuts.partition_point(|cut| *cut < at + MIN_REDACTED_LENGTH));
            let left = cut.map(|cut| &bytes[at..*cut]);
            let ends = forms.iter().filter_map(|form| {
                let form = form.as_bytes();
                if rest.starts_with(form) {
                    return Some(form.len());
                }
                left.filter(|left| form.starts_with(left)).map(<[u8]>::len)
            });
            found.extend(ends.max().map(|length| at..at + length));
        }
        found
    }

    fn add_encoded(&mut self, secret: &str) {
        // The runner masks each line of a mask by itself, such as the braces of a JSON key.
        let is_line = |form: &str| !form.contains(['\n', '\r']);
        self.add_form(secret, is_line(secret));
        if secret.len() >= MIN_REDACTED_LENGTH {
            for form in encodings::usual(secret) {
                self.add_form(&form, is_line(&form));
            }
            let all = encodings::all(secret);
            all.iter().for_each(|form| self.add_form(form, false));
        }
    }

    fn add_form(&mut self, form: &str, is_mask: bool) {
        if is_mask && !form.is_empty() && !self.masks.iter().any(|known| known == form) {
            insert(&mut self.masks, form);
        }
        let Some(beginning) = form.as_bytes().first_chunk() else {
            return;
        };
        let alike = self.forms.entry(*beginning).or_default();
        if !alike.iter().any(|known| known == form) {
            insert(alike, form);
        }
    }
}

/// Puts a text in its place among others, the longest first.
fn insert(texts: &mut Vec<String>, text: &str) {
    let at = texts.partition_point(|known| known.len() >= text.len());
    texts.insert(at, text.to_owned());
}

/// Returns where the names, and digests, stand in `text`.
fn kept(text: &str, names: &[String]) -> Vec<Range<usize>> {
    const ALGORITHM: &str = "sha256:";
    const HEX: usize = 64;
    let named = names
        .iter()
        .filter(|name| !name.is_empty())
        .flat_map(|name| text.match_indices(name.as_str()));
    let named = named.map(|(at, name)| at..at + name.len());
    let digests = text.match_indices(ALGORITHM).filter_map(|(at, _)| {
        let hex = text.as_bytes()[at + ALGORITHM.len()..].get(..HEX)?;
        let is_hex = hex.iter().all(u8::is_ascii_hexdigit);
        is_hex.then_some(at..at + ALGORITHM.len() + HEX)
    });
    named.chain(digests).collect()
}

impl fmt::Debug for SecretTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.masks.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secrets(all: &[&str]) -> SecretTexts {
        let mut secrets = SecretTexts::default();
        all.iter().for_each(|secret| secrets.add(secret));
        secrets
    }

    #[test]
    fn every_form_of_a_secret_is_hidden() {
        let mut secrets = SecretTexts::default();
        secrets.add_login("robot", "made:up=word");
        secrets.add("line one\n line two\n");
        assert_eq!(
            secrets.redact("made:up=word cm9ib3Q6bWFkZTp1cD13b3Jk line two!"),
            "*** *** ***!"
        );
        assert!(format!("{secrets:?}").starts_with("Secrets("));
    }

    /// As others write it: the expected texts are theirs, and not made by the code under test.
    #[test]
    fn promise_7_an_encoded_secret_is_hidden() {
        let secret = "p/ä\"<s>&'\\ w+|%1";
        let secrets = secrets(&[secret]);
        for encoded in [
            // base64(1), GNU coreutils; the same without padding; url-safe
            "cC/DpCI8cz4mJ1wgdyt8JTE=",
            "cC/DpCI8cz4mJ1wgdyt8JTE",
            "cC_DpCI8cz4mJ1wgdyt8JTE",
            // Python: base64 of "x" + secret, and of "xy" + secret + "z"
            "eHAvw6QiPHM+JidcIHcrfCUx",
            "eHlwL8OkIjxzPiYnXCB3K3wlMXo=",
            // encodeURIComponent, URLSearchParams, urllib.parse.quote, Go's url.QueryEscape
            "p%2F%C3%A4%22%3Cs%3E%26'%5C%20w%2B%7C%251",
            "p%2F%C3%A4%22%3Cs%3E%26%27%5C+w%2B%7C%251",
            "p/%C3%A4%22%3Cs%3E%26%27%5C%20w%2B%7C%251",
            "p%2f%c3%a4%22%3cs%3e%26%27%5c%20w%2b%7c%251",
            // JSON.stringify, Python's json.dumps, Go's json.Marshal, PHP's json_encode
            r#"p/ä\"<s>&'\\ w+|%1"#,
            r#"p/\u00e4\"<s>&'\\ w+|%1"#,
            r#"p/ä\"\u003cs\u003e\u0026'\\ w+|%1"#,
            r#"p\/ä\"<s>&'\\ w+|%1"#,
            // HTML
            "p/ä&quot;&lt;s&gt;&amp;&#39;\\ w+|%1",
            "p/ä&#34;&#60;s&#62;&#38;&#39;&#92; w&#43;&#124;%1",
            // Python's html.escape, and Mustache's way
            "p/ä&quot;&lt;s&gt;&amp;&#x27;\\ w+|%1",
            "p&#x2F;ä&quot;&lt;s&gt;&amp;&#39;\\ w+|%1",
        ] {
            let shown = secrets.redact(encoded).into_owned();
            assert!(shown.contains(STARS), "{encoded}: {shown}");
            // Of base64 the neighbours stay, and the characters that they are a part of.
            assert!(shown.len() <= STARS.len() + 7, "{encoded}: {shown}");
        }
    }

    #[test]
    fn short_ones_are_masked_only() {
        let mut secrets = secrets(&["abc"]);
        assert_eq!(secrets.redact("sha256:abc"), "sha256:abc");
        assert_eq!(secrets.iter().collect::<Vec<_>>(), ["abc"]);
        secrets.add(" ");
        assert_eq!(secrets.iter().count(), 1);
    }

    #[test]
    fn promise_7_of_a_secret_that_was_cut_nothing_is_left() {
        let secrets = secrets(&["made-up-word"]);
        for (cut, shown) in [
            ("it says made-up-wo…", "it says ***…"),
            ("it says made…", "it says ***…"),
            ("\"made-up…\": no", "\"***…\": no"),
            ("bWFkZS11cC13…", "***…"),
            ("made&#45;u…", "***…"),
            // Not cut, or too little to be told from a word.
            ("made up…", "made up…"),
            ("mad…", "mad…"),
            ("made-up", "made-up"),
        ] {
            assert_eq!(secrets.redact(cut), shown, "{cut}");
        }
    }

    #[test]
    fn secrets_that_overlap_leave_nothing_of_either() {
        let secrets = secrets(&["abcdef", "xyzabc", "cdef-and-more"]);
        assert_eq!(secrets.redact("[xyzabcdef]"), "[***]");
        assert_eq!(secrets.redact("[abcdef-and-more]"), "[***]");
        assert_eq!(secrets.redact("[abcdefabcdef]"), "[******]");
    }

    #[test]
    fn names_and_digests_stay_visible() {
        let digest = format!("sha256:{}", "4813".repeat(16));
        let secrets = secrets(&["team", "4813"]);
        let names = ["x.test/team/web".to_owned()];
        let text = format!("x.test/team/web@{digest} of team 4813");
        assert_eq!(
            secrets.hide_except(&text, &names),
            format!("x.test/team/web@{digest} of *** ***")
        );
        assert!(!secrets.redact(&text).contains("4813"));
    }

    #[test]
    fn what_is_merged_is_told_once() {
        let (mut all, some) = (
            secrets(&["made-up-word"]),
            secrets(&["made-up-word", "x1y2"]),
        );
        let new = all.merge(&some);
        assert!(new.contains(&"x1y2".to_owned()) && !new.contains(&"made-up-word".to_owned()));
        assert_eq!(all.merge(&some), Vec::<String>::new());
        assert_eq!(all.redact("x1y2 eDF5Mg== made-up-word"), "*** *** ***");
    }

    proptest! {
        /// Nothing of a secret is left, whatever stands around it and wherever the text is cut.
        #[test]
        fn promise_7_nothing_of_a_secret_is_left(
            secret in "[a-zA-Z0-9+/=:.&<\"' äü\\\\-]{8,40}",
            before in "[ -~]{0,20}",
            cut in 4usize..40,
        ) {
            let secrets = secrets(&[&secret]);
            let secret = secret.trim();
            let whole = format!("{before}{secret} and more");
            prop_assert!(!secrets.redact(&whole).contains(secret));
            let kept: String = secret.chars().take(cut).collect();
            if kept.len() >= MIN_REDACTED_LENGTH {
                let shown = secrets.redact(&format!("|{kept}…")).into_owned();
                prop_assert_eq!(shown, format!("|{STARS}…"));
            }
        }
    }
}
