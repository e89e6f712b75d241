//! The policy file: its environments, their repositories, and its services.
//!
//! Pure: text in, a [`ReleasePolicy`] or a [`PolicyError`] with its position out. An invalid file is
//! refused as a whole, so that a policy keeps what its types promise: `from` leads to environments
//! that exist and not in a circle, every service has a repository in every environment with one per
//! service, no repository belongs to two environments, no two services of an environment share a repository
//! of records, and an environment that demands signatures names who makes them.
//!
//! The format is YAML without its surprises (`yaml_document.rs`). A key in another place than its own is refused, because
//! a rule that is written but not enforced is worse than none.

mod deadline;
mod declared_gate_keys;
mod declared_keys;
mod declared_retention_keys;
mod declared_signer_keys;
mod environment_rules;
mod error;
pub mod file;
mod gates;
mod hints;
mod key_documents;
mod key_position;
mod key_shapes;
mod limits;
mod parse_environment;
mod parse_retention;
mod policy_difference;
mod policy_finding;
mod problem_list;
mod production;
mod promotion_graph;
mod records_repository;
mod ref_patterns;
mod ref_pin;
mod release_policy;
mod repository_file;
mod repository_match;
mod repository_template;
mod retention_keys;
mod service_name;
mod services;
mod signature_demands;
mod signer_rule;
mod signing_rule;
mod text_form;
mod yaml_document;
mod yaml_fields;
mod yaml_node;

#[cfg(test)]
mod gate_tests;
#[cfg(test)]
mod production_tests;
#[cfg(test)]
mod record_tests;
#[cfg(test)]
mod retention_tests;
#[cfg(test)]
mod service_gate_tests;
#[cfg(test)]
mod tests;

pub use deadline::Deadline;
pub use environment_rules::{EnvironmentRules, ExistingTags};
pub use error::{FilePosition, PolicyError, PolicyProblem};
pub use gates::{AttestationGate, EnvironmentGates, GateSigners, ScanGate};
pub use key_documents::{SCHEMA_ADDRESS, json_schema, key_table};
pub use limits::POLICY_LIMIT;
pub use policy_difference::{DifferenceKind, PolicyDifference, PolicyValue, compare_policies};
pub use policy_finding::PolicyFinding;
pub use problem_list::PolicyErrors;
pub use release_policy::ReleasePolicy;
pub use repository_match::{MatchError, Repositories};
pub use service_name::{Service, ServiceNameError};
pub use services::ServiceBuild;
pub use signer_rule::{PolicyIdentity, PolicySigner, SignerRule};
pub use signing_rule::SigningRule;
