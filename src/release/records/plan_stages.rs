//! Plans the stage that writes the record at each destination.

use futures_util::future::try_join_all;

use super::draft::{carried_records, release_record};
use super::intent::Intent;
use super::observe::{ObservedTimeline, ObservedTimelines};
use super::options::RecordOptions;
use super::record_choice::{RecordChoice, choose_record};
use super::record_signing::RecordSigning;
use super::referrer_form::{IntentForm, RootSignatures};
use super::stage::{RecordContent, RecordStage};
use crate::record::{RecordedBuild, ReleaseRecord};
use crate::release::Failure;
use crate::release::destination::OpenDestination;
use crate::release::plan::tags::TagPlan;
use crate::release::prepared_release::PreparedRelease;
use crate::release::resolve::build_facts::read_build_facts;
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
    let each = each.zip(&timelines.destinations);
    let stages = each.map(|((destination, plan), observed)| {
        plan_stage(prepared, options, timelines, destination, plan, observed)
    });
    try_join_all(stages).await
}

async fn plan_stage<'a>(
    prepared: &'a PreparedRelease<'_>,
    options: &RecordOptions,
    timelines: &ObservedTimelines,
    destination: &'a OpenDestination,
    plan: &TagPlan,
    observed: &ObservedTimeline,
) -> Result<Option<RecordStage<'a>>, Failure> {
    let root = prepared.image.root.to_descriptor();
    let source = timelines.source.as_ref();
    let content = match choose_record(prepared, options, observed, plan) {
        RecordChoice::Begun(begun) => RecordContent::Begun(Box::new(begun.clone())),
        RecordChoice::Complete(recorded) => RecordContent::Complete(Box::new(Intent {
            verified: recorded.verified.clone(),
            blob: recorded.blob.clone(),
        })),
        RecordChoice::New => {
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
    let signing = plan_signature(prepared, observed, &content).await?;
    let is_signed = signing.is_some() || content.is_stored_bundle();
    let form = IntentForm::choose(root_signatures(prepared, observed, is_signed));
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

/// Plans the signature of a new record.
async fn plan_signature<'a>(
    prepared: &'a PreparedRelease<'_>,
    observed: &ObservedTimeline,
    content: &RecordContent,
) -> Result<Option<RecordSigning<'a>>, Failure> {
    let RecordContent::New(record) = content else {
        return Ok(None);
    };
    // Who may sign is a matter of the job that promotes.
    if prepared.request.is_check {
        return Ok(None);
    }
    let signing = prepared.request.signing.as_ref();
    let signer = signing.map(|signing| &signing.signer);
    let location = observed.view.location();
    RecordSigning::plan(signer, prepared.context, location, record).await
}

/// Returns what the form of an intent depends on. A run that signs also signs the root.
fn root_signatures<'a>(
    prepared: &'a PreparedRelease<'_>,
    observed: &ObservedTimeline,
    is_signed: bool,
) -> RootSignatures<'a> {
    let signing = prepared.request.signing.as_ref();
    RootSignatures {
        signs_record: is_signed,
        formats: signing.map_or(&[], |signing| &signing.formats),
        signs_root: signing.is_some(),
        has_bundle: observed.intents.has_bundle,
    }
}
