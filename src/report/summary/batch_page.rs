//! Summary of the release of several services: a row for each, and the full references below.

use super::SummaryContext;
use super::facts_table::FactsTable;
use super::failure_page::failure_alerts;
use super::follow_up::{cosign_verify, is_legacy_only, shipmark_verify, titled_block};
use super::links::link;
use super::previous_facts::{changes, commit};
use super::release_facts::released_version;
use super::release_page::{notes_section, release_summary};
use super::shell_word::shell_word;
use super::signing_facts::SignatureState;
use super::title;
use crate::image::{Destination, Tag};
use crate::policy::Service;
use crate::release::{BatchOutcome, ReleaseOutcome, ServiceOutcome, TagChange};
use crate::report::gate_report::service_gates_section;
use crate::report::markdown::{
    code_block, code_span, details, escape_text, shell_block, table_row,
};
use crate::report::{batch_phrases, phrases, references};
use crate::tagging::EnvironmentName;
use crate::transfer::CopyStats;

/// Most tags of a row.
const SHOWN_TAGS: usize = 8;
/// Most images that one command verifies.
const VERIFIED_IMAGES_LIMIT: usize = 50;

/// Returns the report of a batch as Markdown; of a single service like that of a single image.
pub(in crate::report) fn batch_summary(batch: &BatchOutcome, context: &SummaryContext) -> String {
    if let [(service, ServiceOutcome::Completed(outcome))] = &batch.services[..] {
        return release_summary(outcome, Some(service), context);
    }
    let mut page = format!(
        "## {}\n\n{}\n",
        escape_text(&title::batch_title(batch, &context.attempt)),
        outcome_line(batch)
    );
    page.extend(signature_alert(batch));
    page += &batch_facts(batch, context).to_markdown();
    for (service, failure) in batch.failures() {
        page += &failure_alerts(failure, Some(service.as_str()));
    }
    page += &context.warning_alerts();
    page += &services_table(batch, context);
    page += &service_gates_section(batch);
    page += &references_block(batch);
    page += &images_before(batch);
    page += &verification(batch);
    page += &promotions(batch);
    page += &notes_section(batch_phrases::distinct_notes(batch).into_iter());
    page += &transfer_details(batch);
    page + "\n"
}

fn outcome_line(batch: &BatchOutcome) -> String {
    let dry_run = match batch.dry_run {
        true => " (dry run, nothing was written)",
        false => "",
    };
    format!(
        "**{}**{dry_run} by shipmark {}: {}",
        title::batch_outcome_word(batch),
        phrases::verb_name(batch.verb),
        batch_phrases::state_counts(batch)
    )
}

/// Returns the alert of the first service that has one.
fn signature_alert(batch: &BatchOutcome) -> Option<String> {
    let mut outcomes = batch.completed().map(|(_, outcome)| outcome);
    outcomes.find_map(|outcome| SignatureState::of(outcome).alert(outcome))
}

/// Returns the facts that all services share, and those of the run.
fn batch_facts(batch: &BatchOutcome, context: &SummaryContext) -> FactsTable {
    let mut facts = FactsTable::default();
    let shared = |fact: &dyn Fn(&ReleaseOutcome) -> Option<String>| shared_fact(batch, fact);
    let attempt = &context.attempt;
    facts.add_environment(attempt.environment.as_deref(), attempt.from.as_deref());
    facts.add_known(
        "Version",
        shared(&|outcome| released_version(outcome).map(code_span)),
    );
    facts.add_known("Commit", shared(&|outcome| commit(outcome, context)));
    let signed = |outcome: &ReleaseOutcome| Some(SignatureState::of(outcome).to_markdown(outcome));
    let count = batch.completed().count();
    let signed = match shared(&signed) {
        None if count > 0 => Some("differs from service to service".to_owned()),
        signed => signed,
    };
    facts.add_known("Signed", signed);
    facts.append(context.run.table());
    facts
}

/// Returns a fact that is the same for all completed services.
fn shared_fact(
    batch: &BatchOutcome,
    fact: &dyn Fn(&ReleaseOutcome) -> Option<String>,
) -> Option<String> {
    let mut facts = batch.completed().map(|(_, outcome)| fact(outcome));
    let first = facts.next()??;
    facts
        .all(|other| other.as_ref() == Some(&first))
        .then_some(first)
}

fn services_table(batch: &BatchOutcome, context: &SummaryContext) -> String {
    let has_changes = batch
        .completed()
        .any(|(_, outcome)| changes(outcome, context).is_some());
    let columns = match (batch.completed().next(), has_changes) {
        (None, _) => 2,
        (Some(_), false) => 4,
        (Some(_), true) => 5,
    };
    let row = |cells: [&str; 5]| table_row(&cells[..columns]);
    let mut table = "\n".to_owned();
    table += &row(["Service", "Outcome", "Digest", "Tags", "Changes"]);
    table += &row([":---"; 5]);
    for (service, end) in &batch.services {
        let outcome = match end {
            ServiceOutcome::Completed(outcome) => Some(&**outcome),
            _ => None,
        };
        let digest = outcome
            .map(|it| code_span(&short_digest(it)))
            .unwrap_or_default();
        let tags = outcome.map(shown_tags).unwrap_or_default();
        let changes = outcome
            .and_then(|it| changes(it, context))
            .unwrap_or_default();
        let state = service_state(end);
        let name = service_name(service, outcome, context);
        table += &row([&name, &state, &digest, &tags, &changes]);
    }
    table
}

/// Returns the name of a service, as a link to its package if the page is known.
fn service_name(
    service: &Service,
    outcome: Option<&ReleaseOutcome>,
    context: &SummaryContext,
) -> String {
    let name = code_span(service.as_str());
    let released = outcome.and_then(|outcome| outcome.destinations.first());
    let page = released.and_then(|released| context.run.package_page(&released.place));
    match page {
        Some(page) => link(&name, &page),
        None => name,
    }
}

/// Returns what happened to a service, bold if somebody must look at it.
fn service_state(end: &ServiceOutcome) -> String {
    let state = batch_phrases::service_state(end);
    match end {
        ServiceOutcome::Failed(_) => format!("**{state}**"),
        _ => state.to_owned(),
    }
}

/// Returns the digest without its algorithm, as docker shows it.
fn short_digest(outcome: &ReleaseOutcome) -> String {
    outcome.root.to_hex()[..12].to_owned()
}

/// Returns the tags that name the image, the written ones bold.
fn shown_tags(outcome: &ReleaseOutcome) -> String {
    let results = outcome
        .destinations
        .iter()
        .flat_map(references::tags_naming_root);
    let tags: Vec<String> = results
        .map(|result| {
            let tag = code_span(result.tag.as_str());
            match result.change {
                TagChange::Created | TagChange::Moved { .. } => format!("**{tag}**"),
                _ => tag,
            }
        })
        .collect();
    let more = tags.len().saturating_sub(SHOWN_TAGS);
    let shown = tags[..tags.len() - more].join(" ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Returns the full references of all images in one block.
fn references_block(batch: &BatchOutcome) -> String {
    let images: Vec<String> = batch
        .completed()
        .flat_map(|(_, outcome)| references::image_references(outcome))
        .collect();
    match images.is_empty() {
        true => String::new(),
        false => format!(
            "\n**Images**\n\n{}",
            code_block(images.iter().map(String::as_str))
        ),
    }
}

/// Returns the images that moving tags pointed to before, folded: what to go back to.
fn images_before(batch: &BatchOutcome) -> String {
    let released = batch
        .completed()
        .flat_map(|(_, outcome)| &outcome.destinations);
    let images: Vec<String> = released
        .filter_map(|released| {
            let previous = released.previous.as_ref()?;
            Some(phrases::digest_reference(&released.place, previous.digest))
        })
        .collect();
    match images.is_empty() {
        true => String::new(),
        false => details(
            "Images before",
            &code_block(images.iter().map(String::as_str)),
        ),
    }
}

/// Returns the commands that verify all images, folded, if one signer signed all of them: one of cosign for those in
/// registries, one of shipmark for each in a layout.
fn verification(batch: &BatchOutcome) -> String {
    let outcomes: Vec<&ReleaseOutcome> = batch.completed().map(|(_, outcome)| outcome).collect();
    let mut signers = outcomes
        .iter()
        .map(|it| SignatureState::of(it).signer_here(it));
    let Some(Some(signer)) = signers.next() else {
        return String::new();
    };
    if batch.dry_run
        || outcomes.len() > VERIFIED_IMAGES_LIMIT
        || signers.any(|other| other != Some(signer))
    {
        return String::new();
    }
    let is_legacy_only = outcomes.iter().all(|outcome| is_legacy_only(outcome));
    let images = outcomes.iter().flat_map(|outcome| {
        let places = outcome.destinations.iter().map(|released| &released.place);
        places.map(|place| (place, phrases::digest_reference(place, outcome.root)))
    });
    let (in_registries, in_layouts): (Vec<_>, Vec<_>) =
        images.partition(|(place, _)| matches!(place, Destination::Registry(_)));
    let words = |images: Vec<(&Destination, String)>| -> Vec<String> {
        images.iter().map(|(_, image)| shell_word(image)).collect()
    };
    let mut section = String::new();
    if !in_registries.is_empty() {
        let command = cosign_verify(signer, &words(in_registries), is_legacy_only);
        section.extend(command.map(|it| details("Verify with cosign", &shell_block(&it))));
    }
    let commands = words(in_layouts).into_iter();
    let commands = commands.filter_map(|image| shipmark_verify(signer, &image));
    let blocks: String = commands.map(|command| shell_block(&command)).collect();
    section + &details("Verify with shipmark", &blocks)
}

/// Returns the commands that promote all services to the next environments of the policy, by an immutable
/// tag that all images have here.
fn promotions(batch: &BatchOutcome) -> String {
    let first = batch.completed().next();
    let Some((_, first)) = first.filter(|_| !batch.dry_run && batch.failures().next().is_none())
    else {
        return String::new();
    };
    let Some(tag) = shared_tag(batch, first) else {
        return String::new();
    };
    let command = |next: &EnvironmentName| {
        [
            format!("shipmark promote --environment {next}"),
            format!("--source {}", shell_word(tag.as_str())),
        ]
    };
    let next = first.path.next.iter();
    next.map(|next| titled_block("Promote", &command(next)))
        .collect()
}

/// Returns the first immutable tag of `first` that all services have.
fn shared_tag<'a>(batch: &BatchOutcome, first: &'a ReleaseOutcome) -> Option<&'a Tag> {
    let mut tags = first
        .destinations
        .iter()
        .flat_map(references::tags_naming_root)
        .filter(|result| result.kind.is_immutable())
        .map(|result| &result.tag);
    let has = |outcome: &ReleaseOutcome, tag: &Tag| {
        let mut tags = outcome
            .destinations
            .iter()
            .flat_map(references::tags_naming_root);
        tags.any(|result| result.tag == *tag)
    };
    tags.find(|tag| batch.completed().all(|(_, outcome)| has(outcome, tag)))
}

fn transfer_details(batch: &BatchOutcome) -> String {
    let line = |(service, outcome): (&Service, &ReleaseOutcome)| {
        let copied = outcome
            .destinations
            .iter()
            .map(|released| &released.copy_stats);
        let copied = copied.filter(|stats| **stats != CopyStats::default());
        let phrases: Vec<String> = copied
            .map(|stats| phrases::copy_phrase(stats, outcome.dry_run))
            .collect();
        (!phrases.is_empty()).then(|| {
            let phrases = escape_text(&phrases.join("; "));
            format!("- {}: {phrases}\n", code_span(service.as_str()))
        })
    };
    let lines: String = batch.completed().filter_map(line).collect();
    details("Transfer", &lines)
}
