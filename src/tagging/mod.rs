//! From facts and rules to tags, and which way the moving ones move.
//!
//! A function of its arguments: it sees no registry and no clock. What it plans, the road checks
//! against the registry: immutable tags must be free or name the same digest, and lines move only
//! as [`Releases::line_move`] says.

mod default;
mod derived;
mod environment;
mod error;
mod expand;
mod given;
mod labels;
mod line_tag;
mod lines;
mod name;
mod promote;
mod push;
mod rules;
mod trap;

pub use derived::{Derived, Follows, Kind, Names, PlannedTag};
pub use environment::{Environment, EnvironmentError};
pub use error::TaggingError;
pub use expand::{ExpandError, Expanded, Expansion, Subject, expand};
pub use given::{Given, TagRules};
pub use labels::{Labels, labels};
pub use line_tag::release_on_line;
pub use lines::{Line, Move, Release, Releases, Series};
pub use promote::{Origin, for_promote};
pub use push::for_push;
pub use rules::{CsvProblem, Flavor, Rule, RuleError, RuleProblem, Rules, image_names};
pub use trap::{Finding, Mode, Trap};

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
