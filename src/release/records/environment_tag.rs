//! The tag of the environment, and what is known of the image that it names.

use futures_util::future::try_join_all;

use super::intent::Intent;
use super::open_timeline::OpenTimeline;
use crate::image::{Digest, Tag};
use crate::record::RecordedTagKind;
use crate::release::Failure;
use crate::release::context::ReleaseContext;

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
    /// Finds the tags by the newest record that has them, else by the environment's name.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn observe(timeline: &OpenTimeline) -> Result<Self, Failure> {
        let known = timeline.view.timeline_read();
        let newest_first = known.entries().iter().rev();
        let mut named = newest_first.filter_map(|entry| {
            let reading = timeline.view.record_read(entry.record)?;
            let tags = &reading.counted()?.record().predicate.tags;
            let own = tags
                .iter()
                .filter(|tag| tag.kind == RecordedTagKind::Environment);
            let own: Vec<Tag> = own.filter_map(|tag| tag.name.parse().ok()).collect();
            (!own.is_empty()).then_some(own)
        });
        let tags = named.next().unwrap_or_else(|| by_name(timeline));
        let resolved = try_join_all(tags.iter().map(|tag| timeline.resolve_tag(tag))).await?;
        let at = resolved.into_iter().flatten().next();
        Ok(Self { tags, at })
    }
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
