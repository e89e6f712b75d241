use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::tag_name;
use crate::image::Tag;

/// The name of an environment: `[a-z0-9-]{1,32}`, capitals taken as lower case, as GitHub compares the names
/// of its environments. It is a tag too, so it does not begin with a dash
/// and reads as nothing else that a tag can stand for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EnvironmentName(Tag);

/// Why a text is no [`EnvironmentName`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvironmentNameError {
    /// Not 1 to 32 lower-case letters, digits and dashes, the first no dash.
    #[error(
        "is not a valid environment name: use 1 to 32 lower-case letters, digits or dashes, the first not a dash"
    )]
    Malformed,
    /// The environment's tag would be taken for something else.
    #[error("is not a valid environment name: as a tag it means {0}")]
    Reserved(&'static str),
}

impl EnvironmentName {
    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns whether the name means production: `prod`, `production`, `eu-live`, but not `pre-prod`.
    pub fn is_production(&self) -> bool {
        let has_word = |known: &[&str]| self.as_str().split('-').any(|word| known.contains(&word));
        has_word(&["prod", "production", "prd", "live"])
            && !has_word(&["pre", "non", "not", "test", "stage", "staging"])
    }

    /// The tag that follows the environment.
    pub fn tag(&self) -> &Tag {
        &self.0
    }
}

impl FromStr for EnvironmentName {
    type Err = EnvironmentNameError;

    fn from_str(text: &str) -> Result<Self, EnvironmentNameError> {
        let text = text.to_ascii_lowercase();
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.len() > 32 || !text.bytes().all(allowed) {
            return Err(EnvironmentNameError::Malformed);
        }
        let tag: Tag = text.parse().map_err(|_| EnvironmentNameError::Malformed)?;
        match tag_name::reserved_meaning(&tag) {
            Some(meaning) => Err(EnvironmentNameError::Reserved(meaning)),
            None => Ok(Self(tag)),
        }
    }
}

impl fmt::Display for EnvironmentName {
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
            assert_eq!(text.parse::<EnvironmentName>().unwrap().as_str(), text);
        }
        for text in ["Prod", "PROD", "prod"] {
            assert_eq!(text.parse::<EnvironmentName>().unwrap().as_str(), "prod");
        }
        for text in ["", "-dev", "a.b", "a_b", "dev\n", &"x".repeat(33)] {
            let error = text.parse::<EnvironmentName>().unwrap_err();
            assert_eq!(error, EnvironmentNameError::Malformed, "{text:?}");
        }
        for text in ["latest", "Latest", "1", "pr-12", "git-2b2e927"] {
            let error = text.parse::<EnvironmentName>().unwrap_err();
            assert!(matches!(error, EnvironmentNameError::Reserved(_)), "{text}");
        }
    }

    #[test]
    fn production_is_known_by_its_name() {
        for (text, is) in [
            ("prod", true),
            ("production", true),
            ("prod-eu", true),
            ("eu-live", true),
            ("pre-prod", false),
            ("preprod", false),
            ("non-production", false),
            ("stage", false),
            ("product", false),
        ] {
            let name: EnvironmentName = text.parse().unwrap();
            assert_eq!(name.is_production(), is, "{text}");
        }
    }
}
