//! Drafts the record of a release from what was resolved, observed and planned.

use jiff::Timestamp;

use super::intent::Intent;
use super::observe::ObservedTimeline;
use super::options::RunAccount;
use super::record_basis::RecordBasis;
use super::source_timeline::SourceTimeline;
use super::timeline_view::CountedRecord;
use crate::image::Digest;
use crate::record::{
    RecordAction, RecordBlob, RecordedBuild, RecordedCommit, RecordedSource, RecordedTag,
    RecordedTagKind, ReleasePredicate, ReleaseRecord, SOURCE_RECORDS_LIMIT,
};
use crate::release::outcome::TagChange;
use crate::release::plan::tags::{TagPlan, TagStep};
use crate::release::prepared_release::PreparedRelease;
use crate::release::request::ReleaseVerb;
use crate::tagging::{MovingTagSource, TagKind};
use crate::transfer::{ImageReader, StoreError};

/// Returns a record of `action` in a timeline, with what every record says.
pub(crate) fn base_record(
    basis: &RecordBasis<'_>,
    account: &RunAccount,
    root: Digest,
    action: RecordAction,
) -> ReleaseRecord {
    let place = basis.location.place();
    ReleaseRecord {
        root,
        predicate: ReleasePredicate {
            environment: place.environment,
            destination: place.destination,
            action,
            version: None,
            tags: Vec::new(),
            source: None,
            commit: None,
            build: RecordedBuild::default(),
            evidence: Vec::new(),
            policy: account.policy.clone(),
            run: account.run.clone(),
            tool: account.tool.clone(),
            reason: account.reason.clone(),
            link: account.link.clone(),
            about: None,
            restores: None,
            reinstates: Vec::new(),
            hold: None,
            deletions: Vec::new(),
            planned_at: basis.planned_at,
            previous: basis.recent.heads.clone(),
            past: basis.recent.timeline.past(),
        },
    }
}

/// Returns the record of a release at one destination.
pub(crate) fn release_record(
    prepared: &PreparedRelease<'_>,
    account: &RunAccount,
    observed: &ObservedTimeline,
    source: Option<&SourceTimeline>,
    plan: &TagPlan,
) -> ReleaseRecord {
    let root = prepared.image.root.digest;
    let reinstates: Vec<_> = observed.state.withdrawals(root).collect();
    let action = match (reinstates.is_empty(), prepared.request.verb) {
        (false, _) => RecordAction::Reinstate,
        (true, ReleaseVerb::Push) => RecordAction::Push,
        (true, ReleaseVerb::Promote) => RecordAction::Promote,
    };
    let mut record = base_record(&observed.basis(), account, root, action);
    let before = source.and_then(source_record);
    record
        .predicate
        .version
        .clone_from(&prepared.derived.version);
    let tags = plan
        .steps
        .iter()
        .filter_map(|step| recorded_tag(step, root, observed.left.as_ref()));
    record.predicate.tags = tags.collect();
    record.predicate.source = Some(recorded_source(prepared, source, before));
    record.predicate.commit = recorded_commit(prepared, before);
    record.predicate.build = match before {
        _ if account.build != RecordedBuild::default() => account.build.clone(),
        Some(before) => before.record().predicate.build.clone(),
        None => RecordedBuild::default(),
    };
    let grounds = prepared.grounds(account, &record.predicate.destination);
    record.predicate.evidence = grounds.evidence;
    record.predicate.reason = grounds.reason;
    record.predicate.reinstates = reinstates;
    record
}

/// Returns the release of the image in the environment that it comes from.
fn source_record(source: &SourceTimeline) -> Option<&CountedRecord> {
    source.release.as_ref()?.counted()
}

/// Returns a tag of the release. One that an attempt which is `left` wrote had what that found before.
fn recorded_tag(step: &TagStep, root: Digest, left: Option<&Intent>) -> Option<RecordedTag> {
    let found_before = left.and_then(|intent| {
        let mut tags = intent.verified.record.predicate.tags.iter();
        tags.find(|tag| tag.name == step.planned.tag.as_str())
    });
    let previous = match &step.change {
        TagChange::Created => None,
        TagChange::Moved { from } => Some(*from),
        TagChange::Unchanged => found_before.map_or(Some(root), |tag| tag.previous),
        TagChange::Stays { .. } | TagChange::Corrected { .. } => return None,
    };
    let kind = match &step.planned.kind {
        TagKind::Immutable(_) => RecordedTagKind::Immutable,
        TagKind::Moving(MovingTagSource::Line(_)) => RecordedTagKind::Line,
        TagKind::Moving(MovingTagSource::Environment) => RecordedTagKind::Environment,
        TagKind::Moving(_) => RecordedTagKind::Moving,
    };
    Some(RecordedTag {
        name: step.planned.tag.to_string(),
        kind,
        previous,
    })
}

fn recorded_source(
    prepared: &PreparedRelease<'_>,
    source: Option<&SourceTimeline>,
    before: Option<&CountedRecord>,
) -> RecordedSource {
    RecordedSource {
        uri: prepared.image.location.to_string(),
        environment: source.map(|source| source.view.location().environment.clone()),
        record: before.map(|record| record.entry.record),
    }
}

fn recorded_commit(
    prepared: &PreparedRelease<'_>,
    before: Option<&CountedRecord>,
) -> Option<RecordedCommit> {
    let before = before.and_then(|record| record.record().predicate.commit.clone());
    if before.is_some() {
        return before;
    }
    let sha = prepared.commit.as_ref()?.to_string();
    let facts = prepared.request.facts.as_ref();
    // Of a promotion the event is about another commit.
    let facts = facts.filter(|_| prepared.request.verb == ReleaseVerb::Push);
    let label = prepared.image.origin.as_ref();
    let label = label.and_then(|origin| origin.source.clone());
    Some(RecordedCommit {
        repository: label.or_else(|| facts?.repository.clone()),
        sha,
        git_ref: facts.and_then(|facts| Some(facts.git_ref.as_ref()?.to_string())),
        committed_at: committed_at(prepared),
    })
}

/// Returns the time of the commit as the checkout has it, RFC 3339.
fn committed_at(prepared: &PreparedRelease<'_>) -> Option<String> {
    let ancestry = prepared.context.ancestry.as_ref()?;
    let seconds = ancestry.committed_at(prepared.commit.as_ref()?)?;
    Timestamp::from_second(seconds)
        .ok()
        .map(|time| time.to_string())
}

/// Reads the records that a release rests on: that of the environment before, and those that it carries.
///
/// # Errors
/// A store that fails.
pub(crate) async fn carried_records(
    source: Option<&SourceTimeline>,
    reader: &ImageReader,
) -> Result<Vec<RecordBlob>, StoreError> {
    let Some(before) = source.and_then(source_record) else {
        return Ok(Vec::new());
    };
    let mut records = vec![before.blob.clone()];
    for layer in before.sources.iter().take(SOURCE_RECORDS_LIMIT - 1) {
        let limit = super::record_rejection::RECORD_BLOB_LIMIT;
        records.push(RecordBlob {
            media_type: layer.media_type.clone(),
            content: reader.read_small_blob(layer, limit).await?,
        });
    }
    Ok(records)
}
