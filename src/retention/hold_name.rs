//! Name of a hold.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::reserved_tag::HOLD_PREFIX;
use crate::image::Tag;

/// Name of a hold, such as `case-7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldName(String);

/// Reason why a text is not a [`HoldName`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "is no name of a hold: expected 1 to 64 lower-case letters, digits, dots, dashes or underscores, the first a letter or digit"
)]
pub struct HoldNameError;

/// Limit on the length of a name, in characters.
const NAME_LIMIT: usize = 64;

impl HoldName {
    /// Returns the tag that holds an image under the name.
    ///
    /// # Panics
    /// Never: the prefix and a name form a tag.
    pub fn to_tag(&self) -> Tag {
        let tag = format!("{HOLD_PREFIX}{self}").parse();
        tag.unwrap_or_else(|_| unreachable!("the prefix and a name form a tag"))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HoldName {
    type Err = HoldNameError;

    fn from_str(text: &str) -> Result<Self, HoldNameError> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let fits = (1..=NAME_LIMIT).contains(&text.len())
            && text.starts_with(is_plain)
            && text.chars().all(|c| is_plain(c) || "._-".contains(c));
        match fits {
            true => Ok(Self(text.to_owned())),
            false => Err(HoldNameError),
        }
    }
}

impl fmt::Display for HoldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retention::ReservedTag;

    #[test]
    fn a_name_gives_a_reserved_tag() {
        let longest = "x".repeat(NAME_LIMIT);
        for text in ["case-7", "7", "2026.audit_1", &longest] {
            let name: HoldName = text.parse().unwrap();
            let reserved = ReservedTag::parse(&name.to_tag());
            assert_eq!(reserved, Some(ReservedTag::Hold(text.to_owned())));
        }
        let too_long = "x".repeat(NAME_LIMIT + 1);
        for text in ["", "Case-7", "-a", ".a", "a b", "a/b", "ä", &too_long] {
            assert_eq!(text.parse::<HoldName>(), Err(HoldNameError), "{text}");
        }
    }
}
