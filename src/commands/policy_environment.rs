//! Environment of the policy that a release is for.

use super::load_policy::LoadedPolicy;
use crate::policy::EnvironmentRules;
use crate::release::{Failure, ReleaseVerb};
use crate::tagging::EnvironmentName;

/// Returns the environment of a name.
///
/// # Errors
/// A name that the policy does not have.
pub(super) fn find_environment<'a>(
    loaded: &'a LoadedPolicy,
    name: &EnvironmentName,
) -> Result<&'a EnvironmentRules, Failure> {
    let policy = &loaded.policy;
    policy.stage(name).ok_or_else(|| {
        let environments = policy.environments().iter();
        let known: Vec<_> = environments.map(|known| known.name().as_str()).collect();
        Failure::input(format!("there is no environment {name} in {}", loaded.file)).with_hint(
            match known.as_slice() {
                [] => "it names no environment".to_owned(),
                known => format!("it has {}", known.join(", ")),
            },
        )
    })
}

/// Refuses to push to an environment that takes its images from another one.
pub(super) fn refuse_push(stage: &EnvironmentRules, verb: ReleaseVerb) -> Result<(), Failure> {
    match stage.from().filter(|_| verb == ReleaseVerb::Push) {
        Some(from) => Err(
            Failure::refused(format!("a push to the environment {}", stage.name()))
                .with_reason(format!("it takes its images from {from}"))
                .with_hint("promote what is there"),
        ),
        None => Ok(()),
    }
}
