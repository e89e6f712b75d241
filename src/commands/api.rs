//! GitHub's API, as inputs and environment say it is to be asked.

use std::path::Path;

use secrecy::SecretString;
use url::Url;

use super::{Given, context, instance};
use crate::github::{Api, ApiError, Attestations};
use crate::image::Commit;
use crate::policy;
use crate::release::Failure;

/// The API for the repository `name` (`owner/name`).
pub(super) fn of(given: &Given, name: &str) -> Result<Api, Failure> {
    let base = base(given)?;
    let client = context::connections(given)?;
    let token = given.arguments.text("github-token");
    Api::new(client, &base, name, token.map(SecretString::from)).map_err(failed)
}

fn base(given: &Given) -> Result<Url, Failure> {
    address(given, "GITHUB_API_URL", "https://api.github.com")
}

fn address(given: &Given, name: &str, otherwise: &str) -> Result<Url, Failure> {
    let text = given.environment.get(name).unwrap_or(otherwise);
    let url = text.parse();
    url.map_err(|_| Failure::input(format!("{name} is {text:?}, which is no address")))
}

/// Where the attestations of the workflow's repository are kept.
pub(super) fn attestations(given: &Given) -> Result<Attestations, Failure> {
    let base = base(given)?;
    if !instance::is_safe(&base) {
        return Err(Failure::input("GITHUB_API_URL is no https address")
            .why("the token that is shown there must not be read on the way"));
    }
    let server = address(given, "GITHUB_SERVER_URL", "https://github.com")?;
    let Some(name) = given.environment.get("GITHUB_REPOSITORY") else {
        return Err(Failure::input("github-attestations needs a repository")
            .why("GITHUB_REPOSITORY is not set")
            .hint("set GITHUB_REPOSITORY to OWNER/NAME, or leave github-attestations out"));
    };
    let Some(token) = given.arguments.text("github-token") else {
        return Err(Failure::input("github-attestations needs github-token")
            .hint("give the job's token, with permissions: attestations: write"));
    };
    Attestations::new(&base, &server, name, token.into()).map_err(failed)
}

/// A policy file as a commit has it; none where it is known that the commit has none.
///
/// # Errors
/// That cannot be told. GitHub answers alike where a file is not there and where the token may not
/// see it, so only a commit that it shows is one without the file.
pub(super) async fn policy(
    given: &Given,
    commit: &Commit,
    path: &Path,
) -> Result<Option<Vec<u8>>, Failure> {
    let unknown = |why: &str| {
        Failure::input(format!(
            "whether the policy file {} is there cannot be told",
            path.display()
        ))
        .why(why)
        .hint("give the job the permission contents: read, or check the repository out before this step")
    };
    let Some(name) = given.environment.get("GITHUB_REPOSITORY") else {
        return Err(unknown("GITHUB_REPOSITORY is not set"));
    };
    let api = of(given, name)?;
    let hidden = |error: &ApiError| matches!(error, ApiError::Status { status, .. } if matches!(status.as_u16(), 401 | 403 | 404));
    match api.file(path, commit.as_str(), policy::LIMIT).await {
        Ok(Some(bytes)) => return Ok(Some(bytes.into())),
        Ok(None) => {}
        Err(error) if hidden(&error) => return Err(unknown(&error.to_string())),
        Err(error) => return Err(Failure::service(error.to_string())),
    }
    match api.commit_time(commit.as_str()).await {
        Ok(Some(_)) => Ok(None),
        Ok(None) => Err(unknown("GitHub's API does not show the workflow's commit")),
        Err(error) if hidden(&error) => Err(unknown(&error.to_string())),
        Err(error) => Err(Failure::service(error.to_string())),
    }
}

pub(super) fn failed(error: ApiError) -> Failure {
    let hint = error.hint();
    Failure::service(error.to_string()).hint(hint)
}
