//! The tag of the environment, and what is known of the image that it names.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::intent::Intent;
use super::open_timeline::OpenTimeline;
use crate::image::{Digest, Tag};
use crate::record::{RecordAction, RecordedTagKind, ReleaseRecord};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::tagging::ReleaseVersion;

/// Tags of the environment: one, or as many as its rules give.
pub(crate) struct EnvironmentTags {
    pub(crate) tags: Vec<Tag>,
    /// What the first one names that is there.
    pub(crate) at: Option<Digest>,
}

/// What is known of the image that an environment's tag names.
pub(crate) enum EnvironmentRoot {
    /// The timeline has releases of it.
    Recorded,
    /// A rollback withdrew it.
    Withdrawn,
    /// A release of it began, and has no timeline entry.
    Unfinished(Box<Intent>),
    /// Nothing.
    Unknown,
}

impl EnvironmentTags {
    /// Finds the tags by the newest release or rollback that has them, else by the environment's name. A signer
    /// that may only mark cannot name them.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn observe(timeline: &OpenTimeline) -> Result<Self, Failure> {
        let known = timeline.view.timeline_read();
        let newest_first = known.entries().iter().rev();
        let moving = newest_first
            .filter(|entry| entry.action.is_release() || entry.action == RecordAction::Rollback);
        let readings: Vec<_> = moving
            .filter_map(|entry| timeline.view.record_read(entry.record))
            .collect();
        let records = readings
            .iter()
            .filter_map(|reading| Some(reading.counted()?.record()));
        let immutable: BTreeSet<&str> = records
            .clone()
            .flat_map(|record| names(record, RecordedTagKind::Immutable))
            .collect();
        let mut named = records.map(|record| {
            let own = names(record, RecordedTagKind::Environment);
            let own = own.filter(|name| !immutable.contains(name) && !is_version(name));
            own.filter_map(|name| name.parse().ok())
                .collect::<Vec<Tag>>()
        });
        let named = named.find(|tags| !tags.is_empty());
        let tags = named.unwrap_or_else(|| by_name(timeline));
        let resolved = try_join_all(tags.iter().map(|tag| timeline.resolve_tag(tag))).await?;
        let at = resolved.into_iter().flatten().next();
        Ok(Self { tags, at })
    }
}

fn names(record: &ReleaseRecord, kind: RecordedTagKind) -> impl Iterator<Item = &str> {
    let tags = record.predicate.tags.iter();
    let of_kind = tags.filter(move |tag| tag.kind == kind);
    of_kind.map(|tag| tag.name.as_str())
}

/// Returns whether a tag reads as a version or a version line, which is never the tag of an environment.
fn is_version(tag: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    ReleaseVersion::parse(tag).is_some() || is_number(tag.strip_prefix('v').unwrap_or(tag))
}

fn by_name(timeline: &OpenTimeline) -> Vec<Tag> {
    let name = timeline.view.location().environment.as_str();
    let there = timeline.tags.iter().filter(|tag| tag.as_str() == name);
    there.cloned().collect()
}

impl EnvironmentRoot {
    /// Finds out what is known of a root.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn find(
        context: &ReleaseContext,
        timeline: &OpenTimeline,
        root: Digest,
    ) -> Result<Self, Failure> {
        timeline.read_root(root).await?;
        if timeline.known().is_withdrawn(root) {
            return Ok(Self::Withdrawn);
        }
        if timeline.newest_release(root).is_some() {
            return Ok(Self::Recorded);
        }
        let intents = timeline.list_intents(root).await?;
        let unfinished = timeline.find_unfinished(
            context,
            &intents,
            root,
            |_| true,
            |action| action.is_release(),
        );
        // The repetition of a release that is older than the current one leaves the tag where it is.
        let newest = timeline.known().current().map(|(entry, _)| entry.order());
        let is_newer = |intent: &Intent| {
            let planned_at = intent.verified.record.predicate.planned_at;
            newest.is_none_or(|newest| (planned_at, intent.verified.id) > newest)
        };
        let unfinished = unfinished.await?.filter(is_newer);
        Ok(unfinished.map_or(Self::Unknown, |intent| Self::Unfinished(Box::new(intent))))
    }
}
