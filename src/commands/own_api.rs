//! GitHub's API of the workflow's repository, where a run may call it with its token.

use std::fmt;

use super::github_inputs::{api_base, open_api};
use super::invocation::Invocation;
use crate::cli::Input;
use crate::github::GithubApi;
use crate::release::Failure;

/// Why a run does not call the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UncalledApi {
    /// The input `offline` is true.
    Offline,
    /// No repository is known.
    NoRepository,
    /// There is no token.
    NoToken,
    /// The token could be read on the way.
    NotConfidential,
}

/// Returns the API of the workflow's repository; or why the run does not call it.
///
/// # Errors
/// An address of the API that is none.
pub(super) fn open_own_api(
    invocation: &Invocation,
) -> Result<Result<GithubApi, UncalledApi>, Failure> {
    let arguments = &invocation.arguments;
    if arguments.is_accepted(Input::Offline) && arguments.switch(Input::Offline)? {
        return Ok(Err(UncalledApi::Offline));
    }
    let Some(repository) = invocation.environment.get("GITHUB_REPOSITORY") else {
        return Ok(Err(UncalledApi::NoRepository));
    };
    if arguments.text(Input::GithubToken).is_none() {
        return Ok(Err(UncalledApi::NoToken));
    }
    if api_base(invocation)?.scheme() != "https" {
        return Ok(Err(UncalledApi::NotConfidential));
    }
    open_api(invocation, repository).map(Ok)
}

impl fmt::Display for UncalledApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offline => "offline is true",
            Self::NoRepository => "GITHUB_REPOSITORY is not set",
            Self::NoToken => "the run has no github-token",
            Self::NotConfidential => "GITHUB_API_URL is not an https address",
        })
    }
}
