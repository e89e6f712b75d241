//! The verbs, one file each, and the files that read their inputs into requests.

mod announcement;
mod attestation_inputs;
mod cancellation;
mod context_inputs;
mod credential_inputs;
mod dirty_checkout;
mod environment_signing;
mod event_inputs;
mod github_inputs;
mod input_spelling;
mod invocation;
mod keyless_inputs;
mod load_policy;
mod local_files;
mod naming_inputs;
mod pem_input;
mod policy;
mod policy_environment;
mod promote;
mod push;
mod record_inputs;
mod record_options;
mod release_request;
mod release_targets;
mod rule_inputs;
mod run_attempt;
mod run_release;
mod run_verb;
mod runner_advice;
mod runner_paths;
mod secretless_run;
mod service_address;
mod sign_bundle;
mod signing_inputs;
mod sigstore_inputs;
mod sought_commit;
mod source_input;
mod tag_context;
mod tags;
mod tags_preview;
mod trust_inputs;
mod unreleasable_event;
mod unused_inputs;
mod usage_failure;
mod verification_inputs;
mod verify;
mod verify_bundle;
mod visibility;

pub use credential_inputs::collect_secrets;
pub use run_verb::run;
pub use signing_inputs::environment_secrets;
pub use usage_failure::usage_failure;

#[cfg(test)]
mod tests;
