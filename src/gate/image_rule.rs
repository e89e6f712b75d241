use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::byte_size::ByteSize;
use super::scan_rule::weaker_keys;
use super::wildcard_pattern::WildcardPattern;
use crate::image::PlatformName;
use crate::rule_duration::RuleDuration;

/// Parameters of the image gate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageRule {
    /// Platforms that the release must have. It may have others.
    pub platforms: Vec<PlatformName>,
    /// User of the image, on every platform; `None`: any.
    pub user: Option<UserRule>,
    /// Limit on the sum of the compressed layers, of the largest platform; `None`: none.
    pub max_size: Option<ByteSize>,
    /// Longest time since the image was made, on every platform; `None`: any.
    pub max_age: Option<RuleDuration>,
    /// Labels that every platform must have.
    pub labels: Vec<LabelRule>,
}

/// User that an image must run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRule {
    /// Any but root, which is `root`, every spelling of 0, an empty user, and the administrator of Windows.
    NonRoot,
    /// This name or number. With `:` it is compared with user and group, else with the user alone.
    Exact(String),
}

/// Reason why a text is not a [`UserRule`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "is not a user: expected non-root, or a name or number without blanks, such as app or 1000"
)]
pub struct UserRuleError;

/// Label that an image must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRule {
    /// Key of the label.
    pub name: String,
    /// Value of the label; `None`: any that is not empty.
    pub value: Option<WildcardPattern>,
}

/// Reason why a text is not a [`LabelRule`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("is not a label: expected NAME or NAME=PATTERN, such as org.opencontainers.image.revision")]
pub struct LabelRuleError;

/// Word of the policy for [`UserRule::NonRoot`].
const NON_ROOT: &str = "non-root";

impl ImageRule {
    /// Returns the keys of the policy in which this rule is weaker than `base`.
    pub fn keys_weaker_than(&self, base: &Self) -> Vec<&'static str> {
        let has_platform = |wanted: &PlatformName| self.platforms.contains(wanted);
        let has_label = |wanted: &LabelRule| self.labels.iter().any(|own| own.implies(wanted));
        let is_larger = |size: &ByteSize| self.max_size.as_ref().is_none_or(|own| own > size);
        let is_older = |age: &RuleDuration| self.max_age.as_ref().is_none_or(|own| own > age);
        let is_other_user =
            |user: &UserRule| !self.user.as_ref().is_some_and(|own| own.implies(user));
        weaker_keys([
            ("platforms", !base.platforms.iter().all(has_platform)),
            ("user", base.user.as_ref().is_some_and(is_other_user)),
            ("max-size", base.max_size.as_ref().is_some_and(is_larger)),
            ("max-age", base.max_age.as_ref().is_some_and(is_older)),
            ("labels", !base.labels.iter().all(has_label)),
        ])
    }
}

impl UserRule {
    /// Returns whether the user of a config, as written, is the one.
    pub fn accepts(&self, user: &str) -> bool {
        let (name, group) = split_user(user);
        match self {
            Self::NonRoot => !is_root(user),
            Self::Exact(wanted) => match split_user(wanted) {
                (wanted, None) => is_same_user(wanted, name),
                (wanted, wanted_group) => is_same_user(wanted, name) && wanted_group == group,
            },
        }
    }

    /// Returns whether every user that this rule accepts is one that `base` accepts.
    fn implies(&self, base: &Self) -> bool {
        match (self, base) {
            (Self::Exact(user), Self::NonRoot) => !is_root(user),
            (Self::Exact(user), Self::Exact(_)) => self == base || base.accepts(user),
            (Self::NonRoot, base) => *base == Self::NonRoot,
        }
    }
}

/// Splits `user:group`.
fn split_user(user: &str) -> (&str, Option<&str>) {
    match user.split_once(':') {
        Some((name, group)) => (name, Some(group)),
        None => (user, None),
    }
}

/// Compares two names or numbers as engines do: numbers by their value.
fn is_same_user(user: &str, other: &str) -> bool {
    let number = |text: &str| text.parse::<i64>().ok();
    match (number(user), number(other)) {
        (Some(user), Some(other)) => user == other,
        _ => user == other,
    }
}

/// Returns whether a number is none that an account can have. Engines have cut such numbers down to 0.
fn is_no_account(name: &str) -> bool {
    let digits = name.strip_prefix(['+', '-']).unwrap_or(name);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number
        && !name
            .parse::<i64>()
            .is_ok_and(|number| (0..=i64::from(i32::MAX)).contains(&number))
}

/// Returns whether a user of a config is root. Engines read `+0` and `000` as 0.
pub(super) fn is_root(user: &str) -> bool {
    let (name, _) = split_user(user);
    let name = name.trim();
    let account = name.rsplit('\\').next().unwrap_or_default();
    let administrator = ["root", "ContainerAdministrator", "Administrator"];
    name.is_empty()
        || is_same_user(name, "0")
        || is_no_account(name)
        || administrator
            .iter()
            .any(|it| account.eq_ignore_ascii_case(it))
}

impl FromStr for UserRule {
    type Err = UserRuleError;

    fn from_str(text: &str) -> Result<Self, UserRuleError> {
        let is_user = !text.is_empty()
            && !text.starts_with(':')
            && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        match is_user {
            _ if text == NON_ROOT => Ok(Self::NonRoot),
            true => Ok(Self::Exact(text.to_owned())),
            false => Err(UserRuleError),
        }
    }
}

impl fmt::Display for UserRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NonRoot => NON_ROOT,
            Self::Exact(user) => user,
        })
    }
}

impl LabelRule {
    /// Returns whether an image with this value of the label, `None` if it has no such label, meets the rule.
    pub fn accepts(&self, value: Option<&str>) -> bool {
        match (&self.value, value) {
            (Some(pattern), Some(value)) => pattern.matches(value),
            (None, Some(value)) => !value.is_empty(),
            (_, None) => false,
        }
    }

    /// Returns whether every image that meets this rule meets `base` too, as far as their texts tell.
    fn implies(&self, base: &Self) -> bool {
        let has_text = |pattern: &WildcardPattern| pattern.to_string().contains(|c| c != '*');
        let is_value_implied = match &base.value {
            Some(_) => self.value == base.value,
            None => self.value.as_ref().is_none_or(has_text),
        };
        self.name == base.name && is_value_implied
    }
}

impl FromStr for LabelRule {
    type Err = LabelRuleError;

    fn from_str(text: &str) -> Result<Self, LabelRuleError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(WildcardPattern::new(value))),
            None => (text, None),
        };
        let is_name =
            !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control());
        match is_name {
            true => Ok(Self {
                name: name.to_owned(),
                value,
            }),
            false => Err(LabelRuleError),
        }
    }
}

impl fmt::Display for LabelRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.value {
            Some(value) => write!(f, "={value}"),
            None => Ok(()),
        }
    }
}
