//! Lists of GitHub's API, page by page to their end (GitHub REST API, "Using pagination in the REST API").

use reqwest::header::{HeaderMap, LINK};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::error::GithubApiError;
use super::repository_api::{GithubApi, parse_json};
use super::repository_url::JSON_MEDIA_TYPE;

/// Longest page of a list, in bytes.
const PAGE_LIMIT: usize = 16 << 20;

/// Most items of a list.
const ITEMS_LIMIT: usize = 1000;

/// Most items of a page, which are asked for.
const PAGE_ITEMS: usize = 100;

/// Most pages of a list: pages may be half empty, and no list goes on for ever.
const PAGES_LIMIT: usize = 2 * ITEMS_LIMIT / PAGE_ITEMS;

impl GithubApi {
    /// Returns all items of a list that a token needs `permission` for: an array, or the member `name` of an object,
    /// whose `total_count` must be reached. Pages are followed by their `Link` headers.
    ///
    /// # Errors
    /// See [`GithubApiError`]; a list of more than [`ITEMS_LIMIT`] items or [`PAGES_LIMIT`] pages is one.
    pub(super) async fn list_items<T: DeserializeOwned>(
        &self,
        mut url: Url,
        name: Option<&str>,
        permission: &'static str,
    ) -> Result<Vec<T>, GithubApiError> {
        url.query_pairs_mut()
            .append_pair("per_page", &PAGE_ITEMS.to_string());
        let path = url.path().to_owned();
        let mut items = Vec::new();
        for _ in 0..PAGES_LIMIT {
            let found = self.fetch(url, JSON_MEDIA_TYPE, PAGE_LIMIT).await;
            let (page, response) = found.map_err(|error| error.with_permission(permission))?;
            let mut list: Value = parse_json(&page, &response.body)?;
            let total = name.and_then(|_| list["total_count"].as_u64());
            let list = match name {
                Some(name) => list.get_mut(name).map(Value::take).unwrap_or_default(),
                None => list,
            };
            let list: Vec<T> = serde_json::from_value(list)
                .map_err(|_| GithubApiError::NotJson(page.path().to_owned()))?;
            items.extend(list);
            let next = next_page(&page, &response.headers)
                .map_err(|()| GithubApiError::BrokenList(page.path().to_owned()))?;
            if items.len() > ITEMS_LIMIT || (next.is_some() && items.len() == ITEMS_LIMIT) {
                return Err(GithubApiError::TooManyItems {
                    limit: ITEMS_LIMIT,
                    path: page.path().to_owned(),
                });
            }
            match next {
                Some(next) => url = next,
                None if total.is_some_and(|total| total > items.len() as u64) => {
                    return Err(GithubApiError::BrokenList(page.path().to_owned()));
                }
                None => return Ok(items),
            }
        }
        Err(GithubApiError::BrokenList(path))
    }
}

/// Returns the address of the next page by the response's `Link` headers (RFC 8288), of which there can be several;
/// `None` after the last page.
///
/// # Errors
/// A next page that cannot be read, is this one, or is of another host, where the token must not go: the list would be
/// cut without a word.
fn next_page(page: &Url, headers: &HeaderMap) -> Result<Option<Url>, ()> {
    for links in headers.get_all(LINK) {
        let links = links.to_str().map_err(drop)?;
        if let Some(address) = next_address(links) {
            let address = address.strip_prefix('<');
            let address = address.and_then(|address| address.strip_suffix('>'));
            let next = address.and_then(|address| page.join(address).ok());
            let next = next.filter(|next| next.origin() == page.origin() && next != page);
            return next.map(Some).ok_or(());
        }
    }
    Ok(None)
}

/// Returns the address of a header with the relation `next`, in its angle brackets.
fn next_address(links: &str) -> Option<&str> {
    let links = links.split(',').filter_map(|link| link.split_once(';'));
    let mut next = links.filter(|(_, parameters)| {
        let mut parameters = parameters.split(';').map(str::trim);
        parameters.any(|it| matches!(it, "rel=\"next\"" | "rel=next"))
    });
    next.next().map(|(address, _)| address.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://api.github.com/repos/acme/web/commits/abc/pulls?page=1";

    fn next_of(links: &[&str]) -> Result<Option<String>, ()> {
        let headers = links
            .iter()
            .map(|link| (LINK, link.parse().expect("a header")));
        let next = next_page(&PAGE.parse().expect("an address"), &headers.collect());
        next.map(|next| next.map(|next| next.to_string()))
    }

    #[test]
    fn the_next_page_is_found_in_every_link_header() {
        let expected = PAGE.replace("page=1", "page=2");
        let next = format!("<{expected}>; rel=\"next\"");
        let last = "<?page=9>; rel=\"last\"";
        for links in [
            vec![next.clone()],
            vec![format!("{last}, {next}")],
            vec![last.to_owned(), next.clone()],
            vec![next.clone(), last.to_owned()],
            vec!["<?page=2>; rel=next".to_owned()],
        ] {
            let links: Vec<&str> = links.iter().map(String::as_str).collect();
            assert_eq!(next_of(&links), Ok(Some(expected.clone())), "{links:?}");
        }
        assert_eq!(next_of(&[]), Ok(None));
        assert_eq!(next_of(&[last]), Ok(None));
    }

    #[test]
    fn a_next_page_that_cannot_be_used_is_an_error() {
        let own = format!("<{PAGE}>; rel=\"next\"");
        for links in [
            &["<https://evil.example.com/2>; rel=\"next\""][..],
            &["?page=2; rel=\"next\""],
            &["<http://[>; rel=\"next\""],
            &["<?page=9>; rel=\"last\"", &own],
        ] {
            assert_eq!(next_of(links), Err(()), "{links:?}");
        }
    }
}
