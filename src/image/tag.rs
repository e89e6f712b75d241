use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A tag: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}` (OCI distribution specification, "Pulling manifests").
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

/// Why a text is no [`Tag`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TagError {
    /// The tag has no characters.
    #[error("a tag cannot be empty")]
    Empty,
    /// The tag has more than [`Tag::MAX`] characters.
    #[error("a tag has at most 128 characters, this one has {0}")]
    TooLong(usize),
    /// The first character is a dot or a dash.
    #[error("a tag cannot begin with {0:?}")]
    Start(char),
    /// A character that no tag may hold.
    #[error("a tag cannot contain {0:?}: letters, digits, '.', '_' and '-' only")]
    Character(char),
}

impl Tag {
    /// The most characters a tag may have.
    pub const MAX: usize = 128;

    /// The text of the tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        match text.chars().next() {
            None => Err(TagError::Empty),
            Some(first @ ('.' | '-')) => Err(TagError::Start(first)),
            Some(_) => match text.chars().find(|c| !allowed(*c)) {
                Some(bad) => Err(TagError::Character(bad)),
                None if text.len() > Self::MAX => Err(TagError::TooLong(text.len())),
                None => Ok(Self(text.to_owned())),
            },
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn malformed_tags_are_refused_with_their_reason() {
        for (text, error) in [
            ("", TagError::Empty),
            ("-x", TagError::Start('-')),
            (".x", TagError::Start('.')),
            ("a/b", TagError::Character('/')),
            ("a b", TagError::Character(' ')),
            ("é", TagError::Character('é')),
            ("a\nb", TagError::Character('\n')),
            (&"x".repeat(129), TagError::TooLong(129)),
        ] {
            assert_eq!(text.parse::<Tag>(), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_tag_is_what_the_specification_says(text in "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}") {
            prop_assert_eq!(text.parse::<Tag>().unwrap().to_string(), text);
        }

        #[test]
        fn any_text_parses_or_is_refused(text in ".{0,140}") {
            if let Ok(tag) = text.parse::<Tag>() {
                prop_assert_eq!(tag.as_str(), text);
            }
        }
    }
}
