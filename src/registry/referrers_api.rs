//! The referrers API (OCI distribution specification 1.1, "Listing Referrers").

use std::sync::atomic::Ordering;

use reqwest::header::ACCEPT;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny};

use super::error::{RegistryError, RequestErrorKind};
use super::pages::{Pages, next_page};
use super::referrers_support::ApiSupport;
use super::repository_client::RepositoryClient;
use super::request::RegistryRequest;
use crate::http::BufferedResponse;
use crate::image::{AtMost, Digest, MANIFEST_LIMIT, MediaType};

/// The most referrers that are listed.
const REFERRERS_LIMIT: usize = 20_000;
/// The most bytes of all pages: a descriptor has a few hundred.
const BYTES_LIMIT: usize = 32 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(bound = "T: DeserializeOwned")]
struct ReferrersPage<T> {
    schema_version: u64,
    /// Some write `null` for none. One that says nothing of them is no list.
    #[serde(deserialize_with = "deserialize_limited")]
    manifests: Option<Vec<T>>,
}

/// Reads at most [`REFERRERS_LIMIT`] entries: a page of empty entries takes hundreds of times its bytes.
fn deserialize_limited<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    list: D,
) -> Result<Option<Vec<T>>, D::Error> {
    list.deserialize_option(AtMost::of(REFERRERS_LIMIT))
}

impl RepositoryClient {
    /// Returns what the registry's list says of the referrers of `subject`: of each as much as `T` takes
    /// up, so that a list of many members is not kept in memory. `None` where the registry has no such
    /// list, and referrers are kept under a tag.
    ///
    /// Only an answer that says so counts as "no such list": 404, 400, 405, 406, or a redirect to
    /// another host (ghcr.io leads to a page of github.com). A repository that has something and no
    /// list is not asked again.
    ///
    /// # Errors
    /// Every other answer, and a success that is no list: it means unknown, not none.
    pub async fn referrers<T: DeserializeOwned>(
        &self,
        subject: Digest,
    ) -> Result<Option<Vec<T>>, RegistryError> {
        match self.query_support(subject).await? {
            (ApiSupport::Yes, None) => self.fetch_referrers(subject).await,
            (_, found) => Ok(found),
        }
    }

    /// Returns whether the repository serves the referrers API; where that is unknown, a request
    /// for the referrers of `subject` finds out.
    ///
    /// # Errors
    /// As [`RepositoryClient::referrers`].
    pub async fn supports_referrers_api(&self, subject: Digest) -> Result<bool, RegistryError> {
        let (listing, _) = self.query_support::<IgnoredAny>(subject).await?;
        Ok(listing == ApiSupport::Yes)
    }

    /// Whether there are lists, and the one about `subject` where it was asked for to find out.
    async fn query_support<T: DeserializeOwned>(
        &self,
        subject: Digest,
    ) -> Result<(ApiSupport, Option<Vec<T>>), RegistryError> {
        let known = self
            .registry
            .referrers_support
            .for_repository(self.repository.path());
        let mut listing = known.api_support.lock().await;
        let has_manifests = self.is_known_to_have_manifests();
        let is_final = match *listing {
            ApiSupport::Yes | ApiSupport::No => true,
            ApiSupport::Unknown => self.is_known_new(),
            ApiSupport::NotWhileEmpty => !has_manifests,
            // Only a confirmation by the registry makes another query worthwhile.
            ApiSupport::NotWithBlobsOnly => {
                !(has_manifests && known.confirmed_listing.load(Ordering::Relaxed))
            }
        };
        if is_final {
            return Ok((*listing, None));
        }
        let holds_something = self.is_known_not_new();
        let found = self.fetch_referrers(subject).await?;
        *listing = match found {
            Some(_) => ApiSupport::Yes,
            None if has_manifests => ApiSupport::No,
            None if holds_something => ApiSupport::NotWithBlobsOnly,
            None => ApiSupport::NotWhileEmpty,
        };
        Ok((*listing, found))
    }

    /// Notes that the registry says of what was written that it lists it.
    pub(super) fn record_confirmed_listing(&self) {
        let known = self
            .registry
            .referrers_support
            .for_repository(self.repository.path());
        known.confirmed_listing.store(true, Ordering::Relaxed);
    }

    async fn fetch_referrers<T: DeserializeOwned>(
        &self,
        subject: Digest,
    ) -> Result<Option<Vec<T>>, RegistryError> {
        let mut found = Vec::new();
        let mut pages = Pages::default();
        let mut bytes = 0;
        let mut next = Some(self.url(&format!("referrers/{subject}")));
        while let Some(url) = next {
            let mut call =
                RegistryRequest::new(Method::GET, format!("referrers of {subject}"), url.clone())
                    .header(ACCEPT, MediaType::OciIndex.as_str());
            call.stays_on_host = true;
            let wrong = |text: &str| self.error(&call, RequestErrorKind::Protocol(text.to_owned()));
            let is_long = found.len() > REFERRERS_LIMIT || bytes > BYTES_LIMIT;
            if !pages.enter(&url) || is_long {
                return Err(wrong("the list never ends"));
            }
            let BufferedResponse {
                headers,
                url,
                body,
                turn: _turn,
            } = match self.send_buffered(&call, MANIFEST_LIMIT).await {
                Err(error) if pages.is_first() => {
                    return Err(self.without_referrers_list(&call, error));
                }
                Err(error) => return Err(error),
                Ok(Ok(whole)) => whole,
                Ok(Err(response)) if pages.is_first() && lacks_referrers_api(response.status()) => {
                    return Ok(None);
                }
                Ok(Err(response)) => {
                    let refusal = self.error_from_response(&call, response).await;
                    return Err(match pages.is_first() {
                        true => self.without_referrers_list(&call, refusal),
                        false => refusal,
                    });
                }
            };
            if pages.is_first() && body.trim_ascii_start().starts_with(b"<") {
                let page = "a web page".to_owned();
                return Err(self.error(&call, RequestErrorKind::UnknownReferrers(page)));
            }
            next = next_page(&url, &headers).map_err(|cause| self.error(&call, cause))?;
            if next.as_ref().is_some_and(|next| !self.is_own_url(next)) {
                return Err(wrong("the next page is at another host"));
            }
            bytes += body.len();
            let page: ReferrersPage<T> = serde_json::from_slice(&body)
                .map_err(|_| wrong("it is not a list of referrers"))?;
            if page.schema_version != 2 {
                return Err(wrong("it is not a list of referrers"));
            }
            let listed = page.manifests.unwrap_or_default();
            pages.note(!listed.is_empty());
            found.extend(listed);
        }
        Ok(Some(found))
    }
}

impl RepositoryClient {
    /// Returns the error for a refusal to list referrers, which may be that of a registry without the API.
    fn without_referrers_list(
        &self,
        call: &RegistryRequest,
        refusal: RegistryError,
    ) -> RegistryError {
        match &refusal.cause {
            RequestErrorKind::Status { status, .. }
                if !matches!(status.as_u16(), 401 | 403 | 501) =>
            {
                refusal
            }
            RequestErrorKind::Status { .. } | RequestErrorKind::WebPage => {
                let cause = RequestErrorKind::UnknownReferrers(refusal.cause.to_string());
                self.error(call, cause)
            }
            _ => refusal,
        }
    }
}

fn lacks_referrers_api(status: StatusCode) -> bool {
    status.is_redirection() || matches!(status.as_u16(), 400 | 404 | 405 | 406)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_6_a_page_of_more_entries_than_are_listed_is_not_read() {
        let page = |entries: usize| {
            let entries = vec!["{}"; entries].join(",");
            let json = format!(r#"{{"schemaVersion":2,"manifests":[{entries}]}}"#);
            serde_json::from_str::<ReferrersPage<serde_json::Value>>(&json)
        };
        let listed = page(REFERRERS_LIMIT).unwrap().manifests.unwrap();
        assert_eq!(listed.len(), REFERRERS_LIMIT);
        assert!(page(REFERRERS_LIMIT + 1).is_err());
        let none =
            serde_json::from_str::<ReferrersPage<()>>(r#"{"schemaVersion":2,"manifests":null}"#);
        assert!(none.unwrap().manifests.is_none());
        assert!(serde_json::from_str::<ReferrersPage<()>>(r#"{"schemaVersion":2}"#).is_err());
    }
}
