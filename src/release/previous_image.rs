//! Finds the image that the most telling moving tag pointed to before, and reads its commit for the report.

use std::pin::pin;
use std::time::Duration;

use super::destination::OpenDestination;
use super::outcome::TagChange;
use super::plan::tags::TagPlan;
use super::prepared_release::PreparedRelease;
use super::release_facts::PreviousImage;
use super::resolve::image_origin;
use crate::image::Digest;
use crate::tagging::{ImageOrigin, MovingTagSource, TagKind, VersionLine};
use crate::transfer::{ImageReader, StoreError};

/// Time that a finished release waits for the labels.
const READ_TIMEOUT: Duration = Duration::from_secs(3);
/// Indexes that are read: with manifest and config at most three requests.
const INDEX_DEPTH: usize = 2;

/// Previous image at each destination, with a note if its labels cannot be read.
#[derive(Default)]
pub(super) struct PreviousImages {
    pub(super) images: Vec<Option<PreviousImage>>,
    pub(super) note: Option<String>,
}

/// Does `work`, and at the same time reads the labels of the first previous image, if the request says
/// so. The work waits for the labels a short time only, and not at all if it fails.
pub(super) async fn read_during<T, E>(
    prepared: &PreparedRelease<'_>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<(T, PreviousImages), E> {
    let mut previous = find_previous_images(prepared);
    let Some(at) = previous.images.iter().position(Option::is_some) else {
        return Ok((work.await?, previous));
    };
    let Some(image) = previous.images[at]
        .as_mut()
        .filter(|_| prepared.request.reads_previous)
    else {
        return Ok((work.await?, previous));
    };
    let digest = image.digest;
    let destination = &prepared.destinations[at];
    let (done, origin) = join_briefly(work, read_labels(destination, digest)).await?;
    match origin {
        Some(Ok(origin)) => {
            image.commit = origin.revision;
            image.source = origin.source;
        }
        Some(Err(error)) => previous.note = Some(unknown_commit_note(digest, &error.to_string())),
        None => {
            let reason = format!("no response for {} s", READ_TIMEOUT.as_secs());
            previous.note = Some(unknown_commit_note(digest, &reason));
        }
    }
    Ok((done, previous))
}

fn unknown_commit_note(digest: Digest, reason: &str) -> String {
    format!("the commit of the previous image {digest} is unknown: {reason}")
}

/// Awaits `work`, and `reading` for at most [`READ_TIMEOUT`] longer.
async fn join_briefly<T, E, R>(
    work: impl Future<Output = Result<T, E>>,
    reading: impl Future<Output = R>,
) -> Result<(T, Option<R>), E> {
    let (mut work, mut reading) = (pin!(work), pin!(reading));
    let mut read = None;
    let done = loop {
        tokio::select! {
            done = &mut work => break done?,
            result = &mut reading, if read.is_none() => read = Some(result),
        }
    };
    if read.is_none() {
        read = tokio::time::timeout(READ_TIMEOUT, reading).await.ok();
    }
    Ok((done, read))
}

async fn read_labels(
    destination: &OpenDestination,
    digest: Digest,
) -> Result<ImageOrigin, StoreError> {
    let reader = ImageReader::from_store(destination.store.clone());
    let Some(root) = reader.get_manifest(digest).await? else {
        return Err(StoreError::Vanished(digest));
    };
    image_origin::read_origin_within(&reader, &root, INDEX_DEPTH).await
}

fn find_previous_images(prepared: &PreparedRelease<'_>) -> PreviousImages {
    PreviousImages {
        images: prepared.plans.iter().map(previous_image).collect(),
        note: None,
    }
}

/// Returns the image that the environment's tag pointed to before, else that of the widest version line.
fn previous_image(plan: &TagPlan) -> Option<PreviousImage> {
    let moved = plan.steps.iter().filter_map(|step| match step.change {
        TagChange::Moved { from } => Some((step, from)),
        _ => None,
    });
    let (step, digest) = moved.min_by_key(|(step, _)| tag_rank(&step.planned.kind))?;
    Some(PreviousImage {
        tag: step.planned.tag.clone(),
        digest,
        commit: None,
        source: None,
    })
}

/// Returns the rank of a moving tag: the lower, the more the tag tells about a release.
pub(super) fn tag_rank(kind: &TagKind) -> u8 {
    let TagKind::Moving(source) = kind else {
        return u8::MAX;
    };
    match source {
        MovingTagSource::Environment => 0,
        MovingTagSource::Line(line) => match line.line {
            VersionLine::Latest => 1,
            VersionLine::Major(_) => 2,
            VersionLine::Minor(..) => 3,
            VersionLine::Channel(_) => 4,
        },
        MovingTagSource::Branch => 5,
        MovingTagSource::PullRequest => 6,
        MovingTagSource::Other => 7,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_finished_release_waits_a_short_time_for_the_labels() {
        let began = Instant::now();
        let joined = join_briefly(async { Ok::<_, ()>(1) }, pending::<()>()).await;
        assert_eq!(joined, Ok((1, None)));
        assert_eq!(began.elapsed(), READ_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_release_does_not_wait_for_the_labels() {
        let began = Instant::now();
        let joined = join_briefly(async { Err::<(), _>(2) }, pending::<()>()).await;
        assert_eq!(joined, Err(2));
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn labels_that_are_read_first_are_kept() {
        let work = async {
            tokio::time::sleep(READ_TIMEOUT * 2).await;
            Ok::<_, ()>(1)
        };
        let reading = async {
            tokio::time::sleep(READ_TIMEOUT).await;
            3
        };
        assert_eq!(join_briefly(work, reading).await, Ok((1, Some(3))));
    }
}
