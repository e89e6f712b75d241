use super::invocation::Invocation;
use super::load_policy::load_policy;
use super::{policy_environment, release_targets};
use crate::cli::Input;
use crate::policy::file::PATH;
use crate::release::Failure;
use crate::report::{PolicyReport, VerbResult};
use crate::tagging::EnvironmentName;

/// Shows the policy that a release of this run would have. Speaks to no registry.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let loaded = load_policy(invocation).await?.ok_or_else(no_policy)?;
    release_targets::check_repositories(invocation, &loaded)?;
    let environment: Option<EnvironmentName> = invocation.arguments.value(Input::Environment)?;
    if let Some(name) = &environment {
        policy_environment::find_environment(&loaded, name)?;
    }
    Ok(VerbResult::ShownPolicy(Box::new(PolicyReport {
        policy: loaded.policy,
        file: loaded.file,
        environment,
    })))
}

fn no_policy() -> Failure {
    Failure::input(format!("there is no policy file {PATH}"))
        .with_reason("without one, push and promote release to the repositories in images, by the default table of tags")
        .with_hint(format!(
            "add {PATH}, run in the root of the repository, or name another file in the input policy"
        ))
}
