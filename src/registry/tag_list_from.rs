//! Lists the tags after a name, where a registry lists them in order: a reader of a long timeline begins near its
//! end.

use std::collections::BTreeSet;

use reqwest::Method;
use reqwest::header::ACCEPT;
use serde::Deserialize;

use super::pages::{Pages, next_page};
use super::repository_client::RepositoryClient;
use super::request::RegistryRequest;
use super::tag_list::PAGE_LIMIT;
use crate::image::Tag;

#[derive(Deserialize)]
struct TagNamesPage {
    tags: Option<Vec<String>>,
}

/// Tags after a name, in order.
struct OrderedTags {
    /// Name after which the next one comes.
    last: String,
    tags: BTreeSet<Tag>,
}

/// Most pages that are read: a whole list is faster then.
const PAGE_COUNT_LIMIT: usize = 10;

impl RepositoryClient {
    /// Returns the tags that begin with `prefix` and come after `start`, which need not be a tag. Reading ends with
    /// the first tag after those of the prefix.
    ///
    /// `None` if the registry did not list tags in order after `start`: an error, nothing, another order, or tags
    /// up to `start`. Only the whole list tells then (OCI distribution specification 1.1, "Listing Tags").
    pub async fn tags_from(&self, start: &str, prefix: &str) -> Option<BTreeSet<Tag>> {
        let mut listed = OrderedTags {
            last: start.to_owned(),
            tags: BTreeSet::new(),
        };
        let mut pages = Pages::default();
        let mut next = Some(self.tags_after(start));
        let mut count = 0;
        while let Some(url) = next.take() {
            count += 1;
            if !pages.enter(&url) || count > PAGE_COUNT_LIMIT {
                return None;
            }
            let call = RegistryRequest::new(Method::GET, "tag list", url.clone())
                .header(ACCEPT, "application/json");
            let answer = self.send_buffered(&call, PAGE_LIMIT).await.ok()?.ok()?;
            // The registry may have been reached by another scheme.
            next = next_page(&answer.url, &answer.headers).ok()?;
            if next.as_ref().is_some_and(|next| !self.is_own_url(next)) {
                return None;
            }
            let page: TagNamesPage = serde_json::from_slice(&answer.body).ok()?;
            let names = page.tags.unwrap_or_default();
            if names.is_empty() && count > 1 {
                break;
            }
            // Some registries end a page at a round number, and do not say that there is another.
            let may_be_truncated = next.is_none() && names.len().is_multiple_of(50);
            listed.add(names)?;
            if !listed.last.starts_with(prefix) {
                break;
            }
            if may_be_truncated {
                next = Some(self.tags_after(&listed.last));
            }
        }
        let is_of_prefix = |tag: &Tag| tag.as_str().starts_with(prefix);
        Some(listed.tags.into_iter().filter(is_of_prefix).collect())
    }
}

impl OrderedTags {
    /// Adds a page; `None` if it is empty or not in order.
    fn add(&mut self, names: Vec<String>) -> Option<()> {
        if names.is_empty() {
            return None;
        }
        for name in names {
            if name <= self.last {
                return None;
            }
            self.tags.extend(name.parse::<Tag>().ok());
            self.last = name;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_in_order_after_the_last_are_taken() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        for (pages, is_taken) in [
            (vec![names(&["c", "d"]), names(&["e"])], true),
            (vec![names(&[])], false),
            (vec![names(&["b", "c"])], false),
            (vec![names(&["a", "c"])], false),
            (vec![names(&["d", "c"])], false),
            (vec![names(&["c", "c"])], false),
            (vec![names(&["c", "e"]), names(&["d"])], false),
        ] {
            let mut listed = OrderedTags {
                last: "b".to_owned(),
                tags: BTreeSet::new(),
            };
            let taken = pages.into_iter().all(|page| listed.add(page).is_some());
            assert_eq!(taken, is_taken);
        }
    }
}
