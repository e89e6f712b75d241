//! Facts of a release for the table at the top of its summary.

use super::SummaryContext;
use super::facts_table::FactsTable;
use super::links::link;
use super::previous_facts::commit_facts;
use super::signing_facts::SignatureState;
use crate::release::{PlatformContent, ReleaseOutcome};
use crate::report::markdown::{code_span, escape_text};
use crate::report::phrases;
use crate::tagging::{EnvironmentName, MovingTagSource, TagKind};

/// Returns all facts of a release.
pub(super) fn release_facts(outcome: &ReleaseOutcome, context: &SummaryContext) -> FactsTable {
    let mut facts = FactsTable::default();
    let from = outcome.path.from.as_ref().map(EnvironmentName::as_str);
    facts.add_environment(
        outcome.environment.as_ref().map(EnvironmentName::as_str),
        from,
    );
    facts.add("Source", source(outcome));
    facts.add("Digest", code_span(&outcome.root.to_string()));
    if let Some(requested) = outcome.requested_digest
        && outcome.platform_selection.is_none()
    {
        let requested = code_span(&requested.to_string());
        facts.add(
            "Kept",
            format!("instead of {requested}, the requested digest"),
        );
    }
    facts.add_known("Version", version(outcome));
    if let Some(origin) = phrases::commit_tag_origin(outcome) {
        facts.add("SHA tag", format!("from {origin}"));
    }
    facts.append(commit_facts(outcome, context));
    facts.add_known("Platforms", platforms(outcome));
    facts.add("Signed", SignatureState::of(outcome).to_markdown(outcome));
    facts.append(context.run.table());
    facts.add_known("Package", packages(outcome, context));
    facts
}

fn source(outcome: &ReleaseOutcome) -> String {
    let source = code_span(&outcome.source.to_string());
    match phrases::lookup_phrase(outcome) {
        Some(found) => format!("{source}, {}", escape_text(&found)),
        None => source,
    }
}

/// Returns the version of a release; `None` if the output `version` is the name of a branch or a pull request.
pub(super) fn released_version(outcome: &ReleaseOutcome) -> Option<&str> {
    let version = outcome.version.as_deref()?;
    let mut tags = outcome.destinations.iter().flat_map(|it| &it.tags);
    let is_ref = tags.any(|result| {
        let of_ref = matches!(
            result.kind,
            TagKind::Moving(MovingTagSource::Branch | MovingTagSource::PullRequest)
        );
        of_ref && result.tag.as_str() == version
    });
    (!is_ref).then_some(version)
}

fn version(outcome: &ReleaseOutcome) -> Option<String> {
    let version = code_span(released_version(outcome)?);
    Some(match phrases::version_origin(outcome) {
        Some(origin) => format!("{version} from {origin}"),
        None => version,
    })
}

fn platforms(outcome: &ReleaseOutcome) -> Option<String> {
    let platforms: Vec<String> = outcome.platforms.iter().map(platform).collect();
    let mut text = platforms.join(", ");
    if let Some(selection) = &outcome.platform_selection {
        let of = code_span(&selection.of.to_string());
        text += &format!("<br>new index of selected platforms, from {of}");
    }
    (!text.is_empty()).then_some(text)
}

fn platform(content: &PlatformContent) -> String {
    let name = content.platform.as_ref();
    let name = name.map(|platform| escape_text(&platform.to_string()));
    let bytes = content.bytes.map(phrases::byte_count);
    match (name, bytes) {
        (Some(name), Some(bytes)) => format!("{name} ({bytes})"),
        (Some(name), None) => name,
        (None, bytes) => format!(
            "one ({})",
            bytes.unwrap_or_else(|| "size unknown".to_owned())
        ),
    }
}

fn packages(outcome: &ReleaseOutcome, context: &SummaryContext) -> Option<String> {
    let places = outcome.destinations.iter().map(|released| &released.place);
    let links = places.filter_map(|place| {
        let page = context.run.package_page(place)?;
        Some(link(&escape_text(&place.to_string()), &page))
    });
    let links: Vec<String> = links.collect();
    (!links.is_empty()).then(|| links.join("<br>"))
}
