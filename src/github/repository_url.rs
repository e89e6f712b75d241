//! Addresses and headers that all requests to GitHub's API share.

use url::Url;

use super::error::GithubApiError;

/// Header with the version of the API.
pub(crate) const API_VERSION: (&str, &str) = ("x-github-api-version", "2022-11-28");
/// Media type of the API's JSON.
pub(crate) const JSON_MEDIA_TYPE: &str = "application/vnd.github+json";

/// Returns the address of `repository` (`owner/name`) below the segments `first` of `base`.
///
/// # Errors
/// These do not form a valid URL.
pub(super) fn repository_url(
    base: &Url,
    first: &[&str],
    repository: &str,
) -> Result<Url, GithubApiError> {
    let wrong = || GithubApiError::Address(format!("{base} with {repository:?}"));
    let (owner, name) = repository.split_once('/').ok_or_else(wrong)?;
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| wrong())?
        .pop_if_empty()
        .extend(first)
        .extend([owner, name]);
    Ok(url)
}
