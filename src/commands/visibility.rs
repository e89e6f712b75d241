//! Whether everybody may know of the repository that the job runs in.
//!
//! What is signed keyless stands in a log, and the one of Sigstore's public instance is for everybody
//! to read. So only a repository that is known to be public is named there without being asked.

use super::invocation::Invocation;
use super::{event_inputs, github_inputs, service_address};
use crate::cli::Input;
use crate::github::GithubApiError;
use crate::release::Failure;

/// Requires that the repository is known to be public: the event says so, or else GitHub's API.
///
/// # Errors
/// It is not, or nothing says that it is.
pub(super) async fn require_public(invocation: &Invocation) -> Result<(), Failure> {
    let is_public = match of_event(invocation)? {
        Some(is_public) => is_public,
        None => ask(invocation).await?,
    };
    match is_public {
        true => Ok(()),
        false => Err(advised(
            Failure::input(
                "sign: keyless in a repository that is not public needs transparency-log: on",
            )
            .with_reason(SHOWN),
        )),
    }
}

const SHOWN: &str = "the log of Sigstore's public instance is for everybody to read, and shows the names of the repository, its workflow and its branch";

fn advised(failure: Failure) -> Failure {
    failure.with_hint("set transparency-log: on if that is meant; else sign with a key, or with an instance of your own (signing-config, trusted-root)")
}

/// What the job's own event says of the job's own repository. Some events, such as schedule, say
/// nothing of it.
fn of_event(invocation: &Invocation) -> Result<Option<bool>, Failure> {
    let environment = &invocation.environment;
    let repository = event_inputs::of_job(environment)?.repository;
    let own = environment.get("GITHUB_REPOSITORY");
    let is_own = match (own, &repository.full_name) {
        (Some(own), Some(name)) => own.eq_ignore_ascii_case(name),
        _ => true,
    };
    Ok(repository.public.filter(|_| is_own))
}

/// What GitHub's API says of it.
async fn ask(invocation: &Invocation) -> Result<bool, Failure> {
    let unknown = |why: String| unknown(Failure::input, &why);
    let arguments = &invocation.arguments;
    if arguments.is_accepted(Input::Offline) && arguments.switch(Input::Offline)? {
        return Err(unknown("offline: true asks nobody else".to_owned()));
    }
    if arguments.text(Input::GithubToken).is_none() {
        let why = "a call to GitHub's API needs github-token";
        return Err(unknown(why.to_owned()));
    }
    let Some(name) = invocation.environment.get("GITHUB_REPOSITORY") else {
        let why = "GITHUB_REPOSITORY does not name it to ask GitHub's API";
        return Err(unknown(why.to_owned()));
    };
    if !service_address::is_confidential(&github_inputs::api_base(invocation)?) {
        let why = "GITHUB_API_URL is not an https address, so its answer proves nothing";
        return Err(unknown(why.to_owned()));
    }
    let log = &invocation.log;
    log.info("asking GitHub's API whether the repository is public, which the event does not say");
    let told = github_inputs::open_api(invocation, name)?
        .get_repository()
        .await;
    match told {
        Ok(told) => told
            .public
            .ok_or_else(|| unknown("GitHub's API does not say".to_owned())),
        Err(error) if is_hidden(&error) => Err(unknown(error.to_string())),
        Err(error) => Err(self::unknown(Failure::service, &error.to_string())),
    }
}

fn unknown(failure: impl FnOnce(String) -> Failure, why: &str) -> Failure {
    let what = "whether the repository is public is not known, and sign: keyless in one that is not needs transparency-log: on";
    let failure =
        failure(what.to_owned()).with_reason(format!("the event does not say, and {why}"));
    advised(failure)
}

/// Whether GitHub does not show the repository, as it does with a token that may not see it.
fn is_hidden(error: &GithubApiError) -> bool {
    matches!(error, GithubApiError::Status { status, .. } if matches!(status.as_u16(), 401 | 403 | 404))
}
