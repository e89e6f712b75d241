//! The policy file: which environments there are, where each one's images are, and which services.
//!
//! Pure: text in, a [`ReleasePolicy`] or a [`PolicyError`] with its place out. What cannot be right is refused
//! as a whole, so whoever holds a policy may rely on what its types say: `from` leads to environments
//! that are there and in no circle, every service has its repository in every environment that has
//! one for each, and no repository belongs to two.
//!
//! The format is YAML without its surprises (see `document.rs`). Keys of the design that nothing heeds
//! yet are refused by name: a rule that is written down and not kept would be worse than none.

mod environment_rules;
mod error;
pub mod file;
mod limits;
mod release_policy;
mod repository_match;
mod repository_template;
mod service_name;
mod yaml_document;

#[cfg(test)]
mod tests;

pub use environment_rules::EnvironmentRules;
pub use error::{FilePosition, PolicyError, PolicyProblem};
pub use limits::POLICY_LIMIT;
pub use release_policy::ReleasePolicy;
pub use repository_match::{MatchError, Repositories};
pub use service_name::{Service, ServiceNameError};
