use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::name;
use crate::image::Tag;

/// The name of an environment: `[a-z0-9-]{1,32}`. It is a tag too, so it does not begin with a dash
/// and reads as nothing else that a tag can stand for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Environment(Tag);

/// Why a text is no [`Environment`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvironmentError {
    /// Not 1 to 32 lower-case letters, digits and dashes, the first no dash.
    #[error("has not 1 to 32 lower-case letters, digits and dashes, beginning with no dash")]
    Malformed,
    /// The environment's tag would be taken for something else.
    #[error("would be a tag that reads as {0}")]
    Reserved(&'static str),
}

impl Environment {
    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The tag that follows the environment.
    pub fn tag(&self) -> &Tag {
        &self.0
    }
}

impl FromStr for Environment {
    type Err = EnvironmentError;

    fn from_str(text: &str) -> Result<Self, EnvironmentError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.len() > 32 || !text.bytes().all(allowed) {
            return Err(EnvironmentError::Malformed);
        }
        let tag: Tag = text.parse().map_err(|_| EnvironmentError::Malformed)?;
        match name::reserved(&tag) {
            Some(meaning) => Err(EnvironmentError::Reserved(meaning)),
            None => Ok(Self(tag)),
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_a_tag_that_means_nothing_else() {
        for text in ["dev", "prod", "eu-west-1", "2b", &"x".repeat(32)] {
            assert_eq!(text.parse::<Environment>().unwrap().as_str(), text);
        }
        for text in ["", "-dev", "Dev", "a.b", "a_b", "dev\n", &"x".repeat(33)] {
            let error = text.parse::<Environment>().unwrap_err();
            assert_eq!(error, EnvironmentError::Malformed, "{text:?}");
        }
        for text in ["latest", "1", "pr-12", "git-2b2e927"] {
            let error = text.parse::<Environment>().unwrap_err();
            assert!(matches!(error, EnvironmentError::Reserved(_)), "{text}");
        }
    }
}
