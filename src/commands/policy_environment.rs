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
    if verb != ReleaseVerb::Push || stage.from().is_empty() {
        return Ok(());
    }
    Err(
        Failure::refused(format!("a push to the environment {}", stage.name()))
            .with_reason(format!("it takes its images from {}", source_names(stage)))
            .with_hint("promote what is there"),
    )
}

/// Returns the names of the environments that images of `stage` come from, such as `stage or hotfix`.
pub(super) fn source_names(stage: &EnvironmentRules) -> String {
    let names = stage.from().iter().map(EnvironmentName::as_str);
    names.collect::<Vec<_>>().join(" or ")
}
