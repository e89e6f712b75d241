use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// What a record says of its subject.
///
/// Actions of later versions are kept by their name ([`RecordAction::Other`]): they are shown, and change no
/// state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RecordAction {
    /// Release of a built image.
    Push,
    /// Release of an image that another environment has.
    Promote,
    /// Account of an image that was released before records were kept.
    Adopt,
    /// Release of a withdrawn image.
    Reinstate,
    /// Withdrawal of a release.
    Rollback,
    /// A release runs.
    Deployed,
    /// A release does not run as it should.
    Failed,
    /// Deletion of images by rules of retention.
    Pruned,
    /// Hold: the image stays until it is lifted.
    Hold,
    /// End of a hold.
    Unhold,
    /// An action that this version does not know.
    Other(String),
}

/// Reason why a text is not a [`RecordAction`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected an action of 1 to 16 lower-case letters")]
pub struct RecordActionError;

const NAMED: [(RecordAction, &str); 10] = [
    (RecordAction::Push, "push"),
    (RecordAction::Promote, "promote"),
    (RecordAction::Adopt, "adopt"),
    (RecordAction::Reinstate, "reinstate"),
    (RecordAction::Rollback, "rollback"),
    (RecordAction::Deployed, "deployed"),
    (RecordAction::Failed, "failed"),
    (RecordAction::Pruned, "pruned"),
    (RecordAction::Hold, "hold"),
    (RecordAction::Unhold, "unhold"),
];

/// Limit on the length of an action's name, in characters.
const NAME_LIMIT: usize = 16;

impl RecordAction {
    /// Returns the name, as in the record and in the tag of its timeline entry.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(name) => name,
            named => NAMED
                .iter()
                .find(|(action, _)| action == named)
                .map_or("", |(_, name)| name),
        }
    }

    /// Returns whether the record begins or ends a hold.
    pub const fn is_about_hold(&self) -> bool {
        matches!(self, Self::Hold | Self::Unhold)
    }

    /// Returns whether the record releases its subject to the environment.
    pub const fn is_release(&self) -> bool {
        matches!(
            self,
            Self::Push | Self::Promote | Self::Adopt | Self::Reinstate
        )
    }
}

impl FromStr for RecordAction {
    type Err = RecordActionError;

    fn from_str(text: &str) -> Result<Self, RecordActionError> {
        if let Some((action, _)) = NAMED.iter().find(|(_, name)| *name == text) {
            return Ok(action.clone());
        }
        let is_name = (1..=NAME_LIMIT).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase());
        match is_name {
            true => Ok(Self::Other(text.to_owned())),
            false => Err(RecordActionError),
        }
    }
}

impl fmt::Display for RecordAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back() {
        for (action, name) in NAMED {
            assert_eq!(name.parse(), Ok(action.clone()));
            assert_eq!(action.to_string(), name);
        }
        let later: RecordAction = "archived".parse().unwrap();
        assert_eq!(later, RecordAction::Other("archived".to_owned()));
        assert_eq!(later.to_string(), "archived");
        assert!(!later.is_release());
        for text in ["", "Push", "push ", "a.b", "x-y", "n0", &"x".repeat(17)] {
            assert_eq!(text.parse::<RecordAction>(), Err(RecordActionError));
        }
    }
}
