//! Lists the tags of a repository, page by page.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::Ordering;

use reqwest::header::ACCEPT;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use url::Url;

use super::error::{RegistryError, RequestErrorKind};
use super::pages::{Pages, next_page};
use super::repository_client::RepositoryClient;
use super::request::RegistryRequest;
use crate::http::BufferedResponse;
use crate::image::Tag;

/// The most bytes of one page.
pub(super) const PAGE_LIMIT: usize = 16 << 20;
/// The most memory that the tags of one list may take, by their text and what keeps each: that is
/// enough for 400,000.
const MEMORY_LIMIT: usize = 32 << 20;
const TAG_MEMORY: usize = 64;

#[derive(Deserialize)]
struct TagListPage {
    /// Some write `null` for none. One that says nothing of them is no list.
    #[serde(deserialize_with = "Option::deserialize")]
    tags: Option<TagNameList>,
}

/// The tags of a page.
#[derive(Default)]
struct TagNameList {
    /// How many there are, with those that can be none of ours.
    count: usize,
    tags: BTreeSet<Tag>,
    /// The last name of the page, from which a list goes on.
    last: String,
    /// What they take in memory; those that are too much are left out.
    memory: usize,
}

impl TagNameList {
    fn add(&mut self, tag: Tag) {
        if self.tags.contains(&tag) {
            return;
        }
        self.memory += tag.as_str().len() + TAG_MEMORY;
        if !self.is_too_much() {
            self.tags.insert(tag);
        }
    }

    fn is_too_much(&self) -> bool {
        self.memory > MEMORY_LIMIT
    }
}

/// Reads the tags one after the other: a page of short ones takes several times its bytes otherwise.
impl<'de> Deserialize<'de> for TagNameList {
    fn deserialize<D: Deserializer<'de>>(page: D) -> Result<Self, D::Error> {
        struct TagNames;
        impl<'de> Visitor<'de> for TagNames {
            type Value = TagNameList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tags")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<TagNameList, A::Error> {
                let mut listed = TagNameList::default();
                while let Some(name) = names.next_element::<Cow<'de, str>>()? {
                    listed.count += 1;
                    // What is no tag cannot be one of ours.
                    if let Ok(tag) = name.parse() {
                        listed.add(tag);
                    }
                    listed.last.clear();
                    listed.last.push_str(&name);
                }
                Ok(listed)
            }
        }
        page.deserialize_seq(TagNames)
    }
}

impl RepositoryClient {
    /// Returns all tags, of all pages; none if the repository does not exist yet.
    ///
    /// # Errors
    /// A refusal, also of a page that the page before named, or pages that never end.
    pub async fn tags(&self) -> Result<BTreeSet<Tag>, RegistryError> {
        let mut all = TagNameList::default();
        let mut pages = Pages::default();
        let mut next = Some(self.tag_list_url());
        // Whether the registry itself named the page.
        let mut is_named = false;
        while let Some(url) = next {
            let call = RegistryRequest::new(Method::GET, "tag list", url.clone())
                .header(ACCEPT, "application/json");
            let wrong = |text: &str| self.error(&call, RequestErrorKind::Protocol(text.to_owned()));
            if !pages.enter(&url) {
                return Err(wrong("the list never ends"));
            }
            let BufferedResponse {
                headers,
                url,
                body,
                turn: _turn,
            } = match self.send_buffered(&call, PAGE_LIMIT).await? {
                Ok(whole) => whole,
                Err(response) if response.status() == StatusCode::NOT_FOUND && !is_named => {
                    if all.tags.is_empty() {
                        self.record_is_new(true);
                    }
                    return Ok(all.tags);
                }
                Err(response) => {
                    let refusal = self.error_from_response(&call, response).await;
                    if !self.note_page_refusal(&url, &refusal) {
                        return Err(refusal);
                    }
                    next = Some(self.tag_list_url());
                    continue;
                }
            };
            next = next_page(&url, &headers).map_err(|cause| self.error(&call, cause))?;
            is_named = next.is_some();
            if next.as_ref().is_some_and(|next| !self.is_own_url(next)) {
                return Err(wrong("the next page is at another host"));
            }
            self.mark_has_manifests();
            let page: TagListPage =
                serde_json::from_slice(&body).map_err(|_| wrong("it is not a tag list"))?;
            let before = all.tags.len();
            let may_be_truncated = page.may_be_truncated();
            let listed = page.tags.unwrap_or_default();
            let after = self.tags_after(&listed.last);
            let is_too_much = listed.is_too_much();
            listed.tags.into_iter().for_each(|tag| all.add(tag));
            if is_too_much || all.is_too_much() {
                return Err(wrong("it names more tags than there is memory for"));
            }
            let has_new = all.tags.len() > before;
            pages.note(has_new);
            // A registry that does not know `last` answers with the same page again.
            if next.is_none() && may_be_truncated && has_new {
                next = Some(after);
            }
        }
        Ok(all.tags)
    }

    /// The page of the list behind a tag (OCI distribution specification 1.1, "Listing Tags").
    pub(super) fn tags_after(&self, last: &str) -> Url {
        let mut url = self.tag_list_url();
        url.query_pairs_mut().append_pair("last", last);
        url
    }

    /// The first page of the list, as long as the registry lets it be.
    fn tag_list_url(&self) -> Url {
        let refuses_length = self.registry.refuses_page_length.load(Ordering::Relaxed);
        self.url(match refuses_length {
            true => "tags/list",
            false => "tags/list?n=1000",
        })
    }

    /// Records that the registry refuses pages of the length that was asked for. Returns whether the list is to be
    /// asked for anew, without a length.
    fn note_page_refusal(&self, url: &Url, refusal: &RegistryError) -> bool {
        let has_length = url.query_pairs().any(|(name, _)| name == "n");
        if !has_length || !refusal.is_refused_page_length() {
            return false;
        }
        let known = &self.registry.refuses_page_length;
        known.store(true, Ordering::Relaxed);
        true
    }
}

impl RepositoryClient {
    /// Reads the first page of the tags, which may have all of them. The response also tells
    /// whether the repository is new; tasks that ask for that meanwhile wait for it.
    ///
    /// # Errors
    /// An answer that may be another one later.
    pub async fn first_tag_page(&self) -> Result<TagPage, RegistryError> {
        let mut listed = None;
        let is_new = self.is_new_or_query(async {
            let answer = listed.insert(self.read_first_tag_page().await);
            matches!(answer, Ok(TagPage::NoRepository))
        });
        match (is_new.await, listed) {
            (_, Some(answer)) => answer,
            (true, None) => Ok(TagPage::NoRepository),
            (false, None) => self.read_first_tag_page().await,
        }
    }

    async fn read_first_tag_page(&self) -> Result<TagPage, RegistryError> {
        let url = self.tag_list_url();
        let call = RegistryRequest::new(Method::GET, "tag list", url.clone())
            .header(ACCEPT, "application/json");
        let BufferedResponse {
            headers,
            url,
            body,
            turn: _turn,
        } = match self.send_buffered(&call, PAGE_LIMIT).await? {
            Ok(whole) => whole,
            Err(response) if response.status() == StatusCode::NOT_FOUND => {
                return Ok(TagPage::NoRepository);
            }
            Err(response) => {
                let refusal = self.error_from_response(&call, response).await;
                if self.note_page_refusal(&url, &refusal) {
                    return Box::pin(self.read_first_tag_page()).await;
                }
                return match refusal.is_refusal() && !refusal.is_transient() {
                    true => Ok(TagPage::Incomplete),
                    false => Err(refusal),
                };
            }
        };
        let next = next_page(&url, &headers).map_err(|cause| self.error(&call, cause))?;
        let page = serde_json::from_slice::<TagListPage>(&body).ok();
        let whole = page.filter(|page| next.is_none() && !page.may_be_truncated());
        let listed = whole.map(|page| page.tags.unwrap_or_default());
        let listed = listed.filter(|listed| !listed.is_too_much());
        Ok(listed.map_or(TagPage::Incomplete, |listed| TagPage::Complete(listed.tags)))
    }
}

/// First page of the tags of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagPage {
    /// They are these.
    Complete(BTreeSet<Tag>),
    /// There is no such repository, or none that the login may see.
    NoRepository,
    /// There are more, or the registry does not list them for us: only asking for a tag tells whether
    /// it is there.
    Incomplete,
}

impl TagListPage {
    /// Some registries end a page at a round number, and do not say that there is another.
    fn may_be_truncated(&self) -> bool {
        let count = self.tags.as_ref().map_or(0, |tags| tags.count);
        count > 0 && count.is_multiple_of(50)
    }
}
