//! The image that a moving tag pointed to before, and the commits since.

use super::SummaryContext;
use super::facts_table::FactsTable;
use super::links::{RepositoryPage, link};
use crate::image::CommitId;
use crate::release::{PreviousImage, ReleaseOutcome, ReleaseVerb};
use crate::report::markdown::code_span;

/// Returns the commit of the image with a link, the previous digest, and the commits between them.
pub(super) fn commit_facts(outcome: &ReleaseOutcome, context: &SummaryContext) -> FactsTable {
    let mut facts = FactsTable::default();
    facts.add_known("Commit", commit(outcome, context));
    if let Some(previous) = previous_image(outcome) {
        let (digest, tag) = (previous.digest.to_string(), previous.tag.as_str());
        let text = format!("{} (tag {})", code_span(&digest), code_span(tag));
        facts.add("Previously", text);
    }
    facts.add_known("Changes", changes(outcome, context));
    facts
}

/// Returns the commit of the image, as a link if its repository is known.
pub(super) fn commit(outcome: &ReleaseOutcome, context: &SummaryContext) -> Option<String> {
    let commit = outcome.commit.as_ref()?;
    let text = code_span(commit.as_str());
    let page = source_page(outcome, context);
    Some(match page {
        Some(page) => link(&text, &page.commit(commit)),
        None => text,
    })
}

/// Returns the commits since the previous image, as a link if the repository of both is known.
pub(super) fn changes(outcome: &ReleaseOutcome, context: &SummaryContext) -> Option<String> {
    let previous = previous_image(outcome)?;
    let (from, to) = (previous.commit.as_ref()?, outcome.commit.as_ref()?);
    let page = compared_page(outcome, previous, context);
    Some(commit_range(from, to, page.as_ref()))
}

fn previous_image(outcome: &ReleaseOutcome) -> Option<&PreviousImage> {
    let mut released = outcome.destinations.iter();
    released.find_map(|released| released.previous.as_ref())
}

fn commit_range(from: &CommitId, to: &CommitId, page: Option<&RepositoryPage>) -> String {
    if from == to {
        return format!("none: both images are of {}", code_span(to.short()));
    }
    let text = code_span(&format!("{}...{}", from.short(), to.short()));
    match page {
        Some(page) => link(&text, &page.comparison(from, to)),
        None => text,
    }
}

/// Returns the repository of the commit: by the image's label, else for a push the one of the event.
fn source_page(outcome: &ReleaseOutcome, context: &SummaryContext) -> Option<RepositoryPage> {
    match (&outcome.source_repository, outcome.verb) {
        (Some(label), _) => context.run.labelled_page(label),
        (None, ReleaseVerb::Push) => context.run.repository_page(),
        (None, ReleaseVerb::Promote) => None,
    }
}

/// Returns the repository of both images; `None` if their labels name two, or one that is elsewhere.
fn compared_page(
    outcome: &ReleaseOutcome,
    previous: &PreviousImage,
    context: &SummaryContext,
) -> Option<RepositoryPage> {
    let before = context.run.labelled_page(previous.source.as_deref()?)?;
    match (source_page(outcome, context), &outcome.source_repository) {
        (Some(page), _) => (page == before).then_some(before),
        (None, Some(_)) => None,
        (None, None) => Some(before),
    }
}
