//! One pattern for branches or tags, in the glob language of GitHub's branch filters (workflow syntax,
//! "Filter pattern cheat sheet").

use thiserror::Error;

use super::GitRef;

/// Most characters of a pattern.
const LENGTH_LIMIT: usize = 255;
const BRANCH_PREFIX: &str = "refs/heads/";
const TAG_PREFIX: &str = "refs/tags/";

/// Pattern of a policy's `refs`: `main`, `release/**`, `!release/old-*`, `refs/tags/v*`. A pattern without
/// `refs/tags/` is for branches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefPattern {
    text: String,
    /// Whether it begins with `!`.
    pub excludes: bool,
    is_for_tags: bool,
    tokens: Vec<GlobToken>,
}

/// Reason why text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RefPatternError {
    /// Nothing, or nothing after `!` or `refs/heads/`.
    #[error("it is empty")]
    Empty,
    /// More than 255 characters.
    #[error("it has more than {LENGTH_LIMIT} characters")]
    TooLong,
    /// A control character or a space, which no ref has.
    #[error("{0:?} is in no name of a branch or tag")]
    Character(char),
    /// `refs/` with another folder than `heads` and `tags`.
    #[error("refs of pull requests and others than branches and tags never match")]
    OtherRef,
    /// `?` or `+` at the start, or after `*` or another of them.
    #[error("{0:?} repeats nothing: it follows a single character or a range in brackets")]
    Repetition(char),
    /// `[` without `]`.
    #[error("\"[\" has no \"]\"")]
    OpenBracket,
    /// Brackets with other content than letters, digits and ranges of them.
    #[error("brackets hold letters and digits, and ranges of them such as [0-9], got {0:?}")]
    Brackets(String),
    /// `\` at the end.
    #[error("\"\\\" is followed by no character")]
    Escape,
}

/// Part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum GlobToken {
    /// `**/` at the start of a folder: any number of folders, also none.
    Folders,
    /// A character, as often as said.
    Match(CharacterMatch, Repetition),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum CharacterMatch {
    Exactly(char),
    InRanges(Vec<(char, char)>),
    ExceptSlash,
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repetition {
    Once,
    AtMostOnce,
    AtLeastOnce,
    AnyNumber,
}

impl RefPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Text that GitHub's filters do not define a meaning for.
    pub fn parse(text: &str) -> Result<Self, RefPatternError> {
        if text.chars().count() > LENGTH_LIMIT {
            return Err(RefPatternError::TooLong);
        }
        if let Some(other) = text.chars().find(|it| it.is_control() || *it == ' ') {
            return Err(RefPatternError::Character(other));
        }
        let (excludes, rest) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (is_for_tags, glob) = split_kind(rest)?;
        Ok(Self {
            text: text.to_owned(),
            excludes,
            is_for_tags,
            tokens: read_tokens(glob)?,
        })
    }

    /// Returns the pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether the pattern describes the ref, whatever `!` makes of it. A pull request's ref is
    /// described by none.
    pub fn matches(&self, git_ref: &GitRef) -> bool {
        match git_ref {
            GitRef::Branch(name) => !self.is_for_tags && self.matches_name(name),
            GitRef::Tag(name) => self.is_for_tags && self.matches_name(name),
            GitRef::Pull { .. } | GitRef::Other(_) => false,
        }
    }

    /// Compares from the end, each pair of token and character once.
    fn matches_name(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        // Whether the tokens after the current one match the rest of the name from each position on.
        let mut next = vec![false; name.len() + 1];
        next[name.len()] = true;
        for token in self.tokens.iter().rev() {
            next = token.match_suffixes(&name, &next);
        }
        next[0]
    }
}

impl GlobToken {
    fn match_suffixes(&self, name: &[char], next: &[bool]) -> Vec<bool> {
        let mut found = vec![false; name.len() + 1];
        for at in (0..=name.len()).rev() {
            found[at] = match self {
                Self::Folders => {
                    let after_folder = |end: &usize| name[*end] == '/' && next[*end + 1];
                    next[at] || (at..name.len()).any(|end| after_folder(&end))
                }
                Self::Match(character, repetition) => {
                    let is_match = name.get(at).is_some_and(|it| character.is_met_by(*it));
                    let continues = is_match && next[at + 1];
                    let repeats = is_match && found[at + 1];
                    match repetition {
                        Repetition::Once => continues,
                        Repetition::AtMostOnce => next[at] || continues,
                        Repetition::AtLeastOnce => continues || repeats,
                        Repetition::AnyNumber => next[at] || repeats,
                    }
                }
            };
        }
        found
    }
}

impl CharacterMatch {
    fn is_met_by(&self, character: char) -> bool {
        match self {
            Self::Exactly(it) => *it == character,
            Self::InRanges(ranges) => ranges
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&character)),
            Self::ExceptSlash => character != '/',
            Self::Any => true,
        }
    }
}

/// Splits off the folder of the ref; returns whether it is the tags'.
fn split_kind(text: &str) -> Result<(bool, &str), RefPatternError> {
    let (is_for_tags, glob) = if let Some(name) = text.strip_prefix(TAG_PREFIX) {
        (true, name)
    } else if let Some(name) = text.strip_prefix(BRANCH_PREFIX) {
        (false, name)
    } else if text.starts_with("refs/") {
        return Err(RefPatternError::OtherRef);
    } else {
        (false, text)
    };
    match glob {
        "" => Err(RefPatternError::Empty),
        glob => Ok((is_for_tags, glob)),
    }
}

fn read_tokens(glob: &str) -> Result<Vec<GlobToken>, RefPatternError> {
    let mut tokens = Vec::new();
    let mut rest = glob;
    let mut at_folder_start = true;
    while let Some(first) = rest.chars().next() {
        let (token, after) = read_token(rest, first, at_folder_start)?;
        if let '?' | '+' = first {
            repeat_last(&mut tokens, first)?;
        }
        tokens.extend(token);
        at_folder_start = rest[..rest.len() - after.len()].ends_with('/');
        rest = after;
    }
    Ok(tokens)
}

/// Returns the token that the text begins with, none for a repetition, and the text after it.
fn read_token(
    text: &str,
    first: char,
    at_folder_start: bool,
) -> Result<(Option<GlobToken>, &str), RefPatternError> {
    let once = |character| GlobToken::Match(character, Repetition::Once);
    let any_number = |character| GlobToken::Match(character, Repetition::AnyNumber);
    if let Some(after) = text.strip_prefix("**/").filter(|_| at_folder_start) {
        return Ok((Some(GlobToken::Folders), after));
    }
    if let Some(after) = text.strip_prefix("**") {
        // More stars say the same.
        let after = after.trim_start_matches('*');
        return Ok((Some(any_number(CharacterMatch::Any)), after));
    }
    let after = &text[first.len_utf8()..];
    Ok(match first {
        '*' => (Some(any_number(CharacterMatch::ExceptSlash)), after),
        '?' | '+' => (None, after),
        '[' => {
            let (inside, after) = after.split_once(']').ok_or(RefPatternError::OpenBracket)?;
            (Some(once(read_brackets(inside)?)), after)
        }
        '\\' => {
            let escaped = after.chars().next().ok_or(RefPatternError::Escape)?;
            let after = &after[escaped.len_utf8()..];
            (Some(once(CharacterMatch::Exactly(escaped))), after)
        }
        plain => (Some(once(CharacterMatch::Exactly(plain))), after),
    })
}

/// Gives the last token the repetition that follows it.
fn repeat_last(tokens: &mut [GlobToken], sign: char) -> Result<(), RefPatternError> {
    let Some(GlobToken::Match(_, repetition @ Repetition::Once)) = tokens.last_mut() else {
        return Err(RefPatternError::Repetition(sign));
    };
    *repetition = match sign {
        '?' => Repetition::AtMostOnce,
        _ => Repetition::AtLeastOnce,
    };
    Ok(())
}

/// Reads what is between brackets: `abc`, `0-9`, `a-z0-9`.
fn read_brackets(inside: &str) -> Result<CharacterMatch, RefPatternError> {
    let refused = || RefPatternError::Brackets(inside.to_owned());
    let mut ranges = Vec::new();
    let mut rest: &[u8] = inside.as_bytes();
    while let [first, after @ ..] = rest {
        let (last, after) = match after {
            [b'-', last, after @ ..] => (last, after),
            after => (first, after),
        };
        let is_range = is_one_kind(*first, *last) && first <= last;
        if !is_range {
            return Err(refused());
        }
        ranges.push((char::from(*first), char::from(*last)));
        rest = after;
    }
    match ranges.as_slice() {
        [] => Err(refused()),
        _ => Ok(CharacterMatch::InRanges(ranges)),
    }
}

/// Returns whether both are digits, lower-case letters or upper-case letters.
fn is_one_kind(first: u8, last: u8) -> bool {
    let kinds: [fn(&u8) -> bool; 3] = [
        u8::is_ascii_digit,
        u8::is_ascii_lowercase,
        u8::is_ascii_uppercase,
    ];
    kinds
        .iter()
        .any(|is_kind| is_kind(&first) && is_kind(&last))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, branch: &str) -> bool {
        let pattern = RefPattern::parse(pattern).unwrap();
        pattern.matches(&GitRef::Branch(branch.to_owned()))
    }

    /// The rows of GitHub's documentation, and what they leave out.
    #[test]
    fn branches_match_as_github_documents_it() {
        for (pattern, matched, others) in [
            (
                "feature/*",
                &["feature/my-branch", "feature/your-branch"][..],
                &["feature/a/b", "feature", "my/feature/a"][..],
            ),
            (
                "feature/**",
                &[
                    "feature/beta-a/my-branch",
                    "feature/your-branch",
                    "feature/mona/the/octocat",
                ],
                &["feature", "features/a"],
            ),
            ("main", &["main"], &["Main", "main2", "x/main", "mai"]),
            (
                "releases/mona-the-octocat",
                &["releases/mona-the-octocat"],
                &["releases/mona"],
            ),
            ("*", &["main", "releases"], &["all/the/branches"]),
            ("**", &["main", "all/the/branches", "every/tag"], &[]),
            (
                "*feature",
                &["mona-feature", "feature", "ver-10-feature"],
                &["a/feature", "features"],
            ),
            ("v2*", &["v2", "v2.0", "v2.9"], &["v1", "v2/0"]),
            (
                "v[12].[0-9]+.[0-9]+",
                &["v1.10.1", "v2.0.0"],
                &["v3.0.0", "v1.x.1", "v1..1", "v1.0.0-rc", "v12.0.0"],
            ),
            ("Octo?cat", &["Octcat", "Octocat"], &["Octoocat"]),
            ("[CB]at", &["Cat", "Bat"], &["cat", "at", "CBat"]),
            ("[1-2]00", &["100", "200"], &["300", "1-200"]),
            ("[a-z0-9]+x", &["a0x", "xx"], &["x", "A0x"]),
            ("a**b", &["ab", "a/x/b", "axb"], &["a", "b"]),
            (
                "**/docs",
                &["docs", "a/docs", "a/b/docs"],
                &["adocs", "docs/a"],
            ),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["ab", "a/xb"]),
            ("x**/b", &["x/b", "xy/z/b"], &["b", "xb"]),
            ("a\\*b\\?c\\[d\\!", &["a*b?c[d!"], &["axbc[d!"]),
            ("a!b", &["a!b"], &["ab"]),
            ("rust-ü?", &["rust-ü", "rust-"], &["rust-u"]),
            ("a.c", &["a.c"], &["abc"]),
            ("refs/heads/main", &["main"], &["refs/heads/main"]),
        ] {
            for branch in matched {
                assert!(matches(pattern, branch), "{pattern} {branch}");
            }
            for branch in others {
                assert!(!matches(pattern, branch), "{pattern} {branch}");
            }
        }
    }

    #[test]
    fn a_tag_matches_only_a_pattern_for_tags() {
        let tag = GitRef::Tag("v1.4.0".to_owned());
        for (pattern, of_tag, of_branch) in [
            ("v*", false, true),
            ("**", false, true),
            ("refs/heads/v*", false, true),
            ("refs/tags/v*", true, false),
            ("refs/tags/**", true, false),
            ("!refs/tags/v*", true, false),
        ] {
            let pattern = RefPattern::parse(pattern).unwrap();
            let branch = GitRef::Branch("v1.4.0".to_owned());
            assert_eq!(pattern.matches(&tag), of_tag, "{pattern:?}");
            assert_eq!(pattern.matches(&branch), of_branch, "{pattern:?}");
        }
    }

    #[test]
    fn no_pattern_matches_a_pull_request_or_another_ref() {
        for pattern in ["**", "refs/tags/**", "*", "refs/heads/**"] {
            let pattern = RefPattern::parse(pattern).unwrap();
            for text in [
                "refs/pull/7/merge",
                "refs/pull/7/head",
                "refs/notes/main",
                "main",
                "",
            ] {
                assert!(!pattern.matches(&GitRef::from(text)), "{pattern:?} {text}");
            }
        }
    }

    #[test]
    fn text_without_a_defined_meaning_is_no_pattern() {
        for (text, message) in [
            ("", "it is empty"),
            ("!", "it is empty"),
            ("refs/tags/", "it is empty"),
            (
                "refs/pull/1/merge",
                "refs of pull requests and others than branches and tags never match",
            ),
            (
                "refs/**",
                "refs of pull requests and others than branches and tags never match",
            ),
            (
                "?a",
                "'?' repeats nothing: it follows a single character or a range in brackets",
            ),
            (
                "+",
                "'+' repeats nothing: it follows a single character or a range in brackets",
            ),
            (
                "*+",
                "'+' repeats nothing: it follows a single character or a range in brackets",
            ),
            (
                "**/?",
                "'?' repeats nothing: it follows a single character or a range in brackets",
            ),
            (
                "a??",
                "'?' repeats nothing: it follows a single character or a range in brackets",
            ),
            ("a[bc", "\"[\" has no \"]\""),
            (
                "a[]",
                "brackets hold letters and digits, and ranges of them such as [0-9], got \"\"",
            ),
            (
                "[z-a]",
                "brackets hold letters and digits, and ranges of them such as [0-9], got \"z-a\"",
            ),
            (
                "[A-z]",
                "brackets hold letters and digits, and ranges of them such as [0-9], got \"A-z\"",
            ),
            (
                "[!a]",
                "brackets hold letters and digits, and ranges of them such as [0-9], got \"!a\"",
            ),
            (
                "[a-]",
                "brackets hold letters and digits, and ranges of them such as [0-9], got \"a-\"",
            ),
            ("a\\", "\"\\\" is followed by no character"),
            ("a b", "' ' is in no name of a branch or tag"),
            ("a\nb", "'\\n' is in no name of a branch or tag"),
        ] {
            let error = RefPattern::parse(text).unwrap_err();
            assert_eq!(error.to_string(), message, "{text:?}");
        }
        let long = RefPattern::parse(&"a".repeat(256)).unwrap_err();
        assert_eq!(long, RefPatternError::TooLong);
    }

    proptest! {
        #[test]
        fn a_name_written_with_escapes_matches_itself_alone(name in "[a-z*?+!\\[\\]/.-]{1,40}", other in "[a-z/]{1,40}") {
            let escaped: String = name.chars().flat_map(|it| ['\\', it]).collect();
            prop_assert!(matches(&escaped, &name));
            prop_assert_eq!(matches(&escaped, &other), name == other);
        }

        #[test]
        fn no_pattern_takes_long(text in "[a*?+\\[\\]/-]{0,200}", name in "[a/]{0,200}") {
            if let Ok(pattern) = RefPattern::parse(&text) {
                pattern.matches(&GitRef::Branch(name));
            }
        }
    }
}
