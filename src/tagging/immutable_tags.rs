//! Patterns of tags that are immutable whatever rule gives them.

use thiserror::Error;

use crate::image::Tag;

/// Pattern of tags: `*` stands for any characters, `?` for one, and brackets for one of the characters in
/// them, such as `[0-9]` or `[!0-9]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPattern {
    text: String,
    tokens: Vec<PatternToken>,
}

/// Tags that are immutable in an environment, by patterns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImmutableTags(Vec<TagPattern>);

/// Reason why a text is no [`TagPattern`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TagPatternError {
    /// Nothing.
    #[error("is empty")]
    Empty,
    /// More characters than any tag has.
    #[error("has more than {LENGTH_LIMIT} characters")]
    TooLong,
    /// A character that no tag has.
    #[error("contains {0:?}, which is in no tag")]
    Character(char),
    /// `[` without `]`, or without a character between them.
    #[error("has brackets that are not closed or are empty")]
    Brackets,
    /// A range whose end is before its start.
    #[error("has the range {0}-{1}, whose end is before its start")]
    Range(char, char),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PatternToken {
    Any,
    One,
    Character(char),
    Set {
        excludes: bool,
        ranges: Vec<(char, char)>,
    },
}

/// Limit on the characters of a pattern: brackets need more than the tag has.
const LENGTH_LIMIT: usize = 512;

impl TagPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// Text that no tag could match, or brackets that mean nothing.
    pub fn parse(text: &str) -> Result<Self, TagPatternError> {
        if text.is_empty() {
            return Err(TagPatternError::Empty);
        }
        if text.chars().count() > LENGTH_LIMIT {
            return Err(TagPatternError::TooLong);
        }
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            tokens.push(match c {
                '*' => PatternToken::Any,
                '?' => PatternToken::One,
                '[' => {
                    let (set, after) = rest.split_once(']').ok_or(TagPatternError::Brackets)?;
                    rest = after;
                    parse_set(set)?
                }
                c if is_in_tags(c) => PatternToken::Character(c),
                c => return Err(TagPatternError::Character(c)),
            });
        }
        let text = text.to_owned();
        Ok(Self { text, tokens })
    }

    /// Returns the pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether the pattern describes the tag, in time proportional to the product of their lengths.
    pub fn matches(&self, tag: &Tag) -> bool {
        let text: Vec<char> = tag.as_str().chars().collect();
        let (mut token, mut at) = (0, 0);
        // The last `*`, and where the text that it does not stand for began.
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.tokens.get(token) {
                Some(PatternToken::Any) => {
                    retry = Some((token + 1, at));
                    token += 1;
                }
                Some(own) if own.accepts(text[at]) => {
                    token += 1;
                    at += 1;
                }
                _ => match &mut retry {
                    Some((after, start)) => {
                        *start += 1;
                        (token, at) = (*after, *start);
                    }
                    None => return false,
                },
            }
        }
        let mut rest = self.tokens[token..].iter();
        rest.all(|token| *token == PatternToken::Any)
    }
}

impl PatternToken {
    fn accepts(&self, c: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Character(own) => *own == c,
            Self::Set { excludes, ranges } => {
                ranges
                    .iter()
                    .any(|(first, last)| (*first..=*last).contains(&c))
                    != *excludes
            }
        }
    }
}

/// Parses what is between brackets: characters and ranges, after `!` those that do not match.
fn parse_set(text: &str) -> Result<PatternToken, TagPatternError> {
    let (excludes, text) = match text.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let characters: Vec<char> = text.chars().collect();
    if let Some(other) = characters.iter().find(|c| !is_in_tags(**c)) {
        return Err(TagPatternError::Character(*other));
    }
    let mut ranges = Vec::new();
    let mut rest = characters.as_slice();
    while let [first, after @ ..] = rest {
        let (last, after) = match after {
            ['-', last, after @ ..] => (last, after),
            after => (first, after),
        };
        if last < first {
            return Err(TagPatternError::Range(*first, *last));
        }
        ranges.push((*first, *last));
        rest = after;
    }
    match ranges.is_empty() {
        true => Err(TagPatternError::Brackets),
        false => Ok(PatternToken::Set { excludes, ranges }),
    }
}

/// Returns whether tags can have the character (OCI distribution specification 1.1, "Pulling manifests").
fn is_in_tags(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

impl ImmutableTags {
    /// Returns the tags that any of the patterns describes.
    pub fn new(patterns: Vec<TagPattern>) -> Self {
        Self(patterns)
    }

    /// Returns the patterns, in their order.
    pub fn patterns(&self) -> &[TagPattern] {
        &self.0
    }

    /// Returns the first pattern that describes the tag.
    pub fn find(&self, tag: &Tag) -> Option<&TagPattern> {
        self.0.iter().find(|pattern| pattern.matches(tag))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_describe_whole_tags() {
        for (pattern, matching, others) in [
            (
                "[0-9]*.[0-9]*.[0-9]*",
                &["1.4.0", "10.2.33", "1.4.0-rc.1"][..],
                &["v1.4.0", "1.4", "1.x.0"][..],
            ),
            ("sha-*", &["sha-9f3c2a1", "sha-"], &["sha", "xsha-1"]),
            ("v?.?", &["v1.4"], &["v1.44", "v1."]),
            ("[!0-9]*", &["main", "_"], &["1"]),
            ("*a*b*", &["ab", "xaxbx", "aabb"], &["ba", "a"]),
            ("*", &["x", "latest"], &[]),
            ("[a-c_-]", &["b", "_", "-"], &["d"]),
            ("**", &["x"], &[]),
        ] {
            let parsed = TagPattern::parse(pattern).unwrap();
            for text in matching {
                // A tag begins with no dot and no dash; the pattern does not know that.
                let Ok(tag) = text.parse::<Tag>() else {
                    continue;
                };
                assert!(parsed.matches(&tag), "{pattern} {text}");
            }
            for text in others {
                assert!(!parsed.matches(&text.parse().unwrap()), "{pattern} {text}");
            }
            assert_eq!(parsed.as_str(), pattern);
        }
    }

    #[test]
    fn what_no_tag_matches_is_refused() {
        for (text, reason) in [
            ("", "is empty"),
            ("a b", "contains ' ', which is in no tag"),
            ("v1+x", "contains '+', which is in no tag"),
            ("[", "has brackets that are not closed or are empty"),
            ("[]", "has brackets that are not closed or are empty"),
            ("[!]", "has brackets that are not closed or are empty"),
            ("[9-0]", "has the range 9-0, whose end is before its start"),
            ("[a/b]", "contains '/', which is in no tag"),
            ("]", "contains ']', which is in no tag"),
            ("{1,2}", "contains '{', which is in no tag"),
        ] {
            assert_eq!(
                TagPattern::parse(text).unwrap_err().to_string(),
                reason,
                "{text}"
            );
        }
        assert_eq!(
            TagPattern::parse(&"x".repeat(513)),
            Err(TagPatternError::TooLong)
        );
    }

    proptest! {
        /// A matcher of one line, which tries everything.
        #[test]
        fn matching_is_what_trying_everything_finds(pattern in "[ab*?.]{1,8}", text in "[ab][ab.]{0,8}") {
            fn tried(pattern: &[u8], text: &[u8]) -> bool {
                match (pattern.split_first(), text.split_first()) {
                    (None, None) => true,
                    (Some((b'*', rest)), _) if tried(rest, text) => true,
                    (Some((b'*', _)), Some((_, after))) => tried(pattern, after),
                    (Some((own, rest)), Some((c, after))) => (own == c || *own == b'?') && tried(rest, after),
                    _ => false,
                }
            }
            let tag: Tag = text.parse().unwrap();
            let parsed = TagPattern::parse(&pattern).unwrap();
            prop_assert_eq!(parsed.matches(&tag), tried(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
