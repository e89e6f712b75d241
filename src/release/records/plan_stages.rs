//! Plans the stage that writes the record at each destination.

use futures_util::future::try_join_all;

use super::draft::{carried_records, release_record};
use super::intent::Intent;
use super::observe::{ObservedTimeline, ObservedTimelines};
use super::options::RecordOptions;
use super::record_signing::RecordSigning;
use super::referrer_form::{IntentForm, RootSignatures};
use super::stage::{RecordContent, RecordStage};
use crate::image::Digest;
use crate::record::{RecordedBuild, ReleaseRecord};
use crate::referrers::sig_tag;
use crate::release::Failure;
use crate::release::destination::OpenDestination;
use crate::release::failure::signing_failure;
use crate::release::outcome::TagChange;
use crate::release::plan::tags::TagPlan;
use crate::release::prepared_release::PreparedRelease;
use crate::release::request::SignatureFormat;
use crate::release::resolve::build_facts::read_build_facts;
use crate::signing::BUNDLE_TYPE;
use crate::transfer::Side;

/// Plans the records; none where the timeline says already what the release does.
///
/// # Errors
/// A signer that cannot be opened, and stores that fail.
pub(crate) async fn plan_record_stages<'a>(
    prepared: &'a PreparedRelease<'_>,
) -> Result<Vec<Option<RecordStage<'a>>>, Failure> {
    let record = prepared.request.record.as_ref();
    let Some((options, timelines)) = record.zip(prepared.timelines.as_ref()) else {
        return Ok(prepared.destinations.iter().map(|_| None).collect());
    };
    let each = prepared.destinations.iter().zip(&prepared.plans);
    let each = each.zip(&timelines.destinations).enumerate();
    let stages = each.map(|(at, ((destination, plan), observed))| {
        plan_stage(
            prepared,
            options,
            timelines,
            at,
            destination,
            plan,
            observed,
        )
    });
    try_join_all(stages).await
}

async fn plan_stage<'a>(
    prepared: &'a PreparedRelease<'_>,
    options: &RecordOptions,
    timelines: &ObservedTimelines,
    at: usize,
    destination: &'a OpenDestination,
    plan: &TagPlan,
    observed: &ObservedTimeline,
) -> Result<Option<RecordStage<'a>>, Failure> {
    let root = prepared.image.root.to_descriptor();
    let source = timelines.source.as_ref();
    let content = match (&observed.begun, recorded(observed, plan, root.digest)) {
        (Some(begun), _) => RecordContent::Begun(Box::new(begun.clone())),
        (None, Some(recorded)) => RecordContent::Complete(Box::new(recorded)),
        (None, None) => {
            let account = &options.account;
            let mut record = release_record(prepared, account, observed, source, plan);
            add_build_facts(prepared, &mut record).await;
            RecordContent::New(Box::new(record))
        }
    };
    let is_intent_listed = match &content {
        RecordContent::New(_) => false,
        RecordContent::Begun(_) => true,
        RecordContent::Complete(intent) => {
            let record = &intent.verified.record;
            observed.intents.has(&root, record, &intent.blob)
        }
    };
    if let (RecordContent::Complete(_), true) = (&content, is_intent_listed) {
        return Ok(None);
    }
    let source_records = match (&content, source) {
        (RecordContent::Complete(_), _) | (_, None) => Vec::new(),
        (_, Some(timeline)) => {
            let place = timeline.view.location().entries();
            let carried = carried_records(source, timeline.view.reader()).await;
            carried.map_err(|error| Failure::from_store_error(Side::Source, place, error))?
        }
    };
    let signing = record_signing(prepared).await?;
    let form = intent_form(prepared, at, observed, &content);
    Ok(Some(RecordStage {
        context: prepared.context,
        location: observed.view.location().clone(),
        store: &destination.store,
        entries: observed.entries.clone(),
        subject: root,
        content,
        signing,
        form,
        source_records,
        referrers: observed.intents.source.clone(),
        is_intent_listed,
        superseded: observed.superseded_reason(prepared.image.root.digest),
        stored: None,
    }))
}

/// Returns the form of the intent. That of a record which is stored already depends on how it is stored.
fn intent_form(
    prepared: &PreparedRelease<'_>,
    at: usize,
    observed: &ObservedTimeline,
    content: &RecordContent,
) -> IntentForm {
    let signing = prepared.request.signing.as_ref();
    let signs_record = match content {
        RecordContent::New(_) => signing.is_some(),
        RecordContent::Begun(stored) | RecordContent::Complete(stored) => {
            stored.blob.media_type == BUNDLE_TYPE
        }
    };
    IntentForm::choose(RootSignatures {
        signs_record,
        formats: signing.map_or(&[SignatureFormat::Bundle], |signing| &signing.formats),
        signs_root: signing.is_some(),
        has_bundle: observed.intents.has_bundle,
        has_legacy: prepared.states[at]
            .tags
            .contains(&sig_tag(prepared.image.root.digest)),
    })
}

/// Adds from which Dockerfile and target the image was built, if the record does not say it and the image does.
async fn add_build_facts(prepared: &PreparedRelease<'_>, record: &mut ReleaseRecord) {
    if record.predicate.build != RecordedBuild::default() {
        return;
    }
    let image = &prepared.image;
    match read_build_facts(&image.reader, &image.root).await {
        Ok(build) => record.predicate.build = build,
        Err(error) => prepared.context.notices.warning(format!(
            "source {}: the record says nothing of the build: {error}",
            image.location
        )),
    }
}

/// Returns the record that says what the release does: that of the current image, if no immutable tag is new.
fn recorded(observed: &ObservedTimeline, plan: &TagPlan, root: Digest) -> Option<Intent> {
    let (_, current) = observed.state.current()?;
    let adds_tag = plan
        .steps
        .iter()
        .any(|step| step.planned.kind.is_immutable() && step.change == TagChange::Created);
    let record = observed.release.as_ref()?.counted()?;
    (current == root && !adds_tag).then(|| Intent {
        verified: record.verified.clone(),
        blob: record.blob.clone(),
    })
}

async fn record_signing<'a>(
    prepared: &'a PreparedRelease<'_>,
) -> Result<Option<RecordSigning<'a>>, Failure> {
    let Some(signing) = &prepared.request.signing else {
        return Ok(None);
    };
    let context = prepared.context;
    let requirement = signing
        .signer
        .requirement(context.registry.http(), &context.notices);
    Ok(Some(RecordSigning {
        signer: &signing.signer,
        requirement: requirement.await.map_err(signing_failure)?,
    }))
}
