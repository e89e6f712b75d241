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
const PAGE_LIMIT: usize = 64 << 20;

impl Remote {
    /// All tags, of all pages; none where the repository does not exist yet.
    ///
    /// # Errors
    /// A refusal, or pages that never end.
    pub async fn tags(&self) -> Result<BTreeSet<Tag>, Error> {
        #[derive(Deserialize)]
        struct Page {
            tags: Option<Vec<String>>,
        }
        let mut tags = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut next = Some(self.url("tags/list?n=1000"));
        while let Some(url) = next {
            let call =
                Call::new(Method::GET, "tag list", url.clone()).header(ACCEPT, "application/json");
            let wrong = |text: &str| self.error(&call, Cause::Protocol(text.to_owned()));
            if !seen.insert(url.clone()) || tags.len() > TAGS_LIMIT {
                return Err(wrong("the list never ends"));
            }
            let Whole { headers, url, body } = match self.whole(&call, PAGE_LIMIT).await? {
                Ok(whole) => whole,
                Err(response) if response.status() == StatusCode::NOT_FOUND => return Ok(tags),
                Err(response) => return Err(self.refusal(&call, response).await),
            };
            next = next_page(&url, &headers).map_err(|cause| self.error(&call, cause))?;
            if next.as_ref().is_some_and(|next| !self.is_own(next)) {
                return Err(wrong("the next page is at another host"));
            }
            let page: Page =
                serde_json::from_slice(&body).map_err(|_| wrong("it is no tag list"))?;
            // What is no tag cannot be one of ours.
            tags.extend(
                page.tags
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|tag| tag.parse().ok()),
            );
        }
        Ok(tags)
    }
}

/// The page that a `Link: <…>; rel="next"` header names (RFC 8288).
pub(super) fn next_page(from: &Url, headers: &HeaderMap) -> Result<Option<Url>, Cause> {
    let Some(link) = headers.get(LINK) else {
        return Ok(None);
    };
    let malformed = || Cause::Protocol("its Link header is malformed".to_owned());
    let link = link.to_str().map_err(|_| malformed())?;
    let (target, parameters) = link
        .trim()
        .strip_prefix('<')
        .and_then(|rest| rest.split_once('>'))
        .ok_or_else(malformed)?;
    let is_next = parameters.split(';').any(|parameter| {
        let parameter = parameter.trim().to_ascii_lowercase();
        matches!(parameter.as_str(), r#"rel="next""# | "rel=next")
    });
    if is_next {
        redirect_to(from, target).map(Some)
    } else {
        Ok(None)
    }
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
        ] {
            assert_eq!(next(link), Ok(Some(page.to_owned())), "{link}");
        }
        assert_eq!(next(r#"</x>; rel="first""#), Ok(None));
        assert!(next("no brackets").is_err());
        assert!(next(r#"<http://a.example/x>; rel="next""#).is_err());
    }
}
