//! Pages of a list: the address of the next page, and the check that the list ends.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use reqwest::header::{HeaderMap, LINK};
use url::Url;

use super::error::RequestErrorKind;
use crate::http::parse_links;
use crate::http::resolve_redirect;

/// The most pages of one list.
const PAGES_LIMIT: usize = 10_000;
/// The most pages in a row that may bring nothing new.
const BARREN_LIMIT: usize = 100;

/// The pages of a list that were asked for. An address may have as many bytes as a header, so that
/// only its hash is kept. The hash is keyed: nobody can choose two addresses that share one.
#[derive(Default)]
pub(super) struct Pages {
    hasher: RandomState,
    seen: HashSet<u64>,
    barren: usize,
}

impl Pages {
    /// Notes a page. Returns false where it was asked for before, or where there are too many.
    pub(super) fn enter(&mut self, page: &Url) -> bool {
        let is_new = self.seen.insert(self.hasher.hash_one(page));
        is_new && self.seen.len() <= PAGES_LIMIT && self.barren <= BARREN_LIMIT
    }

    /// Notes whether a page has brought anything new.
    pub(super) fn note(&mut self, has_new: bool) {
        self.barren = if has_new { 0 } else { self.barren + 1 };
    }

    /// Returns whether no page but the first was asked for.
    pub(super) fn is_first(&self) -> bool {
        self.seen.len() == 1
    }
}

/// Returns the page that a `Link: <…>; rel="next"` header names (RFC 8288). There may be several
/// links, in one header or in several, and a link may have several relations.
///
/// # Errors
/// A header that cannot be understood: it may name a page.
pub(super) fn next_page(from: &Url, headers: &HeaderMap) -> Result<Option<Url>, RequestErrorKind> {
    let malformed = || RequestErrorKind::Protocol("its Link header is malformed".to_owned());
    for header in headers.get_all(LINK) {
        let header = header.to_str().map_err(|_| malformed())?;
        for link in parse_links(header).ok_or_else(malformed)? {
            if link.is_next() {
                return Ok(Some(resolve_redirect(from, link.target)?));
            }
        }
    }
    Ok(None)
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
    fn a_page_that_comes_again_and_one_too_many_end_a_list() {
        let page = |n: usize| Url::parse(&format!("https://a.example/list?last={n}")).unwrap();
        let mut pages = Pages::default();
        for n in 0..PAGES_LIMIT {
            assert!(pages.enter(&page(n)), "{n}");
        }
        assert!(!pages.enter(&page(PAGES_LIMIT)));
        let mut pages = Pages::default();
        assert!(pages.enter(&page(1)) && pages.is_first() && pages.enter(&page(2)));
        assert!(!pages.is_first() && !pages.enter(&page(1)));
        let mut pages = Pages::default();
        for n in 0..=BARREN_LIMIT {
            assert!(pages.enter(&page(n)), "{n}");
            pages.note(false);
        }
        assert!(!pages.enter(&page(BARREN_LIMIT + 1)));
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
        for link in [
            r#"</v2/x/tags/list?n=2&last=b>; rel="prev next""#,
            r#"</v2/x/tags/list?n=2&last=b>; REL = "Next""#,
            r#"</v2/x/tags/list?n=2&last=b>; title="a, <b>; rel=first"; rel=next;"#,
            r#"</z>; rel="last" ,, </v2/x/tags/list?n=2&last=b> ; rel="next""#,
            r#"</v2/x/tags/list?n=2&last=b>; rel="next"; rel="first""#,
        ] {
            assert_eq!(next(link), Ok(Some(page.to_owned())), "{link}");
        }
        for link in [
            r#"</x>; rel="first"; rel="next""#,
            r#"</x>; rel="nextish""#,
            r#"</x>; rel=first; title="rel=next""#,
        ] {
            assert_eq!(next(link), Ok(None), "{link}");
        }
        for link in [
            "</x>",
            "</x>; rel",
            r#"</x>; rel="next"#,
            "</x>; next",
            "</x> rel=next",
            "</x",
        ] {
            assert!(next(link).is_err(), "{link}");
        }
        assert_eq!(next(r#"</x>; rel="first""#), Ok(None));
        assert!(next("no brackets").is_err());
        assert!(next(r#"<http://a.example/x>; rel="next""#).is_err());
    }
}
