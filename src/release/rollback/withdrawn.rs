//! Chooses the release that is withdrawn.

use super::repetition::find_earlier_attempt;
use super::request::RollbackRequest;
use crate::image::Digest;
use crate::record::{RecordId, RecordedTag, TimelineEntry};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::environment_tag::{EnvironmentRoot, EnvironmentTags};
use crate::release::records::intent::Intent;
use crate::release::records::open_timeline::OpenTimeline;
use crate::release::records::release_name::ReleaseName;

/// Release that is withdrawn.
pub(super) struct WithdrawnRelease {
    pub(super) root: Digest,
    /// Its newest release; of an image that the timeline lacks, what its intent says; `None` if nothing says
    /// anything.
    pub(super) release: Option<TimelineEntry>,
    /// Tags that its releases wrote.
    pub(super) tags: Vec<RecordedTag>,
    /// Whether the environment is on it.
    pub(super) is_current: bool,
    /// Earlier rollback of it.
    pub(super) earlier: Option<RecordId>,
}

/// Chooses the release to withdraw.
///
/// # Errors
/// A name that means no release, no current release, an environment's tag on an unknown image, and a store that
/// cannot tell.
pub(super) async fn choose_withdrawn(
    request: &RollbackRequest,
    context: &ReleaseContext,
    timeline: &OpenTimeline,
    environment: &EnvironmentTags,
) -> Result<WithdrawnRelease, Failure> {
    let named = match &request.withdraw {
        Some(name) => Some(timeline.find_root(name).await?),
        None => None,
    };
    let account = &request.timeline.account;
    let earlier = Box::pin(find_earlier_attempt(context, timeline, account, named)).await?;
    if let Some(earlier) = &earlier {
        earlier.refuse_later_release(timeline)?;
    }
    let named = named.or(earlier.map(|earlier| earlier.root));
    let current = timeline.known().current().map(|(_, root)| root);
    let at = environment.at.filter(|at| Some(*at) != current);
    let found = match at {
        Some(at) => Some((at, EnvironmentRoot::find(context, timeline, at).await?)),
        None => None,
    };
    let is_named_by_digest =
        |at: Digest| named == Some(at) && matches!(request.withdraw, Some(ReleaseName::Digest(_)));
    if let Some((at, EnvironmentRoot::Unknown)) = &found
        && !is_named_by_digest(*at)
    {
        return Err(unknown_image(timeline, environment, *at));
    }
    let root = match (named, &found) {
        (Some(named), _) => named,
        (None, Some((at, EnvironmentRoot::Unfinished(_) | EnvironmentRoot::Withdrawn))) => *at,
        (None, _) => timeline.require_current()?,
    };
    let intent = match found {
        Some((at, EnvironmentRoot::Unfinished(intent))) if at == root => Some(intent),
        _ => None,
    };
    timeline.read_root(root).await?;
    let is_current = current == Some(root) || environment.at == Some(root);
    describe(timeline, root, is_current, intent.as_deref())
}

fn describe(
    timeline: &OpenTimeline,
    root: Digest,
    is_current: bool,
    intent: Option<&Intent>,
) -> Result<WithdrawnRelease, Failure> {
    let recorded = timeline.newest_release(root);
    let begun = intent
        .map(|intent| TimelineEntry::from_record(intent.verified.id, &intent.verified.record));
    let mut tags: Vec<RecordedTag> = Vec::new();
    for reading in timeline.releases_read(root).iter().rev() {
        let record = reading.counted().map(|counted| counted.record());
        tags.extend(
            record
                .into_iter()
                .flat_map(|record| record.predicate.tags.clone()),
        );
    }
    tags.extend(
        intent
            .into_iter()
            .flat_map(|intent| intent.verified.record.predicate.tags.clone()),
    );
    let release = recorded.or(begun);
    if release.is_none() && !is_current {
        return Err(timeline.unreleased(root));
    }
    Ok(WithdrawnRelease {
        root,
        release,
        tags,
        is_current,
        earlier: timeline.known().withdrawals(root).last(),
    })
}

fn unknown_image(timeline: &OpenTimeline, environment: &EnvironmentTags, at: Digest) -> Failure {
    let location = timeline.view.location();
    let tag = environment
        .tags
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    let advice = format!("to withdraw that image, set withdraw: {at}");
    Failure::refused(format!(
        "the tag {tag} of {} names {at}, of which the timeline of {} says nothing",
        location.destination, location.environment
    ))
    .with_reason(
        "somebody moved the tag without a record, so that it is unknown what is to be withdrawn",
    )
    .with_hint(timeline.advise(&advice))
}
