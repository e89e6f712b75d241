//! Observes the moving tags of the withdrawn release, and plans where they go.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::line_search::LineSearch;
use crate::image::{Digest, Tag, TagOrDigest};
use crate::record::{RecordedTag, RecordedTagKind};
use crate::release::Failure;
use crate::release::plan::rollback_tags::{
    MovingTag, RollbackState, RollbackTag, plan_rollback_tags,
};
use crate::release::records::open_timeline::OpenTimeline;

/// Returns the moving tags by the records of a root, newest record first, and the tags of the environment, with
/// what they name now.
///
/// # Errors
/// A store that cannot tell.
pub(super) async fn observe_tags(
    timeline: &OpenTimeline,
    recorded: &[RecordedTag],
    environment: &[Tag],
    root: Digest,
) -> Result<Vec<MovingTag>, Failure> {
    let mut tags: Vec<MovingTag> = environment
        .iter()
        .map(|tag| moving_tag(tag.clone(), RecordedTagKind::Environment, None))
        .collect();
    for recorded in recorded {
        let Ok(name) = recorded.name.parse::<Tag>() else {
            continue;
        };
        if recorded.kind == RecordedTagKind::Immutable {
            continue;
        }
        let previous = recorded.previous.filter(|previous| *previous != root);
        match tags.iter_mut().find(|tag| tag.tag == name) {
            Some(known) => known.previous = known.previous.or(previous),
            None => tags.push(moving_tag(name, recorded.kind, previous)),
        }
    }
    let digests = tags.iter().map(|tag| timeline.resolve_tag(&tag.tag));
    let digests = try_join_all(digests).await?;
    for (tag, digest) in tags.iter_mut().zip(digests) {
        tag.at = digest;
    }
    Ok(tags)
}

/// Lets the tags that are not there name the withdrawn root, which is gone: a registry deletes the tags of an image
/// with it. Returns these tags.
pub(super) fn assume_gone_tags(tags: &mut [MovingTag], root: Digest) -> Vec<Tag> {
    let gone = tags.iter_mut().filter(|tag| tag.at.is_none());
    let gone = gone.map(|tag| {
        tag.at = Some(root);
        tag.tag.clone()
    });
    gone.collect()
}

pub(super) fn moving_tag(tag: Tag, kind: RecordedTagKind, previous: Option<Digest>) -> MovingTag {
    MovingTag {
        tag,
        kind,
        at: None,
        line_goal: None,
        previous,
    }
}

/// Plans the tags, with what their goals depend on.
///
/// # Errors
/// A store that cannot tell.
pub(super) async fn plan_tags(
    search: &mut LineSearch<'_>,
    tags: &mut [MovingTag],
    state: &mut RollbackState,
) -> Result<Vec<RollbackTag>, Failure> {
    for tag in tags.iter_mut() {
        if !tag.at.is_some_and(|at| state.moved_off.contains(&at)) {
            continue;
        }
        if tag.kind == RecordedTagKind::Line {
            tag.line_goal = search.find_goal(&tag.tag).await?;
        }
        let goes_back = tag.line_goal.is_none() && tag.kind != RecordedTagKind::Environment;
        if let Some(previous) = tag.previous.filter(|_| goes_back)
            && is_usable(search, previous).await?
        {
            state.usable.insert(previous);
        }
    }
    Ok(plan_rollback_tags(tags, state))
}

/// Returns whether an image is there and not withdrawn.
async fn is_usable(search: &mut LineSearch<'_>, root: Digest) -> Result<bool, Failure> {
    search.timeline.read_root(root).await?;
    if search.withdrawn == Some(root) || search.timeline.known().is_withdrawn(root) {
        return Ok(false);
    }
    let found = search.read(&TagOrDigest::Digest(root)).await?;
    Ok(found.is_some())
}

/// Returns the immutable tags and the version of releases, by which lines are known.
pub(super) fn version_tags(recorded: &[RecordedTag], version: Option<&str>) -> Vec<Tag> {
    let immutable = recorded
        .iter()
        .filter(|tag| tag.kind == RecordedTagKind::Immutable);
    let names = immutable.map(|tag| tag.name.as_str()).chain(version);
    let tags: BTreeSet<Tag> = names.filter_map(|name| name.parse().ok()).collect();
    tags.into_iter().collect()
}
