//! GitHub's API, as inputs and environment say it is to be asked.

use std::path::Path;

use secrecy::SecretString;
use url::Url;

use super::invocation::Invocation;
use super::{context_inputs, service_address};
use crate::cli::Input;
use crate::github::{AttestationStore, GithubApi, GithubApiError};
use crate::image::CommitId;
use crate::policy;
use crate::release::Failure;

/// The API for the repository `name` (`owner/name`).
pub(super) fn open_api(invocation: &Invocation, name: &str) -> Result<GithubApi, Failure> {
    let base = api_base(invocation)?;
    let client = context_inputs::open_connections(invocation)?;
    let token = invocation.arguments.text(Input::GithubToken);
    GithubApi::new(client, &base, name, token.map(SecretString::from)).map_err(api_failure)
}

/// The address of the API.
pub(super) fn api_base(invocation: &Invocation) -> Result<Url, Failure> {
    parse_address(invocation, "GITHUB_API_URL", "https://api.github.com")
}

fn parse_address(invocation: &Invocation, name: &str, otherwise: &str) -> Result<Url, Failure> {
    let text = invocation.environment.get(name).unwrap_or(otherwise);
    let url = text.parse();
    url.map_err(|_| Failure::input(format!("{name} is {text:?}, which is not an address")))
}

/// Where the attestations of the workflow's repository are kept.
pub(super) fn open_attestation_store(invocation: &Invocation) -> Result<AttestationStore, Failure> {
    let base = api_base(invocation)?;
    if !service_address::is_confidential(&base) {
        return Err(Failure::input("GITHUB_API_URL is not an https address")
            .with_reason("the token that is shown there must not be read on the way"));
    }
    let server = parse_address(invocation, "GITHUB_SERVER_URL", "https://github.com")?;
    let Some(name) = invocation.environment.get("GITHUB_REPOSITORY") else {
        return Err(Failure::input("github-attestations needs a repository")
            .with_reason("GITHUB_REPOSITORY is not set")
            .with_hint("set GITHUB_REPOSITORY to OWNER/NAME, or leave github-attestations out"));
    };
    let Some(token) = invocation.arguments.text(Input::GithubToken) else {
        return Err(Failure::input("github-attestations needs github-token")
            .with_hint("give the job's token, with permissions: attestations: write"));
    };
    AttestationStore::new(&base, &server, name, token.into()).map_err(api_failure)
}

/// A file as a commit has it; none where the commit has none, or where the token may not see it:
/// [`folder`] tells which.
///
/// # Errors
/// That cannot be told.
pub(super) async fn file(
    invocation: &Invocation,
    commit: &CommitId,
    path: &Path,
) -> Result<Option<Vec<u8>>, Failure> {
    let api = of_workflow(invocation)?;
    let file = api
        .get_file(path, commit.as_str(), policy::POLICY_LIMIT)
        .await;
    Ok(file.map_err(untold)?.map(Into::into))
}

/// What a commit has in a folder: names, and whether each is a folder itself.
///
/// # Errors
/// That cannot be told. GitHub answers alike where something is not there and where the token may not
/// see it, so only a folder that it shows is one without a file.
pub(super) async fn folder(
    invocation: &Invocation,
    commit: &CommitId,
    path: &Path,
) -> Result<Vec<(String, bool)>, Failure> {
    let api = of_workflow(invocation)?;
    let found = api.folder(path, commit.as_str()).await.map_err(untold)?;
    found.ok_or_else(|| {
        unknown_policy("GitHub's API does not show the files of the workflow's commit")
    })
}

fn of_workflow(invocation: &Invocation) -> Result<GithubApi, Failure> {
    match invocation.environment.get("GITHUB_REPOSITORY") {
        Some(name) => open_api(invocation, name),
        None => Err(unknown_policy("GITHUB_REPOSITORY is not set")),
    }
}

fn untold(error: GithubApiError) -> Failure {
    match &error {
        GithubApiError::Status { status, .. } if matches!(status.as_u16(), 401 | 403 | 404) => {
            unknown_policy(&error.to_string())
        }
        _ => Failure::service("the policy file of the workflow's commit cannot be read")
            .with_reason(error.to_string())
            .with_hint("run the job again, or check the repository out before this step"),
    }
}

/// What to say where the policy cannot be told.
pub(super) fn unknown_policy(why: &str) -> Failure {
    Failure::input("the policy file of the workflow's commit cannot be read")
        .with_reason(why)
        .with_hint("give the job the permission contents: read, or check the repository out before this step")
}

pub(super) fn api_failure(error: GithubApiError) -> Failure {
    let hint = error.hint();
    Failure::service(error.to_string()).with_hint(hint)
}
