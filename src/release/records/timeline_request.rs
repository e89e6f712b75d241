use super::intent::ListedIntents;
use super::location::TimelineLocation;
use super::open_timeline::OpenTimeline;
use super::options::RunAccount;
use super::record_signing::RecordSigning;
use super::referrer_form::{IntentForm, RootSignatures};
use super::stage::{RecordContent, RecordStage};
use crate::image::{Descriptor, Destination, Digest, Manifest, MediaType, TagOrDigest};
use crate::record::ReleaseRecord;
use crate::referrers::ReferrersSource;
use crate::registry::RepositoryAccess;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::request::SignatureFormat;
use crate::signing::Signer;
use crate::transfer::Side;

/// Entries that do not count and are read to find one that does: more than for a release, since a rollback may be an
/// emergency, and an adoption may begin among entries that were written before the environment signed.
pub(crate) const PATIENT_STRAY_LIMIT: usize = 1_024;

/// What the requests of a rollback, a mark and an adoption have in common.
#[derive(Debug, Clone)]
pub struct TimelineRequest {
    /// Timeline.
    pub location: TimelineLocation,
    /// What the record says of the run itself.
    pub account: RunAccount,
    /// Signer of the record; `None` if it is not signed.
    pub signer: Option<Signer>,
    /// Whether a withdrawn root gets a verification summary that says so.
    pub adds_summary: bool,
}

impl TimelineRequest {
    /// Announces the repositories to the registries' client, so that their requests share logins.
    pub(crate) fn announce(&self, context: &ReleaseContext) {
        self.announce_with(context, RepositoryAccess::PullPush);
    }

    /// Announces the repositories, of which that of the images needs `access`.
    pub(crate) fn announce_with(&self, context: &ReleaseContext, access: RepositoryAccess) {
        let images = (&self.location.destination, access);
        let entries = self.location.entries_at.as_ref();
        let entries = entries.map(|place| (place, RepositoryAccess::PullPush));
        let places = [images].into_iter().chain(entries);
        let repositories = places.filter_map(|(place, access)| match place {
            Destination::Registry(repository) => Some((repository, access)),
            Destination::Layout(_) => None,
        });
        context.registry.expect(repositories);
    }

    /// Requires that the environment accepts a new record from this run.
    ///
    /// # Errors
    /// An environment that does not, and a signer that cannot be opened.
    pub(crate) async fn check_signer(
        &self,
        context: &ReleaseContext,
        content: &RecordContent,
    ) -> Result<(), Failure> {
        self.plan_signing(context, content).await.map(drop)
    }

    async fn plan_signing(
        &self,
        context: &ReleaseContext,
        content: &RecordContent,
    ) -> Result<Option<RecordSigning<'_>>, Failure> {
        let RecordContent::New(record) = content else {
            return Ok(None);
        };
        RecordSigning::plan(self.signer.as_ref(), context, &self.location, record).await
    }

    /// Plans the stage that writes a record about `subject`. Without it, as where the image is gone, the record is the
    /// timeline entry alone: no referrer can name the image.
    ///
    /// # Errors
    /// An environment that does not accept the record from this run, and a signer that cannot be opened.
    pub(crate) async fn plan_stage<'a>(
        &'a self,
        context: &'a ReleaseContext,
        timeline: &'a OpenTimeline,
        subject: Option<Descriptor>,
        content: RecordContent,
        intents: &ListedIntents,
    ) -> Result<RecordStage<'a>, Failure> {
        let location = timeline.view.location();
        let signing = self.plan_signing(context, &content).await?;
        let form = IntentForm::choose(RootSignatures {
            signs_record: signing.is_some() || content.is_stored_bundle(),
            formats: &[SignatureFormat::Bundle],
            signs_root: false,
            has_bundle: intents.has_bundle,
        });
        Ok(RecordStage {
            context,
            location: location.clone(),
            store: &timeline.destination.store,
            entries: timeline.entries.clone(),
            is_intent_listed: subject.is_none() || matches!(content, RecordContent::Begun(_)),
            subject: subject.unwrap_or_else(|| gone_subject(content.record().root)),
            content,
            signing,
            form,
            source_records: Vec::new(),
            referrers: intents.source.clone(),
            superseded: None,
            stored: None,
        })
    }
}

impl TimelineRequest {
    /// Plans the stage that writes a record as its timeline entry alone, without an intent: of a hold, which adds no
    /// referrer to the image, and of a deletion, after which the image is gone.
    ///
    /// # Errors
    /// An environment that does not accept the record from this run, and a signer that cannot be opened.
    pub(crate) async fn plan_entry_alone<'a>(
        &'a self,
        context: &'a ReleaseContext,
        timeline: &'a OpenTimeline,
        record: ReleaseRecord,
    ) -> Result<RecordStage<'a>, Failure> {
        let subject = gone_subject(record.root);
        let content = RecordContent::New(Box::new(record));
        let signing = self.plan_signing(context, &content).await?;
        let form = IntentForm::choose(RootSignatures {
            signs_record: signing.is_some(),
            formats: &[SignatureFormat::Bundle],
            signs_root: false,
            has_bundle: false,
        });
        Ok(RecordStage {
            context,
            location: timeline.view.location().clone(),
            store: &timeline.destination.store,
            entries: timeline.entries.clone(),
            subject,
            content,
            signing,
            form,
            source_records: Vec::new(),
            referrers: ReferrersSource::Native,
            is_intent_listed: true,
            superseded: None,
            stored: None,
        })
    }
}

/// Returns what stands for a root that is gone: nothing refers to it.
fn gone_subject(root: Digest) -> Descriptor {
    Descriptor::new(MediaType::OciManifest.as_str(), root, 0)
}

impl OpenTimeline {
    /// Reads the root manifest of an image; `None` if the repository does not have it.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn get_root(&self, root: Digest) -> Result<Option<Manifest>, Failure> {
        let store = &self.destination.store;
        let manifest = store.get_manifest(&TagOrDigest::Digest(root)).await;
        let place = &self.destination.name;
        manifest.map_err(|error| Failure::from_store_error(Side::Destination, place, error))
    }

    /// Reads the root manifest of an image that a record is about.
    ///
    /// # Errors
    /// An image that is gone, and a store that cannot tell.
    pub(crate) async fn require_root(&self, root: Digest) -> Result<Manifest, Failure> {
        self.get_root(root).await?.ok_or_else(|| {
            Failure::refused(format!("{} has no image {root}", self.destination.name))
                .with_reason("a record is written next to the image that it is about")
                .with_hint("name a release whose image is still there")
        })
    }
}
