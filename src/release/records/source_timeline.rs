//! Timelines of the environments that an image may come from: the record that a release rests on, and what
//! rules it out.

use std::sync::Arc;

use futures_util::future::{try_join, try_join_all};

use super::location::TimelineLocation;
use super::options::RecordOptions;
use super::source_tags::SourceTags;
use super::timeline_view::{EntryReading, TimelineView};
use crate::image::Digest;
use crate::record::{RecordAction, ReleaseMark};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::resolve::image_store::open_to_read;
use crate::transfer::Side;

/// Timeline of the environment that the image comes from.
pub(crate) struct SourceTimeline {
    pub(crate) view: Arc<TimelineView>,
    /// Newest counted release of the root there.
    pub(crate) release: Option<Arc<EntryReading>>,
}

/// Lists the timelines of the environments that the image may come from, the one that it comes from first;
/// none if no policy names one. Those in `listed` were listed before.
///
/// # Errors
/// A store that fails.
pub(crate) async fn list_source_timelines(
    options: Option<&RecordOptions>,
    context: &ReleaseContext,
    mut listed: Vec<TimelineView>,
    tags: Option<&SourceTags>,
) -> Result<Vec<Arc<TimelineView>>, Failure> {
    let Some((options, source)) = options.and_then(|it| Some((it, it.source.as_ref()?))) else {
        return Ok(Vec::new());
    };
    let locations = std::iter::once(source).chain(&options.other_sources);
    let mut take = |location: &TimelineLocation| {
        let is_it = |view: &TimelineView| view.location().place() == location.place();
        let at = listed.iter().position(is_it)?;
        Some(listed.swap_remove(at))
    };
    let each = locations.map(|location| (location, take(location)));
    let each = each.map(|(location, view)| async move {
        let view = match view {
            Some(view) => Ok(view),
            None => match tags.filter(|tags| tags.has_timeline(location)) {
                Some(tags) => tags.list_timeline().await,
                None => list_timeline(context, location).await,
            },
        };
        view.map(Arc::new)
    });
    try_join_all(each.collect::<Vec<_>>()).await
}

/// Lists the names of a timeline.
///
/// # Errors
/// A store that fails.
pub(crate) async fn list_timeline(
    context: &ReleaseContext,
    location: &TimelineLocation,
) -> Result<TimelineView, Failure> {
    let place = location.entries();
    let store = open_to_read(context, place);
    let tags = store.tags().await;
    let tags = tags.map_err(|error| Failure::from_store_error(Side::Source, place, error))?;
    Ok(TimelineView::new(location.clone(), &store, &tags))
}

/// Reads what the timelines say of a root, the first being the one that it comes from; `None` without any.
///
/// # Errors
/// Records of two environments that name two commits, and stores that fail.
pub(super) async fn observe_source(
    context: &ReleaseContext,
    views: &[Arc<TimelineView>],
    root: Digest,
) -> Result<Option<SourceTimeline>, Failure> {
    let Some((view, others)) = views.split_first() else {
        return Ok(None);
    };
    let is_mark =
        |action: &RecordAction| matches!(action, RecordAction::Deployed | RecordAction::Failed);
    let own = async {
        let release = view.read_newest_release(root).await?;
        view.read_withdrawal(root).await?;
        view.read_all(view.names_of(root, is_mark)).await?;
        Ok(release)
    };
    let elsewhere = others.iter().map(|other| other.read_newest_release(root));
    let (release, elsewhere) = try_join(own, try_join_all(elsewhere)).await?;
    let source = SourceTimeline {
        view: view.clone(),
        release,
    };
    if source.view.location().trust.is_none() {
        source.warn_of_state(context, root);
    }
    for (other, release) in others.iter().zip(elsewhere) {
        source.refuse_other_commit(root, other, release.as_deref())?;
    }
    Ok(Some(source))
}

impl SourceTimeline {
    /// Requires a counted release of the root that nothing took back.
    ///
    /// # Errors
    /// A release that is missing or does not count, and one that was withdrawn or failed.
    pub(super) fn require_release(&self, root: Digest) -> Result<(), Failure> {
        if self.release.is_none() {
            return Err(self.missing_record(root));
        }
        let location = self.view.location();
        let (environment, place) = (&location.environment, location.entries());
        let timeline = self.view.timeline_read();
        if let Some(rollback) = timeline.withdrawals(root).last() {
            return Err(Failure::refused(format!(
                "{root} is withdrawn from {environment}, where it comes from"
            ))
            .with_reason(format!(
                "{place}: the rollback {rollback} withdrew it{}",
                self.view.withdrawal_reason(rollback)
            ))
            .with_hint(format!(
                "promote another image, or release this one to {environment} again with reinstate: true and reason"
            )));
        }
        if timeline.mark(root) == Some(ReleaseMark::Failed) {
            return Err(Failure::refused(format!(
                "{root} is marked as failed in {environment}, where it comes from"
            ))
            .with_reason(format!(
                "the newest mark of it in {place} says that it does not run as it should"
            ))
            .with_hint(format!(
                "promote another image; once it runs in {environment}, mark it there: shipmark mark --state deployed"
            )));
        }
        Ok(())
    }

    /// Returns the refusal of a root of which no record counts.
    fn missing_record(&self, root: Digest) -> Failure {
        let location = self.view.location();
        let (environment, place) = (&location.environment, location.entries());
        let names: Vec<_> = self
            .view
            .names_of(root, RecordAction::is_release)
            .cloned()
            .collect();
        let passed = self.view.passed_over();
        let newest = passed.iter().rfind(|(name, _)| names.contains(name));
        match newest {
            None => Failure::refused(format!("{root} has no release record in {environment}"))
                .with_reason(format!(
                    "{environment} signs, so an image that comes from there needs a record of its release in {place}"
                ))
                .with_hint(format!(
                    "release it to {environment} first; what was there before records were kept is recorded by shipmark adopt"
                )),
            Some((name, reason)) => Failure::refused(format!(
                "no record of the release of {root} to {environment} counts: {reason}"
            ))
            .with_reason(format!("the newest one is {name} in {place}"))
            .with_hint(format!(
                "release it to {environment} again by a workflow that signers of {environment} names"
            )),
        }
    }

    /// Warns if the environment has withdrawn the root, or marks it as failed.
    fn warn_of_state(&self, context: &ReleaseContext, root: Digest) {
        let location = self.view.location();
        let (environment, place) = (&location.environment, location.entries());
        let timeline = self.view.timeline_read();
        if let Some(rollback) = timeline.withdrawals(root).last() {
            context.notices.warning(format!(
                "{place}: {} is withdrawn from {environment}, where it comes from: the rollback {rollback} withdrew it{}",
                root.short(),
                self.view.withdrawal_reason(rollback)
            ));
        }
        if timeline.mark(root) == Some(ReleaseMark::Failed) {
            context.notices.warning(format!(
                "{place}: {} is marked as failed in {environment}, where it comes from",
                root.short()
            ));
        }
    }

    /// Refuses a root of which another environment records that it was built from another commit.
    fn refuse_other_commit(
        &self,
        root: Digest,
        other: &TimelineView,
        release: Option<&EntryReading>,
    ) -> Result<(), Failure> {
        let own = self.release.as_deref().and_then(EntryReading::counted);
        let own = own.and_then(|record| record.commit());
        let their = release.and_then(EntryReading::counted);
        let their = their.and_then(|record| record.commit());
        let Some((own, their)) = own.zip(their).filter(|(own, their)| own != their) else {
            return Ok(());
        };
        let [from, other] = [self.view.as_ref(), other].map(|view| &view.location().environment);
        Err(Failure::refused(format!(
            "{root} is of commit {own} in {from}, and of commit {their} in {other}"
        ))
        .with_reason("an image is built from one commit, so one of the two records is wrong")
        .with_hint(format!(
            "find out which with shipmark history --environment {from} and --environment {other}, and build the commit again"
        )))
    }
}
