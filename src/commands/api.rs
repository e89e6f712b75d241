//! GitHub's API, as inputs and environment say it is to be asked.

use std::path::Path;

use secrecy::SecretString;
use url::Url;

use super::{Given, context};
use crate::github::{Api, ApiError};
use crate::image::Commit;
use crate::release::Failure;

/// The API for the repository `name` (`owner/name`).
pub(super) fn of(given: &Given, name: &str) -> Result<Api, Failure> {
    let base = given
        .environment
        .get("GITHUB_API_URL")
        .unwrap_or("https://api.github.com");
    let base: Url = base
        .parse()
        .map_err(|_| Failure::input(format!("GITHUB_API_URL is {base:?}, which is no address")))?;
    let client = context::web(given, &base)?;
    let token = given.arguments.text("github-token");
    Api::new(client, &base, name, token.map(SecretString::from)).map_err(failed)
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
    match api.file(path, commit.as_str()).await {
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
