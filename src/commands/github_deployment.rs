//! What a run tells GitHub of a release, from inputs and environment.

use super::invocation::Invocation;
use super::own_api::{UncalledApi, open_own_api};
use crate::cli::Input;
use crate::policy::EnvironmentRules;
use crate::release::{
    DeploymentOptions, Failure, GithubDeployment, GithubEnvironment, GithubLeftOut, ReleaseContext,
};
use crate::tagging::EnvironmentName;

/// Returns the environment as GitHub shows it.
pub(super) fn github_environment(
    environment: Option<&EnvironmentName>,
    rules: Option<&EnvironmentRules>,
) -> Option<GithubEnvironment> {
    let environment = environment?;
    let name = rules.map_or(environment.as_str(), EnvironmentRules::github_environment);
    Some(GithubEnvironment {
        name: name.to_owned(),
        is_production: rules.is_some_and(EnvironmentRules::is_production),
    })
}

/// Returns what tells GitHub of the run; `None` if the inputs do not ask for it.
///
/// # Errors
/// Inputs that need an environment where none is named, and an address of the API that is none.
pub(super) fn open_deployment(
    invocation: &Invocation,
    environment: Option<&GithubEnvironment>,
) -> Result<Option<GithubDeployment>, Failure> {
    let is_on = |input: Input| match invocation.arguments.is_accepted(input) {
        true => invocation.arguments.switch(input),
        false => Ok(false),
    };
    let creates_deployment = is_on(Input::Deployments)?;
    let creates_storage_record = is_on(Input::StorageRecord)?;
    let input = match (creates_deployment, creates_storage_record) {
        (false, false) => return Ok(None),
        (true, _) => Input::Deployments,
        (false, true) => Input::StorageRecord,
    };
    let Some(environment) = environment else {
        return Err(
            Failure::input(format!("{input} needs the environment of the release"))
                .with_hint(format!("name it with environment, or leave {input} out")),
        );
    };
    let variable = |name| invocation.environment.get(name).map(str::to_owned);
    let what = match creates_deployment {
        true => "the deployment",
        false => "the storage record",
    };
    let permission = match creates_deployment {
        true => "deployments: write",
        false => "artifact-metadata: write",
    };
    let repository = variable("GITHUB_REPOSITORY").unwrap_or_default();
    let api = open_own_api(invocation)?.map_err(|uncalled| GithubLeftOut {
        what,
        why: uncalled.to_string(),
        add: (uncalled == UncalledApi::NoToken).then(|| {
            format!("github-token: ${{{{ github.token }}}} and permissions: {permission}")
        }),
    });
    Ok(Some(GithubDeployment::new(DeploymentOptions {
        api,
        creates_deployment,
        creates_storage_record,
        environment: environment.clone(),
        repository,
        run_uri: invocation.environment.run_uri(),
        run_commit: variable("GITHUB_SHA"),
        dry_run: is_on(Input::DryRun)?,
    })))
}

/// Has the reports of the run say what GitHub was told.
pub(super) fn record_report(invocation: &Invocation, context: &ReleaseContext) {
    if let Some(github) = &context.github {
        invocation.log.record_github(github.report());
    }
}
