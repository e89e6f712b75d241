//! Writes the tags of a release, and reads immutable ones before and after the write.

use futures_util::future::try_join_all;

use crate::image::{Digest, Manifest, TagOrDigest};
use crate::layout::{LayoutDirectory, LayoutError, LayoutFault, TagPrecondition};
use crate::notices::TagNews;
use crate::registry::{self, ManifestHead, RepositoryClient};
use crate::release::Failure;
use crate::release::destination::OpenDestination;
use crate::release::execute::image::recopy_image;
use crate::release::outcome::TagChange;
use crate::release::plan::tags::{TagPlan, TagStep, immutable_tag_conflict};
use crate::release::prepared_release::PreparedRelease;
use crate::tagging::PlannedTag;
use crate::transfer::{ImageStore, Side, StoreError};

/// Immutable tag that is to be written.
pub(crate) struct PendingImmutableTag<'a> {
    destination: &'a OpenDestination,
    step: &'a TagStep,
    /// Whether another run has written it with the root meanwhile.
    is_written: bool,
}

/// Reason why an immutable tag that did not exist when the run began does now.
pub(crate) const CONCURRENT_WRITE: &str = "another run wrote this immutable tag at the same time";

/// Returns the steps that write, of the immutable tags or of the others.
fn pending_steps<'a>(
    prepared: &'a PreparedRelease<'_>,
    plans: &'a [TagPlan],
    immutable: bool,
) -> impl Iterator<Item = (&'a OpenDestination, &'a TagStep)> {
    let now = move |step: &&TagStep| step.writes() && step.planned.kind.is_immutable() == immutable;
    let each = prepared.destinations.iter().zip(plans);
    each.flat_map(move |(destination, plan)| {
        let steps = plan.steps.iter().filter(now);
        steps.map(move |step| (destination, step))
    })
}

/// Reads the immutable tags that are to be written again: a registry cannot compare and write in
/// one step. They are read back after, as well.
///
/// # Errors
/// A refusal where one was taken in between.
pub(crate) async fn recheck_immutable_tags<'a>(
    prepared: &'a PreparedRelease<'_>,
) -> Result<Vec<PendingImmutableTag<'a>>, Failure> {
    let looks =
        pending_steps(prepared, &prepared.plans, true).map(|(destination, step)| async move {
            let there = match &destination.store {
                ImageStore::Registry(remote) => {
                    head_tag(destination, remote, &step.planned).await?
                }
                // It compares and writes under its lock.
                ImageStore::Layout(_) => None,
            };
            if let Some(there) = &there {
                check_names_root(prepared, destination, &step.planned, there)?;
            }
            Ok(PendingImmutableTag {
                destination,
                step,
                is_written: there.is_some(),
            })
        });
    try_join_all(looks).await
}

/// Writes the immutable tags, everywhere before any other: once a moving tag names a release, the
/// release's own name is there.
///
/// # Errors
/// A refusal where one was taken in between.
pub(crate) async fn write_immutable_tags(
    prepared: &PreparedRelease<'_>,
    tags: Vec<PendingImmutableTag<'_>>,
) -> Result<(), Failure> {
    let writes = tags.into_iter().map(|tag| async move {
        let (destination, planned) = (tag.destination, &tag.step.planned);
        if !tag.is_written {
            write_root_tag(prepared, destination, planned).await?;
            if let ImageStore::Registry(remote) = &destination.store {
                let there = head_tag(destination, remote, planned).await?;
                let there = there.ok_or_else(|| missing_tag_failure(destination, planned))?;
                check_names_root(prepared, destination, planned, &there)?;
            }
        }
        report_write(prepared, destination, tag.step);
        Ok(())
    });
    try_join_all(writes).await.map(drop)
}

/// Writes the moving tags, as `plans` has them by now.
///
/// # Errors
/// A store that fails.
pub(crate) async fn write_moving_tags(
    prepared: &PreparedRelease<'_>,
    plans: &[TagPlan],
) -> Result<(), Failure> {
    let writes = pending_steps(prepared, plans, false).map(|(destination, step)| async move {
        let written = write_root_tag(prepared, destination, &step.planned).await;
        written.map_err(|failure| name_progress(prepared, &step.planned, failure))?;
        report_write(prepared, destination, step);
        Ok(())
    });
    try_join_all(writes).await.map(drop)
}

/// Returns the refusal of a moving tag by a rule of the registry with what is written by then, and the way on: no
/// answer before tells of such a rule.
fn name_progress(
    prepared: &PreparedRelease<'_>,
    planned: &PlannedTag,
    failure: Failure,
) -> Failure {
    let Failure::Refused(diagnostic) = &failure else {
        return failure;
    };
    let hint = diagnostic.hint.clone().unwrap_or_default();
    let without = match planned.kind.is_line() {
        true => "with lines: off",
        false => "by the tag rules",
    };
    let immutable = prepared.derived.tags.iter();
    let immutable = immutable.filter(|planned| planned.kind.is_immutable());
    let immutable: Vec<&str> = immutable.map(|planned| planned.tag.as_str()).collect();
    let written = match immutable.is_empty() {
        true => "the image is there".to_owned(),
        false => format!("the image is there as {}", immutable.join(", ")),
    };
    let unrecorded = match &prepared.request.record {
        Some(_) => ", and the release has no record yet",
        None => "",
    };
    failure.with_hint(format!(
        "{hint}, or leave it out {without}; then repeat the run, or release the image again: that completes this release. By now {written}{unrecorded}"
    ))
}

fn report_write(prepared: &PreparedRelease<'_>, destination: &OpenDestination, step: &TagStep) {
    let (place, tag) = (&destination.name, &step.planned.tag);
    let text = match &step.change {
        TagChange::Moved { from } => format!("{place}: moved tag {tag} from {}", from.short()),
        _ => format!("{place}: created tag {tag}"),
    };
    prepared.context.notices.tag_change(TagNews::Written, text);
}

async fn head_tag(
    destination: &OpenDestination,
    remote: &RepositoryClient,
    planned: &PlannedTag,
) -> Result<Option<ManifestHead>, Failure> {
    let head = remote
        .head_manifest(&TagOrDigest::Tag(planned.tag.clone()))
        .await;
    head.map_err(|error| registry_failure(destination, error))
}

fn check_names_root(
    prepared: &PreparedRelease<'_>,
    destination: &OpenDestination,
    planned: &PlannedTag,
    there: &ManifestHead,
) -> Result<(), Failure> {
    let root = prepared.image.root.digest;
    match there.digest == root {
        true => Ok(()),
        false => Err(
            immutable_tag_conflict(&destination.name, planned, there.digest, root)
                .with_reason(CONCURRENT_WRITE),
        ),
    }
}

/// Reason why a tag was not written.
enum TagWriteError {
    /// The registry lacks content that the manifest names.
    MissingContent(registry::RegistryError),
    Failed(Failure),
}

impl TagWriteError {
    fn into_failure(self, destination: &OpenDestination) -> Failure {
        match self {
            Self::MissingContent(error) => registry_failure(destination, error),
            Self::Failed(failure) => failure,
        }
    }
}

/// Writes a tag with the root. A registry that was expected to have the content below it, and reports
/// only now that it has not, gets the whole image again.
async fn write_root_tag(
    prepared: &PreparedRelease<'_>,
    destination: &OpenDestination,
    planned: &PlannedTag,
) -> Result<(), Failure> {
    let root = &prepared.image.root;
    if let Err(unwritten) = try_write_tag(destination, planned, root, TagPass::First).await {
        let TagWriteError::MissingContent(error) = unwritten else {
            return Err(unwritten.into_failure(destination));
        };
        let text = format!("{error}; copying the whole image again");
        prepared.context.notices.warning(text);
        recopy_image(prepared, destination).await?;
        let written = try_write_tag(destination, planned, root, TagPass::AfterRecopy).await;
        written.map_err(|unwritten| unwritten.into_failure(destination))?;
    }
    Ok(())
}

/// Which write of a tag it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TagPass {
    /// The first one.
    First,
    /// One after the whole image was copied again.
    AfterRecopy,
}

/// Writes a tag, whatever it points to; in a layout an immutable one only if it does not exist.
pub(crate) async fn write_tag(
    destination: &OpenDestination,
    planned: &PlannedTag,
    manifest: &Manifest,
) -> Result<(), Failure> {
    let written = try_write_tag(destination, planned, manifest, TagPass::First).await;
    written.map_err(|unwritten| unwritten.into_failure(destination))
}

async fn try_write_tag(
    destination: &OpenDestination,
    planned: &PlannedTag,
    manifest: &Manifest,
    pass: TagPass,
) -> Result<(), TagWriteError> {
    match &destination.store {
        ImageStore::Registry(remote) => {
            write_registry_tag(destination, remote, planned, manifest, pass).await
        }
        ImageStore::Layout(layout) => {
            let written = write_layout_tag(destination, layout, planned, manifest).await;
            written.map_err(TagWriteError::Failed)
        }
    }
}

async fn write_registry_tag(
    destination: &OpenDestination,
    remote: &RepositoryClient,
    planned: &PlannedTag,
    manifest: &Manifest,
    pass: TagPass,
) -> Result<(), TagWriteError> {
    let target = TagOrDigest::Tag(planned.tag.clone());
    let written = match pass {
        TagPass::First => remote.put_manifest(&target, manifest).await,
        TagPass::AfterRecopy => remote.put_complete_manifest(&target, manifest).await,
    };
    let Err(error) = written else {
        return Ok(());
    };
    if error.lacks_content() {
        return Err(TagWriteError::MissingContent(error));
    }
    let failed = |error| TagWriteError::Failed(registry_failure(destination, error));
    if !error.may_be_immutable_tag() {
        return Err(failed(error));
    }
    match remote.head_manifest(&target).await.map_err(failed)? {
        Some(there) if there.digest == manifest.digest => Ok(()),
        Some(there) => {
            let kept = registry_rule_refusal(destination, planned, there.digest, manifest.digest);
            Err(TagWriteError::Failed(kept))
        }
        // It keeps nothing, so it means something else.
        None => Err(failed(error)),
    }
}

/// Returns the refusal of a registry with a rule of its own against moving this tag.
fn registry_rule_refusal(
    destination: &OpenDestination,
    planned: &PlannedTag,
    there: Digest,
    to: Digest,
) -> Failure {
    let (place, tag) = (&destination.name, &planned.tag);
    let why = format!("a rule of the registry makes {tag} immutable");
    if planned.kind.is_immutable() {
        return immutable_tag_conflict(place, planned, there, to).with_reason(why);
    }
    Failure::refused(format!(
        "tag {tag} of {place} points to {there}, expected {to}"
    ))
    .with_reason(why)
    .with_hint(format!(
        "{tag} is a moving tag ({}): exclude it from the registry's rule for immutable tags",
        planned.kind
    ))
}

/// Writes a tag of a layout, which compares and writes under its lock.
async fn write_layout_tag(
    destination: &OpenDestination,
    layout: &LayoutDirectory,
    planned: &PlannedTag,
    manifest: &Manifest,
) -> Result<(), Failure> {
    let expectation = if planned.kind.is_immutable() {
        TagPrecondition::AbsentOrSame
    } else {
        TagPrecondition::Any
    };
    let place = &destination.name;
    match layout.write_tag(&planned.tag, manifest, expectation).await {
        Ok(_) => Ok(()),
        Err(error) => Err(match conflicting_digest(&error) {
            Some(there) => immutable_tag_conflict(place, planned, there, manifest.digest)
                .with_reason(CONCURRENT_WRITE),
            None => Failure::from_store_error(Side::Destination, place, StoreError::Layout(error)),
        }),
    }
}

fn registry_failure(destination: &OpenDestination, error: registry::RegistryError) -> Failure {
    let error = StoreError::Registry(error);
    Failure::from_store_error(Side::Destination, &destination.name, error)
}

/// Returns the failure for a tag that was written and does not exist.
pub(crate) fn missing_tag_failure(destination: &OpenDestination, planned: &PlannedTag) -> Failure {
    Failure::service(format!(
        "destination {}: tag {} was written, but does not exist",
        destination.name, planned.tag
    ))
}

/// Returns the digest that an immutable tag of a layout points to, if that is the error.
fn conflicting_digest(error: &LayoutError) -> Option<Digest> {
    match &error.fault {
        LayoutFault::TagConflict { there, .. } => Some(*there),
        _ => None,
    }
}
