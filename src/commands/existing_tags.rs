//! Treatment of immutable tags that point to another digest: the input `existing` and the key of the policy.

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use crate::cli::Input;
use crate::policy::{EnvironmentRules, ExistingTags};
use crate::release::{ExistingTagPolicy, Failure};

/// Returns the treatment. In an environment of the policy the input only tightens.
///
/// # Errors
/// `keep` in an environment of which the policy does not say it.
pub(super) fn existing_tags(
    invocation: &Invocation,
    policy: Option<(&EnvironmentRules, &LoadedPolicy)>,
) -> Result<ExistingTagPolicy, Failure> {
    let input = invocation.arguments.choice(Input::Existing)?;
    let stated = policy.and_then(|(stage, _)| stage.existing());
    match (input, policy) {
        (Some("fail"), _) => Ok(ExistingTagPolicy::Fail),
        (Some(_), Some((stage, loaded))) if stated != Some(ExistingTags::Keep) => {
            Err(Failure::refused(format!(
                "the input existing in a release to the environment {}",
                stage.name()
            ))
            .with_reason(format!(
                "existing: keep releases another image than the one that is given, and {} does not say it",
                loaded.file
            ))
            .with_hint("leave existing out, or set existing: keep in the policy"))
        }
        (Some(_), _) => Ok(ExistingTagPolicy::Keep),
        (None, _) => Ok(match stated {
            Some(ExistingTags::Keep) => ExistingTagPolicy::Keep,
            Some(ExistingTags::Fail) => ExistingTagPolicy::Fail,
            None => ExistingTagPolicy::PerTagKind,
        }),
    }
}
