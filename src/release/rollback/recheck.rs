//! Lists the timeline again after the entry, and corrects tags that the rollback wrote.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::line_search::LineSearch;
use super::moving_tags::plan_tags;
use super::tag_writes::write_tags;
use crate::image::{Digest, Tag};
use crate::record::{Timeline, TimelineEntry};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::plan::rollback_tags::{
    MovingTag, RollbackState, RollbackTag, RollbackTagChange,
};
use crate::release::records::open_timeline::OpenTimeline;
use crate::tagging::ExcludedVersions;

/// How often the timeline is listed: each time another run came between.
const LISTS_LIMIT: u32 = 12;

/// Tags that a rollback wrote, and what they depend on.
pub(super) struct Recheck<'a> {
    pub(super) context: &'a ReleaseContext,
    pub(super) excluded: &'a ExcludedVersions,
    pub(super) withdrawn: Digest,
    /// Version tags of the withdrawn root.
    pub(super) own_tags: Vec<Tag>,
    /// Our entry, with the tag that it has.
    pub(super) own: Option<(TimelineEntry, Tag)>,
    /// Moving tags as they were observed.
    pub(super) moving: Vec<MovingTag>,
}

impl Recheck<'_> {
    /// Corrects tags until the timeline has no new entry that changes them. `tags` are updated.
    ///
    /// # Errors
    /// A store that fails, and tags that other runs keep moving.
    pub(super) async fn run(
        &self,
        timeline: &mut OpenTimeline,
        tags: &mut [RollbackTag],
    ) -> Result<(), Failure> {
        for _ in 0..LISTS_LIMIT {
            let own = self.own.as_ref().map(|(_, tag)| tag);
            if !timeline.relist(own).await? {
                return Ok(());
            }
            let corrected = self.correct(timeline, tags).await?;
            for corrected in &corrected {
                for tag in tags.iter_mut().filter(|tag| tag.tag == corrected.tag) {
                    tag.change = corrected.change.clone();
                }
            }
            if !corrected.iter().any(|tag| tag.target().is_some()) {
                return Ok(());
            }
        }
        let environment = &timeline.view.location().environment;
        Err(Failure::service(format!(
            "{}: other runs keep changing the timeline of {environment}",
            timeline.destination.name
        ))
        .with_hint("repeat the run once the others have ended"))
    }

    /// Corrects the tags that name what this run wrote, or a root that is withdrawn meanwhile.
    async fn correct(
        &self,
        timeline: &OpenTimeline,
        tags: &[RollbackTag],
    ) -> Result<Vec<RollbackTag>, Failure> {
        let forecast = self.forecast(timeline);
        let written: Vec<&RollbackTag> = tags.iter().filter(|tag| tag.target().is_some()).collect();
        let digests = written.iter().map(|tag| timeline.resolve_tag(&tag.tag));
        let digests = try_join_all(digests).await?;
        let mut moving = Vec::new();
        let mut moved_off = BTreeSet::new();
        for (tag, at) in written.into_iter().zip(digests) {
            let is_ours = at == tag.target();
            let Some(at) = at.filter(|at| is_ours || forecast.is_withdrawn(*at)) else {
                continue;
            };
            moved_off.insert(at);
            let observed = self.moving.iter().find(|it| it.tag == tag.tag);
            moving.extend(observed.map(|observed| MovingTag {
                at: Some(at),
                line_goal: None,
                ..observed.clone()
            }));
        }
        let mut state = RollbackState {
            moved_off,
            current: forecast.current().map(|(_, root)| root),
            moves_environment: false,
            usable: BTreeSet::new(),
        };
        let own_tags = self.own_tags.clone();
        let mut search = LineSearch::new(timeline, self.excluded, self.withdrawn, own_tags);
        let mut planned = plan_tags(&mut search, &mut moving, &mut state).await?;
        planned.retain(|tag| tag.change != RollbackTagChange::Unchanged);
        write_tags(self.context, timeline, &planned, &search.manifests).await?;
        Ok(planned)
    }

    fn forecast(&self, timeline: &OpenTimeline) -> Timeline {
        let known = timeline.known();
        let own = self.own.iter().map(|(entry, _)| entry.clone());
        Timeline::new(known.entries().iter().cloned().chain(own).collect())
    }
}
