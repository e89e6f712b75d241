//! Listing tags.

use std::cmp::Reverse;

use hyper::Method;
use serde_json::json;

use super::answer::{ASSUMED, Answer};
use super::call::Call;
use super::flavor::name_unknown;
use super::page::page;
use super::profile::{TagOrder, UnknownLast};
use super::service::{Outcome, Service, check_method};
use super::store::Repository;

impl Service {
    pub fn tags(&self, call: &Call, repository: &str) -> Outcome {
        check_method(call, &[Method::GET])?;
        let state = self.store.lock();
        let here = state.repositories.get(repository);
        let here = here.filter(|here| !here.manifests.is_empty());
        if here.is_none() && self.profile.repositories.is_none() {
            return Err(name_unknown(repository));
        }
        let mut tags: Vec<String> = here.map(|here| self.ordered(here)).unwrap_or_default();
        let limit = call
            .query("n")
            .map_or(Ok(self.profile.page_size), str::parse);
        let limit = limit.map_err(|_| bad_number())?;
        let max = self.profile.page_length_max;
        if limit > max {
            return Err(too_many(limit, max));
        }
        let limit = limit.min(self.profile.page_size);
        let mut last = call.query("last");
        if last.is_some_and(|last| !tags.iter().any(|tag| tag == last)) {
            match self.profile.unknown_last {
                UnknownLast::Next => {}
                UnknownLast::Refused => return Err(bad_last()),
                UnknownLast::Nothing => tags.clear(),
                UnknownLast::Everything => last = None,
            }
        }
        let (tags, last) = page(tags, last, limit, String::as_str);
        let answer = Answer::new(200).json(&json!({"name": repository, "tags": tags}));
        Ok(match last.filter(|_| self.profile.links_pages) {
            Some(last) => {
                let next = format!("/v2/{repository}/tags/list?last={last}&n={limit}");
                answer.header("link", format!("<{next}>; rel=\"next\""))
            }
            None => answer,
        })
    }
}

impl Service {
    fn ordered(&self, here: &Repository) -> Vec<String> {
        let mut tags: Vec<String> = here.tags.keys().cloned().collect();
        match self.profile.tag_order {
            TagOrder::Sorted => {}
            TagOrder::Unsorted => {
                tags.sort_by_key(|tag| Reverse(tag.chars().rev().collect::<String>()));
            }
            TagOrder::Pushed => {
                let at = |tag: &String| here.pushed_tags.iter().position(|it| it == tag);
                tags.sort_by_cached_key(|tag| at(tag).unwrap_or(usize::MAX));
            }
            TagOrder::Folded => tags.sort_by_cached_key(|tag| tag.to_lowercase()),
        }
        tags
    }
}

fn bad_last() -> Answer {
    let message = "invalid last tag";
    Answer::error(400, "PAGINATION_LAST_INVALID", message, ()).known_from(ASSUMED)
}

fn bad_number() -> Answer {
    let message = "invalid number of results requested";
    Answer::error(400, "PAGINATION_NUMBER_INVALID", message, ()).known_from(ASSUMED)
}

/// What Quay answers: google/go-containerregistry#1963, no fixture.
fn too_many(limit: usize, max: usize) -> Answer {
    let message =
        format!("Too many tags requested; requested limit {limit} is too high, max is {max}");
    Answer::error(413, "TOO_MANY_TAGS_REQUESTED", &message, ()).known_from(ASSUMED)
}
