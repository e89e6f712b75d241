//! Summary of a check: what a promotion would come to, why, and what is current against what is proposed.

use url::Url;

use super::SummaryContext;
use super::facts_table::FactsTable;
use super::failure_page::failure_alerts;
use super::links::link;
use super::release_page::notes_section;
use crate::image::Digest;
use crate::policy::Service;
use crate::release::{CheckedDestination, CheckedRelease, CheckedService, CurrentImage};
use crate::report::check_report::CheckReport;
use crate::report::gate_report::gates_section;
use crate::report::markdown::{code_block, code_span, details, escape_text, table_row};
use crate::report::{check_diagram, check_phrases, phrases};

/// Most services that have a section each.
const SECTIONS_LIMIT: usize = 50;
/// Most labels of an image that are shown.
const LABELS_LIMIT: usize = 20;

impl SummaryContext {
    /// Returns the page of the commits between the current and the proposed image; `None` if their labels name two
    /// repositories, or one that is elsewhere.
    pub(in crate::report) fn comparison(
        &self,
        release: &CheckedRelease,
        current: &CurrentImage,
    ) -> Option<Url> {
        let (from, to) = current.commit.as_ref().zip(release.commit.as_ref())?;
        let page = self
            .run
            .labelled_page(current.source_repository.as_deref()?)?;
        let proposed = release.source_repository.as_deref();
        let is_same =
            proposed.is_none_or(|label| self.run.labelled_page(label).as_ref() == Some(&page));
        (is_same && from != to).then(|| page.comparison(from, to))
    }
}

/// Returns a check as Markdown.
pub(in crate::report) fn check_summary(report: &CheckReport, context: &SummaryContext) -> String {
    let outcome = &report.outcome;
    let title = check_phrases::title(outcome);
    let mut page = format!(
        "## Check: {}\n\n**A promotion {}** by shipmark check; nothing was written\n",
        escape_text(&title),
        check_phrases::verdict(outcome)
    );
    page += &facts(report, context).to_markdown();
    for (service, failure) in outcome.failures() {
        page += &failure_alerts(failure, service.map(Service::as_str));
    }
    page += &context.warning_alerts();
    if let Some(chart) = check_diagram::flowchart(report) {
        page += &format!("\n```mermaid\n{chart}```\n");
    }
    page += &services_table(report, context);
    if let Some(comparison) = &report.comparison {
        page += &comparison.to_markdown();
    }
    if let Some(omitted) = &report.omitted_comment {
        page += &format!("\n{}\n", escape_text(&omitted.to_string()));
    }
    for checked in outcome.services.iter().take(SECTIONS_LIMIT) {
        page += &service_section(checked, context);
    }
    if let Some(plan) = &outcome.plan {
        page += &details("Plan", &code_block(plan.text().lines()));
    }
    let sources = report.source_lines();
    page += &match sources.is_empty() {
        true => String::new(),
        false => details("Sources", &code_block(sources.iter().map(String::as_str))),
    };
    page + "\n"
}

fn facts(report: &CheckReport, context: &SummaryContext) -> FactsTable {
    let outcome = &report.outcome;
    let mut facts = FactsTable::default();
    let environment = outcome.environment.as_ref().map(|name| name.as_str());
    let from = outcome.path.from.as_ref().map(|name| name.as_str());
    facts.add_environment(environment, from);
    let policy = report.policy.as_ref();
    facts.add_known("Policy", policy.map(|policy| code_span(&policy.file)));
    let plan = outcome.plan.as_ref().map(|plan| plan.digest().to_string());
    facts.add_known("Plan", plan.map(|digest| code_span(&digest)));
    facts.append(context.run.table());
    facts
}

/// Returns the table of services: what each is on, what would replace it, and the commits between the two.
fn services_table(report: &CheckReport, context: &SummaryContext) -> String {
    if report.outcome.services.is_empty() {
        return String::new();
    }
    let mut table = "\n".to_owned();
    table += &table_row(&[
        "Service",
        "A promotion",
        "Current",
        "Proposed",
        "Commits",
        "Tags",
    ]);
    table += &table_row(&[":---"; 6]);
    for checked in &report.outcome.services {
        let release = checked.release.as_deref();
        let current = release.and_then(check_diagram::current_image);
        let image = current.map(|it| image_cell(it.image.version.as_deref(), &it.image.digest));
        let proposed = release.map(|it| image_cell(it.version.as_deref(), &it.root));
        let range = release.zip(current);
        let range = range.and_then(|(release, current)| commit_range(release, current, context));
        table += &table_row(&[
            &service_name(checked),
            check_phrases::service_phrase(checked),
            image.as_deref().unwrap_or("none"),
            &proposed.unwrap_or_default(),
            &range.unwrap_or_default(),
            &release.map(tags_cell).unwrap_or_default(),
        ]);
    }
    table
}

fn image_cell(version: Option<&str>, digest: &Digest) -> String {
    let digest = code_span(&digest.short());
    match version {
        Some(version) => format!("{} {digest}", code_span(version)),
        None => digest,
    }
}

fn service_name(checked: &CheckedService) -> String {
    let service = checked.service.as_ref();
    service.map_or_else(|| "image".to_owned(), |it| code_span(it.as_str()))
}

fn tags_cell(release: &CheckedRelease) -> String {
    let tags = release.destinations.iter().flat_map(|it| &it.tags);
    let tags = tags.map(|checked| code_span(checked.tag.as_str()));
    tags.collect::<Vec<_>>().join(" ")
}

fn service_section(checked: &CheckedService, context: &SummaryContext) -> String {
    let Some(release) = &checked.release else {
        return String::new();
    };
    let mut section = gates_section(&release.gates);
    for destination in &release.destinations {
        section += &destination_section(release, destination, context);
    }
    section += &notes_section(release.notes.iter().map(String::as_str));
    let name = checked.service.as_ref().map_or("image", Service::as_str);
    details(&escape_text(name), &section)
}

fn destination_section(
    release: &CheckedRelease,
    destination: &CheckedDestination,
    context: &SummaryContext,
) -> String {
    let mut section = format!("\n### {}\n\n", code_span(&destination.place.to_string()));
    section += &table_row(&["Tag", "Change", "Rule"]);
    section += &table_row(&[":---"; 3]);
    for checked in &destination.tags {
        let change = checked.change.as_ref();
        let change = change.map(|change| phrases::change_phrase(change, true));
        section += &table_row(&[
            &code_span(checked.tag.as_str()),
            &escape_text(&change.unwrap_or_default()),
            &escape_text(&checked.rule),
        ]);
    }
    section += "\n";
    let mut line = |name: &str, text: &str| section += &format!("- {name}: {text}\n");
    if let Some(current) = &destination.current {
        line(
            "Current",
            &escape_text(&check_phrases::current_phrase(current)),
        );
        if let Some(range) = commit_range(release, current, context) {
            line("Commits", &range);
        }
        for change in current.labels.iter().take(LABELS_LIMIT) {
            line("Label", &escape_text(&check_phrases::label_phrase(change)));
        }
        if let Some(reason) = &current.unread {
            line("Labels could not be compared", &escape_text(reason));
        }
    }
    let mutability = check_phrases::mutability_phrase(&destination.mutability);
    line("Immutable tags", &escape_text(&mutability));
    let retention = check_phrases::retention_phrase(destination);
    line("Cleanup", &escape_text(&retention));
    section
}

fn commit_range(
    release: &CheckedRelease,
    current: &CurrentImage,
    context: &SummaryContext,
) -> Option<String> {
    let (from, to) = current.commit.as_ref().zip(release.commit.as_ref())?;
    if from == to {
        return Some(format!(
            "none: both images are of {}",
            code_span(from.short())
        ));
    }
    let text = code_span(&format!("{}...{}", from.short(), to.short()));
    Some(match context.comparison(release, current) {
        Some(url) => link(&text, &url),
        None => text,
    })
}
