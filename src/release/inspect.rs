//! Account of an image: where it comes from, its signatures and documents, and the environments that it was
//! released to.

mod carried_records;
mod environment_account;
mod image_evidence;
mod inspect_request;
mod open_image;
mod reached_timelines;
mod tag_check;

use std::cmp::Reverse;

use futures_util::future::{try_join, try_join_all};

use super::Failure;
use super::context::ReleaseContext;
use super::history::{HistoryRequest, current_release, environment_drift, read_history};
use super::records::location::TimelineLocation;
use super::records::release_name::adoption_advice;
use super::resolve::image_origin::read_image_origin;
use super::resolve::image_store::open_to_show;
use super::verify::check::Verification;
use crate::image::{Destination, Digest, ImageSource, TagOrDigest};
use crate::record::{HistoryFilter, RecordedBuild, RecordedCommit, RecordedEvidence};
use crate::tagging::EnvironmentName;
use crate::transfer::{ImageReader, Side};
use carried_records::add_carried_records;
pub use environment_account::{CarriedRecord, EnvironmentAccount};
pub use image_evidence::InspectedEvidence;
pub use inspect_request::{InspectRequest, InspectSubject};
use open_image::{OpenImage, open_image};
use reached_timelines::reached_timelines;

/// Account of an image.
#[derive(Debug, Clone)]
pub struct InspectOutcome {
    /// Environment that was asked about.
    pub environment: Option<EnvironmentName>,
    /// The image.
    pub image: KnownImage,
    /// Signatures and documents that the repository lists.
    pub evidence: Vec<InspectedEvidence>,
    /// Signatures and attestations, verified; `None` if no signer is expected.
    pub verification: Option<Verification>,
    /// Environments that the image was released to, or nearly.
    pub environments: Vec<EnvironmentAccount>,
}

/// Image with what is known of its origin.
#[derive(Debug, Clone)]
pub struct KnownImage {
    /// Reference, as given or found.
    pub source: ImageSource,
    /// Its repository.
    pub place: Destination,
    /// Root.
    pub root: Digest,
    /// Media type of the root.
    pub media_type: String,
    /// Version, by a record, else by labels.
    pub version: Option<String>,
    /// Commit, by a record, else by labels.
    pub commit: Option<RecordedCommit>,
    /// What says version and commit: `record` or `labels`.
    pub origin_from: Option<&'static str>,
    /// How it was built, by a record.
    pub build: RecordedBuild,
    /// Documents that a release considered, by a record.
    pub documents: Vec<RecordedEvidence>,
}

/// Newest entries that are read to find what an environment is on.
const CURRENT_LIMIT: usize = 20;

/// Returns the account of an image, or of the one that an environment is on.
///
/// # Errors
/// An image that does not exist, an environment without records, and stores that fail.
pub async fn inspect(
    request: &InspectRequest,
    context: &ReleaseContext,
) -> Result<InspectOutcome, Failure> {
    let (source, environment) = match &request.subject {
        InspectSubject::Image(source) => (source.clone(), None),
        InspectSubject::Environment(location) => (
            current_image(request, location, context).await?,
            Some(location.environment.clone()),
        ),
    };
    let image = open_image(source, context).await?;
    let timelines = reached_timelines(request, &image, context);
    let accounts = timelines
        .iter()
        .map(|location| image.readable_account(request, location, context));
    let evidence = image.check_evidence(request.signer.as_ref());
    let (accounts, (evidence, verification)) =
        Box::pin(try_join(try_join_all(accounts), evidence)).await?;
    let opened = accounts.into_iter().flatten().collect();
    let environments = add_carried_records(request, opened, image.root.digest, context).await;
    let by_nearness = image.by_nearness(environment.as_ref(), &environments);
    let known = image.known(&by_nearness).await?;
    Ok(InspectOutcome {
        environment,
        image: known,
        evidence,
        verification,
        environments,
    })
}

/// Returns the image that an environment is on by its records, else by its tag.
async fn current_image(
    request: &InspectRequest,
    location: &TimelineLocation,
    context: &ReleaseContext,
) -> Result<ImageSource, Failure> {
    let history = HistoryRequest {
        location: location.clone(),
        clock: request.clock,
        limit: Some(CURRENT_LIMIT),
        reads_each: false,
        filter: HistoryFilter::default(),
        tag: None,
    };
    let place = &location.destination;
    let store = open_to_show(context, place).await?;
    let tag = location.environment.tag();
    let found = async {
        let found = store.resolve_tag(tag).await;
        found.map_err(|error| Failure::from_store_error(Side::Source, place, error))
    };
    let read = Box::pin(read_history(&history, context));
    let (read, found) = try_join(read, found).await?;
    let known = read.to_history(&history);
    if let Some(current) = current_release(&known.timeline) {
        let drift = environment_drift(&read, &known, location, found);
        if let Some(drift) = drift {
            let named = match drift.found {
                Some(found) => format!("names {found}"),
                None => "is gone".to_owned(),
            };
            context.notices.warning(format!(
                "{place}: the tag {tag} {named}, and by its records {} is on {}: a run died before its record or is still under way, or somebody moved or deleted the tag",
                location.environment, current.root
            ));
        }
        return Ok(place.to_source(TagOrDigest::Digest(current.root)));
    }
    match found {
        Some(_) => {
            let advice = adoption_advice(location);
            context.notices.warning(format!("{place}: {advice}"));
            Ok(place.to_source(TagOrDigest::Tag(tag.clone())))
        }
        None => Err(Failure::input(format!(
            "nothing says which image {} of {place} is on",
            location.environment
        ))
        .with_reason("the timeline has no record that counts, and there is no tag of this name")
        .with_hint("check environment and images, or name an image in source")),
    }
}

impl OpenImage {
    /// Returns the accounts, those first that were asked about: that of the named environment, then those of the
    /// image's repository, the newest release first.
    fn by_nearness<'a>(
        &self,
        named: Option<&EnvironmentName>,
        accounts: &'a [EnvironmentAccount],
    ) -> Vec<&'a EnvironmentAccount> {
        let mut nearest: Vec<_> = accounts.iter().collect();
        nearest.sort_by_key(|account| {
            let is_here = account.place == self.place;
            let is_named = is_here && Some(&account.environment) == named;
            let release = account.release.as_ref();
            let time = release.map(|release| release.predicate.planned_at);
            (!is_named, !is_here, Reverse(time))
        });
        nearest
    }

    /// Returns what is known of the image: by the first record about it, else by its labels.
    async fn known(&self, environments: &[&EnvironmentAccount]) -> Result<KnownImage, Failure> {
        let carried = environments.iter().flat_map(|it| &it.carried);
        let carried = carried.filter(|it| it.rejection.is_none());
        let releases = environments.iter().filter_map(|it| it.release.as_ref());
        let releases = releases.chain(carried.map(|it| &it.release));
        let records: Vec<_> = releases.map(|release| &release.predicate).collect();
        let version = records.iter().find_map(|record| record.version.clone());
        let commit = records.iter().find_map(|record| record.commit.clone());
        let unknown = RecordedBuild::default();
        let build = records.iter().map(|record| &record.build);
        let build = build.clone().find(|build| **build != unknown).cloned();
        let mut documents: Vec<RecordedEvidence> = Vec::new();
        for document in records.iter().flat_map(|record| &record.evidence) {
            if !documents.contains(document) {
                documents.push(document.clone());
            }
        }
        let mut image = KnownImage {
            source: self.source.clone(),
            place: self.place.clone(),
            root: self.root.digest,
            media_type: self.root.media_type.as_str().to_owned(),
            origin_from: commit.is_some().then_some("record"),
            version,
            commit,
            build: build.unwrap_or_default(),
            documents,
        };
        if image.commit.is_none() {
            self.add_labels(&mut image).await?;
        }
        Ok(image)
    }

    async fn add_labels(&self, image: &mut KnownImage) -> Result<(), Failure> {
        let reader = ImageReader::from_store(self.store.clone());
        let origin = read_image_origin(&reader, &self.root).await;
        let origin =
            origin.map_err(|error| Failure::from_store_error(Side::Source, &self.source, error))?;
        image.origin_from = origin.revision.is_some().then_some("labels");
        image.version = image.version.take().or(origin.version);
        image.commit = origin.revision.map(|revision| RecordedCommit {
            repository: origin.source,
            sha: revision.to_string(),
            git_ref: None,
            committed_at: None,
        });
        Ok(())
    }
}
