//! The tags of a repository, page by page.

use std::collections::BTreeSet;

use reqwest::header::{ACCEPT, HeaderMap, LINK};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use url::Url;

use super::Remote;
use super::call::{Call, Whole, redirect_to};
use super::error::{Cause, Error};
use crate::image::Tag;

/// The most tags that are listed, and the most bytes of one page.
const TAGS_LIMIT: usize = 1_000_000;
const PAGE_LIMIT: usize = 16 << 20;
/// The most pages in a row that may bring nothing new.
const BARREN_LIMIT: usize = 100;

#[derive(Deserialize)]
struct Page {
    /// Some write `null` for none. One that says nothing of them is no list.
    #[serde(deserialize_with = "Option::deserialize")]
    tags: Option<Vec<String>>,
}

impl Remote {
    /// All tags, of all pages; none where the repository does not exist yet.
    ///
    /// # Errors
    /// A refusal, or pages that never end.
    pub async fn tags(&self) -> Result<BTreeSet<Tag>, Error> {
        let mut tags = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut barren = 0;
        let mut next = Some(self.url("tags/list?n=1000"));
        while let Some(url) = next {
            let call =
                Call::new(Method::GET, "tag list", url.clone()).header(ACCEPT, "application/json");
            let wrong = |text: &str| self.error(&call, Cause::Protocol(text.to_owned()));
            if !seen.insert(url.clone()) || tags.len() > TAGS_LIMIT || barren > BARREN_LIMIT {
                return Err(wrong("the list never ends"));
            }
            let Whole { headers, url, body } = match self.whole(&call, PAGE_LIMIT).await? {
                Ok(whole) => whole,
                Err(response) if response.status() == StatusCode::NOT_FOUND => {
                    if tags.is_empty() {
                        self.learn_newness(true);
                    }
                    return Ok(tags);
                }
                Err(response) => return Err(self.refusal(&call, response).await),
            };
            next = next_page(&url, &headers).map_err(|cause| self.error(&call, cause))?;
            if next.as_ref().is_some_and(|next| !self.is_own(next)) {
                return Err(wrong("the next page is at another host"));
            }
            self.has_manifests();
            let page: Page =
                serde_json::from_slice(&body).map_err(|_| wrong("it is no tag list"))?;
            let before = tags.len();
            tags.extend(page.tags());
            barren = if tags.len() > before { 0 } else { barren + 1 };
        }
        Ok(tags)
    }
}

impl Remote {
    /// All tags, where they come in one answer. It also tells whether the repository is new, and who
    /// asks that meanwhile waits for it.
    ///
    /// # Errors
    /// An answer that may be another one later.
    pub async fn few_tags(&self) -> Result<FewTags, Error> {
        let mut listed = None;
        let is_new = self.is_new_by(async {
            let answer = listed.insert(self.list_few().await);
            matches!(answer, Ok(FewTags::NoRepository))
        });
        match (is_new.await, listed) {
            (_, Some(answer)) => answer,
            (true, None) => Ok(FewTags::NoRepository),
            (false, None) => self.list_few().await,
        }
    }

    async fn list_few(&self) -> Result<FewTags, Error> {
        let url = self.url("tags/list?n=1000");
        let call = Call::new(Method::GET, "tag list", url).header(ACCEPT, "application/json");
        let Whole { headers, url, body } = match self.whole(&call, PAGE_LIMIT).await? {
            Ok(whole) => whole,
            Err(response) if response.status() == StatusCode::NOT_FOUND => {
                return Ok(FewTags::NoRepository);
            }
            Err(response) => {
                let refusal = self.refusal(&call, response).await;
                return match refusal.is_refusal() && !refusal.is_transient() {
                    true => Ok(FewTags::Unknown),
                    false => Err(refusal),
                };
            }
        };
        let next = next_page(&url, &headers).map_err(|cause| self.error(&call, cause))?;
        let page = serde_json::from_slice::<Page>(&body).ok();
        let whole = page.filter(|page| next.is_none() && !page.may_be_cut());
        Ok(whole.map_or(FewTags::Unknown, |page| FewTags::All(page.tags())))
    }
}

/// What one answer tells of the tags of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FewTags {
    /// They are these.
    All(BTreeSet<Tag>),
    /// There is no such repository, or none that the login may see.
    NoRepository,
    /// There are more, or the registry does not list them for us: only asking for a tag tells whether
    /// it is there.
    Unknown,
}

impl Page {
    /// Some registries end a page at a round number, and do not say that there is another.
    fn may_be_cut(&self) -> bool {
        let count = self.tags.as_ref().map_or(0, Vec::len);
        count > 0 && count.is_multiple_of(50)
    }

    /// What is no tag cannot be one of ours.
    fn tags(self) -> BTreeSet<Tag> {
        let tags = self.tags.unwrap_or_default();
        tags.iter().filter_map(|tag| tag.parse().ok()).collect()
    }
}

/// The page that a `Link: <…>; rel="next"` header names (RFC 8288). There may be several links, in
/// one header or in several.
pub(super) fn next_page(from: &Url, headers: &HeaderMap) -> Result<Option<Url>, Cause> {
    let malformed = || Cause::Protocol("its Link header is malformed".to_owned());
    for header in headers.get_all(LINK) {
        let mut rest = header.to_str().map_err(|_| malformed())?.trim();
        while !rest.is_empty() {
            let (target, after) = rest
                .strip_prefix('<')
                .and_then(|rest| rest.split_once('>'))
                .ok_or_else(malformed)?;
            // The next link starts behind a comma; no parameter in use has an angle bracket.
            let (parameters, next) = after.split_at(after.find('<').unwrap_or(after.len()));
            if parameters.split([';', ',']).any(is_next) {
                return redirect_to(from, target).map(Some);
            }
            rest = next;
        }
    }
    Ok(None)
}

fn is_next(parameter: &str) -> bool {
    let parameter = parameter.trim().to_ascii_lowercase();
    matches!(parameter.as_str(), r#"rel="next""# | "rel=next")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(link: &str) -> Result<Option<String>, String> {
        let from = "https://a.example/v2/x/tags/list?n=2".parse().unwrap();
        let headers = [(LINK, link.parse().unwrap())].into_iter().collect();
        next_page(&from, &headers)
            .map(|url| url.map(String::from))
            .map_err(|cause| cause.to_string())
    }

    #[test]
    fn the_next_page_is_where_the_link_says() {
        let page = "https://a.example/v2/x/tags/list?n=2&last=b";
        for link in [
            r#"</v2/x/tags/list?n=2&last=b>; rel="next""#,
            r#"<https://a.example/v2/x/tags/list?n=2&last=b>;rel=next"#,
            r#"</v2/x/tags/list?n=2&last=b>; rel="next", </z>; rel="last""#,
            r#"</v2/x/tags/list>; rel="first", </v2/x/tags/list?n=2&last=b>; rel="next""#,
        ] {
            assert_eq!(next(link), Ok(Some(page.to_owned())), "{link}");
        }
        assert_eq!(next(r#"</x>; rel="first""#), Ok(None));
        assert!(next("no brackets").is_err());
        assert!(next(r#"<http://a.example/x>; rel="next""#).is_err());
    }
}
