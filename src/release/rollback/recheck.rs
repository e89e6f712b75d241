//! Lists the timeline again after the entry, and corrects tags that the rollback wrote.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::image_check::check_environment_goal;
use super::line_search::LineSearch;
use super::moving_tags::{moving_tag, plan_tags};
use super::tag_writes::write_tags;
use crate::image::{Digest, Tag};
use crate::record::{RecordAction, RecordedTagKind, Timeline, TimelineEntry};
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
    /// Corrects tags until the timeline has no new entry that changes them. `tags` are updated. They are looked at
    /// at least once: a release that we know of may have put a tag back before it could list our entry.
    ///
    /// # Errors
    /// A store that fails, and tags that other runs keep moving.
    pub(super) async fn run(
        &self,
        timeline: &mut OpenTimeline,
        tags: &mut Vec<RollbackTag>,
    ) -> Result<(), Failure> {
        for round in 0..LISTS_LIMIT {
            let own = self.own.as_ref().map(|(_, tag)| tag);
            let has_new = timeline.relist(own).await?;
            if !has_new && round > 0 {
                return Ok(());
            }
            let corrected = self.correct(timeline, tags, has_new).await?;
            for corrected in &corrected {
                match tags.iter_mut().find(|tag| tag.tag == corrected.tag) {
                    Some(tag) if tag.target().is_some() => tag.change = corrected.change.clone(),
                    Some(tag) => *tag = corrected.clone(),
                    None => tags.push(corrected.clone()),
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

    /// Corrects the tags that name a root which is withdrawn, an environment's tag that names another release than
    /// the current one, and after a new entry the tags that name what this run wrote.
    async fn correct(
        &self,
        timeline: &OpenTimeline,
        tags: &[RollbackTag],
        has_new: bool,
    ) -> Result<Vec<RollbackTag>, Failure> {
        if has_new {
            timeline.view.read_state(&[]).await?;
        }
        let mut moving = self.observe(timeline, tags, has_new).await?;
        let forecast = self.forecast(timeline);
        let mut state = RollbackState {
            moved_off: moving.iter().filter_map(|tag| tag.at).collect(),
            current: forecast.current().map(|(_, root)| root),
            moves_environment: false,
            usable: BTreeSet::new(),
        };
        let own_tags = self.own_tags.clone();
        let is_withdrawn = forecast.is_withdrawn(self.withdrawn);
        let withdrawn = is_withdrawn.then_some(self.withdrawn);
        let mut search = LineSearch::new(timeline, self.excluded, withdrawn, own_tags);
        let mut planned = plan_tags(&mut search, &mut moving, &mut state).await?;
        planned.retain(|tag| tag.change != RollbackTagChange::Unchanged);
        let checked = check_environment_goal(timeline, &planned, None).await;
        if checked.is_err() {
            planned.retain(|tag| tag.kind != RecordedTagKind::Environment);
        }
        write_tags(self.context, timeline, &planned, &search.manifests).await?;
        checked.map(|()| planned)
    }

    /// Returns the moving tags that may have to be corrected.
    async fn observe(
        &self,
        timeline: &OpenTimeline,
        tags: &[RollbackTag],
        has_new: bool,
    ) -> Result<Vec<MovingTag>, Failure> {
        let others = match has_new {
            true => self.moved_by_others(timeline),
            false => Vec::new(),
        };
        let candidates: Vec<&MovingTag> = self.moving.iter().chain(&others).collect();
        let digests = candidates.iter().map(|it| timeline.resolve_tag(&it.tag));
        let digests = try_join_all(digests).await?;
        let mut moving = Vec::new();
        for (candidate, at) in candidates.into_iter().zip(digests) {
            let Some(at) = at else {
                continue;
            };
            let mut written = tags.iter().filter(|tag| tag.tag == candidate.tag);
            let is_ours = written.any(|tag| tag.target() == Some(at));
            if is_ours && !has_new {
                continue;
            }
            timeline.read_root(at).await?;
            // A tag of other releases is theirs, unless it names our withdrawn root.
            let may_move = self.moving.contains(candidate) || at == self.withdrawn;
            let is_withdrawn = may_move && self.forecast(timeline).is_withdrawn(at);
            let is_passed =
                candidate.kind == RecordedTagKind::Environment && self.is_passed(timeline, at);
            if is_ours || is_withdrawn || is_passed {
                moving.push(MovingTag {
                    at: Some(at),
                    line_goal: None,
                    previous: previous(timeline, at, &candidate.tag).or(candidate.previous),
                    ..candidate.clone()
                });
            }
        }
        Ok(moving)
    }

    /// Returns whether the environment's tag names a release that this rollback passes by the records: one that we
    /// did not see, planned before ours. A release without an entry is left to its run, which lists ours.
    fn is_passed(&self, timeline: &OpenTimeline, at: Digest) -> bool {
        let own = self.own.as_ref();
        let sets_environment = own.is_some_and(|(entry, _)| entry.restores.is_some());
        let current = self.forecast(timeline).current().map(|(_, root)| root);
        sets_environment && current != Some(at) && timeline.newest_release(at).is_some()
    }

    /// Returns the tags that rollbacks of other releases moved, and the withdrawn release did not write.
    fn moved_by_others(&self, timeline: &OpenTimeline) -> Vec<MovingTag> {
        let read = timeline.view.timeline_read();
        let rollbacks = read
            .entries()
            .iter()
            .filter(|entry| entry.action == RecordAction::Rollback && entry.root != self.withdrawn);
        let mut others: Vec<MovingTag> = Vec::new();
        for reading in rollbacks.filter_map(|entry| timeline.view.record_read(entry.record)) {
            let record = reading.counted().map(|counted| counted.record());
            for tag in record.iter().flat_map(|record| &record.predicate.tags) {
                let is_followed =
                    matches!(tag.kind, RecordedTagKind::Line | RecordedTagKind::Moving);
                let Some(name) = tag.name.parse::<Tag>().ok().filter(|_| is_followed) else {
                    continue;
                };
                let mut known = self.moving.iter().chain(&others);
                if known.all(|known| known.tag != name) {
                    others.push(moving_tag(name, tag.kind, None));
                }
            }
        }
        others
    }

    fn forecast(&self, timeline: &OpenTimeline) -> Timeline {
        let known = timeline.known();
        let own = self.own.iter().map(|(entry, _)| entry.clone());
        Timeline::new(known.entries().iter().cloned().chain(own).collect())
    }
}

/// Returns what a tag named before the releases of a root, by their records.
fn previous(timeline: &OpenTimeline, root: Digest, tag: &Tag) -> Option<Digest> {
    let releases = timeline.releases_read(root);
    let mut newest_first = releases.iter().rev();
    newest_first.find_map(|reading| {
        let tags = &reading.counted()?.record().predicate.tags;
        let recorded = tags.iter().find(|recorded| recorded.name == tag.as_str())?;
        recorded.previous.filter(|previous| *previous != root)
    })
}
