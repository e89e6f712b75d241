//! Version of a release, in every form that git tags and image tags write it.

use std::cmp::Ordering;
use std::fmt;

/// Number of a version, spelled as in the tag: leading zeros are kept and do not change its value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionNumber(String);

impl VersionNumber {
    fn parse(text: &str) -> Option<Self> {
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| Self(text.to_owned()))
    }

    fn significant_digits(&self) -> &str {
        self.0.trim_start_matches('0')
    }

    /// Returns whether the value is 0.
    pub(crate) fn is_zero(&self) -> bool {
        self.significant_digits().is_empty()
    }

    /// Compares the values, of any size.
    pub(super) fn cmp_value(&self, other: &Self) -> Ordering {
        compare_digits(&self.0, &other.0)
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Version: two to four numbers, perhaps with a pre-release part and a build part.
///
/// Two versions are equal if they are spelled alike; [`Self::cmp_precedence`] compares their rank.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReleaseVersion {
    numbers: Vec<VersionNumber>,
    prerelease: String,
    build: String,
}

/// Words that begin the pre-release part of a version of two numbers. Any other word after two numbers
/// names a variant of a version line: `1.4-alpine`.
const PRERELEASE_WORDS: [&str; 16] = [
    "a",
    "alpha",
    "b",
    "beta",
    "c",
    "canary",
    "dev",
    "ea",
    "m",
    "milestone",
    "next",
    "nightly",
    "pre",
    "preview",
    "rc",
    "snapshot",
];

/// Begins a build part that names a commit, as `git describe` does: `g2b2e927`.
const COMMIT_WORD: &str = "g";

/// Words that are no channel: tags of these names belong to releases, to the default branch or to production.
const NO_CHANNELS: [&str; 8] = [
    "latest",
    "live",
    "main",
    "master",
    "prod",
    "production",
    "stable",
    "trunk",
];

impl ReleaseVersion {
    /// Parses `1.4`, `v1.4.0-rc.1+build.7`, `2026.02.0` or `0.9.2.5`: a `v` before the version is no
    /// part of it.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, parse_identifiers(build)?),
            None => (text, ""),
        };
        let (numbers, prerelease) = match text.split_once('-') {
            Some((numbers, prerelease)) => (numbers, parse_identifiers(prerelease)?),
            None => (text, ""),
        };
        let numbers: Vec<_> = numbers
            .split('.')
            .map(VersionNumber::parse)
            .collect::<Option<_>>()?;
        let is_version = match numbers.len() {
            2 => prerelease.is_empty() || begins_with_prerelease_word(prerelease),
            3 | 4 => true,
            _ => false,
        };
        is_version.then(|| Self {
            numbers,
            prerelease: prerelease.to_owned(),
            build: build.to_owned(),
        })
    }

    /// Parses the version of an image tag in a series whose builds are called `word` and a number
    /// (`1.28.3-k3s1`), or `g` and a commit (`1.4.1-g2b2e927`): a tag cannot contain `+`.
    pub fn parse_build(text: &str, word: &str) -> Option<Self> {
        if word == COMMIT_WORD
            && let Some((rest, build)) = text.rsplit_once('-')
            && is_commit_build(build)
        {
            return Self::parse(&format!("{rest}+{build}"));
        }
        let at = text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (rest, number) = text.split_at(at);
        let rest = rest.strip_suffix(word)?.strip_suffix('-')?;
        if number.is_empty() && word.is_empty() {
            return None;
        }
        Self::parse(&format!("{rest}+{word}{number}"))
    }

    /// Returns the version of a semantic version.
    pub(crate) fn from_semver(version: &semver::Version) -> Self {
        let numbers = [version.major, version.minor, version.patch];
        Self {
            numbers: numbers
                .map(|number| VersionNumber(number.to_string()))
                .into(),
            prerelease: version.pre.to_string(),
            build: version.build.to_string(),
        }
    }

    /// Returns whether the version comes before the release that it is named after.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    /// Returns whether the version is a pre-release that begins with a usual word: `rc.1`, `beta2`.
    pub(crate) fn has_prerelease_word(&self) -> bool {
        begins_with_prerelease_word(&self.prerelease)
    }

    /// Returns the release that the version is named after, and the pre-release part.
    pub(crate) fn split_prerelease(&self) -> (Self, &str) {
        let release = Self {
            prerelease: String::new(),
            ..self.clone()
        };
        (release, &self.prerelease)
    }

    /// Returns the numbers, two to four.
    pub fn numbers(&self) -> &[VersionNumber] {
        &self.numbers
    }

    /// Returns what the builds of the version are called, without their number: `k3s` of `+k3s1`, or
    /// `g` of a commit (`+g2b2e927`);
    /// `None` without a build part.
    pub fn build_word(&self) -> Option<&str> {
        if is_commit_build(&self.build) {
            return Some(COMMIT_WORD);
        }
        let word = self.build.trim_end_matches(|c: char| c.is_ascii_digit());
        (!self.build.is_empty()).then_some(word)
    }

    /// Returns the channel of a pre-release: its first word, or `next` if it begins with a number. A word that
    /// is the tag of something else is none.
    pub fn channel(&self) -> Option<&str> {
        let end = self.prerelease.find(|c: char| !c.is_ascii_alphabetic());
        let word = &self.prerelease[..end.unwrap_or(self.prerelease.len())];
        let is_taken = NO_CHANNELS.iter().any(|it| it.eq_ignore_ascii_case(word));
        (self.is_prerelease() && !is_taken).then_some(if word.is_empty() { "next" } else { word })
    }

    /// Returns the version as a tag spells it: `+` is written as `-`.
    pub fn to_tag_text(&self) -> String {
        self.to_string().replace('+', "-")
    }

    /// Compares the rank of two versions; missing numbers count as 0. A total order of ranks: of two
    /// versions each is lower, equal or higher, whatever their forms.
    pub fn cmp_precedence(&self, other: &Self) -> Ordering {
        self.cmp_numbers(other)
            .then_with(|| other.is_prerelease().cmp(&self.is_prerelease()))
            .then_with(|| compare_identifiers(&self.prerelease, &other.prerelease))
            .then_with(|| compare_identifiers(self.build_rank(), other.build_rank()))
    }

    /// Returns what the builds of a version are ordered by: those that name commits are of one rank.
    fn build_rank(&self) -> &str {
        match is_commit_build(&self.build) {
            true => COMMIT_WORD,
            false => &self.build,
        }
    }

    /// Compares the numbers alone; missing ones count as 0.
    pub(super) fn cmp_numbers(&self, other: &Self) -> Ordering {
        let zero = VersionNumber("0".to_owned());
        let numbers = (0..4)
            .map(|at| {
                let number = |version: &'_ Self| version.numbers.get(at).cloned();
                let (one, other) = (number(self), number(other));
                one.as_ref()
                    .unwrap_or(&zero)
                    .cmp_value(other.as_ref().unwrap_or(&zero))
            })
            .find(|order| order.is_ne());
        numbers.unwrap_or(Ordering::Equal)
    }

    /// Returns whether the version ranks higher than `other`.
    pub fn is_higher_than(&self, other: &Self) -> bool {
        self.cmp_precedence(other).is_gt()
    }
}

/// Writes the version without `v`.
impl fmt::Display for ReleaseVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, number) in self.numbers.iter().enumerate() {
            let dot = if at > 0 { "." } else { "" };
            write!(f, "{dot}{number}")?;
        }
        for (sign, part) in [('-', &self.prerelease), ('+', &self.build)] {
            if !part.is_empty() {
                write!(f, "{sign}{part}")?;
            }
        }
        Ok(())
    }
}

/// Returns the text if it consists of identifiers with dots between them.
fn parse_identifiers(text: &str) -> Option<&str> {
    let is_identifier = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    text.split('.').all(is_identifier).then_some(text)
}

fn is_commit_build(build: &str) -> bool {
    build.strip_prefix(COMMIT_WORD).is_some_and(is_commit)
}

fn is_commit(text: &str) -> bool {
    let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    (7..=40).contains(&text.len()) && text.bytes().all(is_hex)
}

/// Returns whether what stands behind a version ends in a commit: `2b2e927`, `g2b2e927`, `sha-2b2e927`.
pub(super) fn names_commit(text: &str) -> bool {
    let last = text.rsplit(['-', '.', '_']).next().unwrap_or_default();
    is_commit(last) || is_commit_build(last)
}

fn begins_with_prerelease_word(prerelease: &str) -> bool {
    let first = prerelease.split(['.', '-', '_']).next().unwrap_or_default();
    let word = first.trim_end_matches(|c: char| c.is_ascii_digit());
    is_prerelease_word(word)
}

/// Returns whether the word begins the pre-release part of a version.
pub fn is_prerelease_word(word: &str) -> bool {
    PRERELEASE_WORDS.contains(&word.to_ascii_lowercase().as_str())
}

/// Compares identifiers as semantic versioning does, and numbers at the end of words by their value:
/// `rc9` comes before `rc10`.
fn compare_identifiers(one: &str, other: &str) -> Ordering {
    let parts = |text: &'_ str| -> Vec<(bool, String, String)> {
        let parts = text.split('.').filter(|part| !part.is_empty());
        parts
            .map(|part| {
                let at = part.trim_end_matches(|c: char| c.is_ascii_digit()).len();
                let (word, digits) = part.split_at(at);
                (!word.is_empty(), word.to_owned(), digits.to_owned())
            })
            .collect()
    };
    let (one, other) = (parts(one), parts(other));
    let each = one.iter().zip(&other).map(|(a, b)| {
        let words = (a.0, &a.1).cmp(&(b.0, &b.1));
        let has_number = || a.2.is_empty().cmp(&b.2.is_empty()).reverse();
        words
            .then_with(has_number)
            .then_with(|| compare_digits(&a.2, &b.2))
    });
    let first = { each }.find(|order| order.is_ne());
    first.unwrap_or_else(|| one.len().cmp(&other.len()))
}

fn compare_digits(one: &str, other: &str) -> Ordering {
    let [one, other] = [one, other].map(|digits| digits.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests;
