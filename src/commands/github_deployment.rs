//! What a run tells GitHub of a release, from inputs and environment.

use super::github_inputs::{api_base, open_api};
use super::invocation::Invocation;
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
    let run_uri = || {
        let server = variable("GITHUB_SERVER_URL")?;
        let (repository, id) = (variable("GITHUB_REPOSITORY")?, variable("GITHUB_RUN_ID")?);
        Some(format!("{server}/{repository}/actions/runs/{id}"))
    };
    let what = match creates_deployment {
        true => "the deployment",
        false => "the storage record",
    };
    let permission = match creates_deployment {
        true => "deployments: write",
        false => "artifact-metadata: write",
    };
    let repository = variable("GITHUB_REPOSITORY").unwrap_or_default();
    let api = match unusable_api(invocation, &repository, permission)? {
        Some((why, add)) => Err(GithubLeftOut { what, why, add }),
        None => Ok(open_api(invocation, &repository)?),
    };
    Ok(Some(GithubDeployment::new(DeploymentOptions {
        api,
        creates_deployment,
        creates_storage_record,
        environment: environment.clone(),
        repository,
        run_uri: run_uri(),
        run_commit: variable("GITHUB_SHA"),
        dry_run: is_on(Input::DryRun)?,
    })))
}

/// Returns why the run does not call the API, and what to add; `None` if it does.
fn unusable_api(
    invocation: &Invocation,
    repository: &str,
    permission: &str,
) -> Result<Option<(String, Option<String>)>, Failure> {
    let arguments = &invocation.arguments;
    if arguments.is_accepted(Input::Offline) && arguments.switch(Input::Offline)? {
        return Ok(Some(("offline is true".to_owned(), None)));
    }
    if repository.is_empty() {
        let why = "GITHUB_REPOSITORY is not set".to_owned();
        return Ok(Some((why, None)));
    }
    if arguments.text(Input::GithubToken).is_none() {
        let add = format!("github-token: ${{{{ github.token }}}} and permissions: {permission}");
        return Ok(Some(("the run has no github-token".to_owned(), Some(add))));
    }
    if api_base(invocation)?.scheme() != "https" {
        let why = "GITHUB_API_URL is not an https address".to_owned();
        return Ok(Some((why, None)));
    }
    Ok(None)
}

/// Has the reports of the run say what GitHub was told.
pub(super) fn record_report(invocation: &Invocation, context: &ReleaseContext) {
    if let Some(github) = &context.github {
        invocation.log.record_github(github.report());
    }
}
