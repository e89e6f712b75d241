//! Steps of an adoption.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::outcome::{AdoptOutcome, AdoptRequest, AdoptedRelease};
use super::plan::{AdoptableTags, AdoptionFacts, PlannedAdoption, is_running};
use super::running_timeline::{read_all_releases, refuse_moved_versions};
use crate::image::{Digest, Tag};
use crate::record::{DigestPrefix, EntryName, RecordAction, TimelineEntry};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::named_root::NamedRoot;
use crate::release::records::draft::base_record;
use crate::release::records::intent::ListedIntents;
use crate::release::records::open_timeline::OpenTimeline;
use crate::release::records::stage::RecordContent;
use crate::release::records::timeline_request::PATIENT_STRAY_LIMIT;

/// Tags that are resolved at the same time.
const RESOLVE_CONCURRENCY: usize = 16;

/// Records the releases that are there.
///
/// # Errors
/// See [`Failure`]. A failure in between leaves records of the oldest versions, and the next run goes on.
pub async fn adopt(
    request: &AdoptRequest,
    context: &ReleaseContext,
) -> Result<AdoptOutcome, Failure> {
    request.timeline.announce(context);
    let (location, now) = (&request.timeline.location, request.timeline.account.now);
    let opened = OpenTimeline::open(context, location, now, PATIENT_STRAY_LIMIT);
    let mut timeline = Box::pin(opened).await?;
    let environment = location.environment.as_str();
    let excluded = &request.excluded_versions;
    let tags = AdoptableTags::find(timeline.tags.iter(), environment, excluded);
    let digests = resolve_tags(&timeline, &tags).await?;
    let recorded = read_recorded(&timeline, &digests).await?;
    read_all_releases(&timeline).await?;
    let withdrawn_before = find_withdrawn_before(&timeline, &digests, &recorded);
    let known = timeline.known();
    let facts = AdoptionFacts {
        digests: &digests,
        known: &known,
        recorded: &recorded,
        withdrawn_before: &withdrawn_before,
    };
    let planned = tags.plan(&facts);
    refuse_moved_versions(&timeline, &planned).await?;
    let mut adopted = Vec::with_capacity(planned.len());
    for release in &planned {
        let entry = match request.dry_run {
            true => None,
            false => Some(Box::pin(write_adoption(request, context, &timeline, release)).await?),
        };
        adopted.push(AdoptedRelease {
            root: release.root,
            version: release.version.clone(),
            tags: release
                .tags
                .iter()
                .filter_map(|tag| tag.name.parse().ok())
                .collect(),
            record: entry.as_ref().map(|entry| entry.record),
        });
        if let Some(entry) = entry {
            timeline.advance(entry);
        }
    }
    let last = planned.last().map(|release| NamedRoot {
        digest: release.root,
        version: release.version.clone(),
    });
    let current = known
        .current()
        .map(|(_, root)| NamedRoot::find(&known, root));
    Ok(AdoptOutcome {
        dry_run: request.dry_run,
        environment: location.environment.clone(),
        place: location.destination.clone(),
        adopted,
        known: tags.count_recorded(&facts),
        current: last.or(current),
        notes: notes(&tags, &facts),
    })
}

fn notes(tags: &AdoptableTags, facts: &AdoptionFacts<'_>) -> Vec<String> {
    let environment = tags.environment.iter();
    let withdrawn = environment.filter(|tag| {
        let root = facts.digests.get(*tag);
        root.is_some_and(|root| facts.is_withdrawn(*root))
    });
    let notes = withdrawn.map(|tag| format!("the tag {tag} names an image that is withdrawn"));
    let current = facts.known.current().filter(|_| is_running(facts.known));
    let drifted = tags.environment.iter().filter_map(|tag| {
        let (at, (_, root)) = (facts.digests.get(tag)?, current?);
        (*at != root && !facts.is_withdrawn(*at)).then(|| {
            format!(
                "the tag {tag} names {at}, and the environment stays on {}: it has records of releases, which say what is current. To put it on the tag's image, release that",
                NamedRoot::find(facts.known, root)
            )
        })
    });
    let notes = notes.chain(drifted);
    let left_out = facts.withdrawn_before.iter();
    let left_out = left_out.map(|(root, entry)| {
        let release = NamedRoot {
            digest: *root,
            version: tags.version_of(facts, *root),
        };
        format!(
            "{release} is left out: a rollback withdrew it, whose entry does not count any more. To adopt it, delete the tag {entry} first"
        )
    });
    notes.chain(left_out).collect()
}

/// Returns the roots without a counted release that the newest of their entries withdraws, which does not count:
/// it was written before the environment signed, or by a signer that is not accepted any more.
fn find_withdrawn_before(
    timeline: &OpenTimeline,
    digests: &BTreeMap<Tag, Digest>,
    recorded: &BTreeMap<Digest, Vec<String>>,
) -> BTreeMap<Digest, EntryName> {
    let passed_over = timeline.view.passed_over();
    let decides =
        |action: &RecordAction| matches!(action, RecordAction::Rollback | RecordAction::Reinstate);
    let roots = digests
        .values()
        .filter(|root| !recorded.contains_key(*root));
    let withdrawn = roots.filter_map(|root| {
        let prefix = DigestPrefix::from_digest(*root);
        let mut newest_first = passed_over.iter().rev().map(|(name, _)| name);
        let newest = newest_first.find(|name| name.root == prefix && decides(&name.action))?;
        (newest.action == RecordAction::Rollback).then(|| (*root, newest.clone()))
    });
    withdrawn.collect()
}

async fn resolve_tags(
    timeline: &OpenTimeline,
    tags: &AdoptableTags,
) -> Result<BTreeMap<Tag, Digest>, Failure> {
    let resolve = |tag: Tag| async move {
        let digest = timeline.resolve_tag(&tag).await?;
        Ok::<_, Failure>(digest.map(|digest| (tag, digest)))
    };
    let tags: Vec<Tag> = tags.all().cloned().collect();
    let resolved = stream::iter(tags.into_iter().map(resolve));
    let resolved: Vec<_> = resolved.buffered(RESOLVE_CONCURRENCY).try_collect().await?;
    Ok(resolved.into_iter().flatten().collect())
}

/// Reads what the timeline has of the roots. Returns the versions and tags of the releases of each.
async fn read_recorded(
    timeline: &OpenTimeline,
    digests: &BTreeMap<Tag, Digest>,
) -> Result<BTreeMap<Digest, Vec<String>>, Failure> {
    let is_named = |name: &&EntryName| {
        let mut roots = digests.values();
        roots.any(|root| DigestPrefix::from_digest(*root) == name.root)
    };
    let names = timeline.view.names().iter().filter(is_named);
    let readings = timeline.view.read_all(names).await?;
    timeline.view.check_strays()?;
    let mut recorded: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
    for reading in readings {
        let Some(record) = reading.counted().filter(|it| it.entry.action.is_release()) else {
            continue;
        };
        let predicate = &record.record().predicate;
        let named = recorded.entry(record.entry.root).or_default();
        named.extend(predicate.version.clone());
        named.extend(predicate.tags.iter().map(|tag| tag.name.clone()));
    }
    Ok(recorded)
}

/// Writes the record of one release, as an intent and as an entry.
async fn write_adoption(
    request: &AdoptRequest,
    context: &ReleaseContext,
    timeline: &OpenTimeline,
    release: &PlannedAdoption,
) -> Result<TimelineEntry, Failure> {
    let subject = timeline.require_root(release.root).await?.to_descriptor();
    let intents = timeline.list_intents(release.root).await?;
    let content = adoption_content(request, context, timeline, release, &intents).await?;
    let record = content.record().clone();
    let stage = request
        .timeline
        .plan_stage(context, timeline, Some(subject), content, &intents);
    let mut stage = stage.await?;
    stage.write_blobs().await?;
    stage.write_intent().await?;
    stage.write_list(false).await?;
    stage.write_entry().await?;
    let id = stage.result().id;
    let id = id.unwrap_or_else(|| unreachable!("a record that was written has an id"));
    Ok(TimelineEntry::from_record(id, &record))
}

/// Returns the record of an adoption: a new one, or the one that an earlier attempt began and nothing followed.
async fn adoption_content(
    request: &AdoptRequest,
    context: &ReleaseContext,
    timeline: &OpenTimeline,
    release: &PlannedAdoption,
    intents: &ListedIntents,
) -> Result<RecordContent, Failure> {
    let account = &request.timeline.account;
    let own = account.run_uri();
    let begun = timeline.find_unfinished(
        context,
        intents,
        release.root,
        |named| named == own,
        |action| *action == RecordAction::Adopt,
    );
    let newest = timeline.recent.timeline.entries().last();
    let begun = begun.await?.filter(|intent| {
        let predicate = &intent.verified.record.predicate;
        let is_newest = newest.is_none_or(|newest| newest.planned_at < predicate.planned_at);
        is_newest && predicate.version == release.version && predicate.tags == release.tags
    });
    if let Some(begun) = begun {
        return Ok(RecordContent::Begun(Box::new(begun)));
    }
    let action = RecordAction::Adopt;
    let mut record = base_record(&timeline.basis(), account, release.root, action);
    record.predicate.version.clone_from(&release.version);
    record.predicate.tags.clone_from(&release.tags);
    Ok(RecordContent::New(Box::new(record)))
}
