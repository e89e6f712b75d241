//! Refusal of a commit that no image was built from.

use std::collections::BTreeSet;

use super::open_origin::OpenOrigin;
use crate::image::{NamedCommit, Tag, TagOrDigest};
use crate::release::Failure;
use crate::release::source_search::{CommitSearch, MergedCommit};
use crate::tagging::tags_of_commit;

/// Most tags that a message suggests.
const SUGGESTIONS: usize = 3;
/// Fewer digits than a whole commit has.
const SHORT_TAG: usize = 40;

const UNBUILT_HINT: &str = "wait until the workflow that builds the commit has finished, or run it; release a commit that is built, such as one of the default branch; or give source";

/// Returns that no image of the commit exists, with what the lists of tags tell.
pub(super) async fn unbuilt_failure(search: &CommitSearch, origins: &[OpenOrigin<'_>]) -> Failure {
    let commit = &search.commit;
    if let Some(failure) = abbreviated_failure(search, origins) {
        return failure;
    }
    let (mut reasons, mut near) = (Vec::new(), Vec::new());
    for origin in origins {
        // What fails here only leaves the message shorter.
        let existing = origin.store.tags().await.ok();
        reasons.push(absence_reason(search, origin, existing.as_ref()));
        let tags = existing.iter().flat_map(|tags| similar_tags(tags, commit));
        near.extend(tags.map(|tag| origin.image(&TagOrDigest::Tag(tag)).to_string()));
    }
    let (merge_fact, merge_hint) = merge_phrases(&search.merged);
    let facts = format!("{}{merge_fact}", reasons.join("; "));
    let environments = origins.iter().filter_map(|it| it.origin.environment());
    let environments: Vec<_> = environments.map(ToString::to_string).collect();
    let (failure, hint) = match environments.as_slice() {
        [] => (nowhere_built(search, &facts), UNBUILT_HINT.to_owned()),
        names => {
            let from = names.join(" or ");
            let hint = format!(
                "release the commit to {from} first, or wait until the run that does so has finished; or give source"
            );
            (not_in_environments(search, &from, &facts), hint)
        }
    };
    near.truncate(SUGGESTIONS);
    failure.with_hint(match (near.as_slice(), merge_hint) {
        ([], Some(merge_hint)) => merge_hint.to_owned(),
        ([], None) => hint,
        (near, _) => format!(
            "give source, if one of these is its image: {}",
            near.join(", ")
        ),
    })
}

fn nowhere_built(search: &CommitSearch, facts: &str) -> Failure {
    let CommitSearch {
        commit, named_by, ..
    } = search;
    Failure::refused(format!("commit {commit} is not built: {facts}")).with_reason(format!(
        "promote builds nothing: without source it releases the image that was built from the commit which {named_by} names"
    ))
}

fn not_in_environments(search: &CommitSearch, from: &str, facts: &str) -> Failure {
    let CommitSearch {
        commit, named_by, ..
    } = search;
    Failure::refused(format!("commit {commit} is not in {from}: {facts}")).with_reason(format!(
        "without source promote releases the image in {from} that was built from the commit which {named_by} names"
    ))
}

/// Returns what the pushed commit is, as the end of a sentence, and how to go on.
fn merge_phrases(merged: &MergedCommit) -> (String, Option<&'static str>) {
    match merged {
        MergedCommit::NotSought | MergedCommit::Parent(_) => (String::new(), None),
        MergedCommit::NoMerge => (
            "; the commit merges no other".to_owned(),
            Some(
                "give source: after a squash or rebase merge git does not name the commit that was built; or wait until the build of this commit has finished",
            ),
        ),
        MergedCommit::SeveralParents => (
            "; the commit merges more than one other".to_owned(),
            Some("give source, or merge one branch at a time"),
        ),
        MergedCommit::NotInClone => (
            "; whether the commit merges one that is built is not known here".to_owned(),
            Some("check the repository out before this step, with fetch-depth: 0; or give source"),
        ),
        MergedCommit::OfFork(branch) => (
            format!("; the commit merges {branch}, a branch of another repository"),
            Some(
                "give source, or push the commit to a branch of this repository and build it there",
            ),
        ),
    }
}

/// Returns the failure for too few digits: no place has SHA tags that they can spell.
fn abbreviated_failure(search: &CommitSearch, origins: &[OpenOrigin<'_>]) -> Option<Failure> {
    let CommitSearch {
        commit, named_by, ..
    } = search;
    let spells_none =
        |it: &&OpenOrigin<'_>| it.origin.commit_tags(commit, search.short_sha).is_empty();
    let origin = origins.iter().find(spells_none)?.origin;
    let environment = origin
        .form
        .as_ref()
        .map(|form| form.environment.to_string());
    let failure = Failure::input(format!(
        "the commit {commit}, which {named_by} names, has fewer digits than the SHA tags in {}",
        origin.place
    ))
    .with_reason(format!(
        "the rule of {} spells them, no record names it, and no checkout here has the whole commit",
        environment.unwrap_or_default()
    ))
    .with_hint("check the repository out before this step, with fetch-depth: 0, or give source");
    Some(failure)
}

/// Returns what the list of tags says about an image that was not found.
fn absence_reason(
    search: &CommitSearch,
    origin: &OpenOrigin<'_>,
    existing: Option<&BTreeSet<Tag>>,
) -> String {
    let place = &origin.origin.place;
    let tags = origin.origin.commit_tags(&search.commit, search.short_sha);
    let recorded = origin.origin.environment();
    let recorded = recorded.map_or_else(String::new, |environment| {
        format!("no record of {environment} names it, ")
    });
    match existing {
        Some(existing) if existing.is_empty() => {
            format!("{recorded}there is no {place}, or it has no tags")
        }
        _ => format!("{recorded}{place} has no tag {}", tag_phrase(&tags)),
    }
}

/// Returns the tags that end in the commit, in another spelling than was searched.
fn similar_tags(tags: &BTreeSet<Tag>, commit: &NamedCommit) -> Vec<Tag> {
    let NamedCommit::Whole(commit) = commit else {
        return Vec::new();
    };
    let near = tags_of_commit(tags, commit).into_iter();
    near.take(SUGGESTIONS).cloned().collect()
}

/// Returns the searched tags: the short ones, and that whole ones were searched too.
fn tag_phrase(tags: &[Tag]) -> String {
    let is_short = |tag: &&Tag| tag.as_str().len() < SHORT_TAG;
    let short: Vec<_> = tags.iter().filter(is_short).map(Tag::as_str).collect();
    match (short.as_slice(), tags.len() - short.len()) {
        ([], _) => {
            let all: Vec<_> = tags.iter().map(Tag::as_str).collect();
            all.join(" or ")
        }
        (short, 0) => short.join(" or "),
        (short, _) => format!("{}, and none with the whole commit", short.join(" or ")),
    }
}
