//! Summary of `tags`: the images, tags and labels that were derived.

use super::SummaryContext;
use crate::report::markdown::{
    AlertKind, alert, code_block, code_span, details, escape_text, table_row,
};
use crate::report::phrases;
use crate::report::tags_report::TagsResult;
use crate::tagging::Finding;

/// Returns derived tags as Markdown.
pub(in crate::report) fn tags_summary(tagged: &TagsResult, context: &SummaryContext) -> String {
    let mut page = format!("## {}\n\n{}\n", title(tagged), counts(tagged));
    for finding in tagged.findings.iter().filter(|finding| !finding.is_note) {
        page += &alert(AlertKind::Warning, [escape_text(&warning_text(finding))]);
    }
    page += &context.warning_alerts();
    page += &context.run.table().to_markdown();
    page += &tags_table(tagged);
    let references = tagged.image_tags();
    if !tagged.images.is_empty() && !references.is_empty() {
        let block = code_block(references.iter().map(String::as_str));
        page += &format!("\n**Images**\n\n{block}");
    }
    page += &labels_table(tagged);
    let annotations = tagged.leveled_annotations();
    if !annotations.is_empty() {
        let block = code_block(annotations.iter().map(String::as_str));
        page += &details("Annotations", &block);
    }
    page += &notes(&tagged.findings);
    page + "\n"
}

fn title(tagged: &TagsResult) -> String {
    let name = tagged.images.first();
    let name = name.and_then(|image| image.rsplit('/').next());
    let version = tagged.main_version();
    match (name, version) {
        (Some(name), "") => format!("{}: tags", escape_text(name)),
        (Some(name), version) => escape_text(&format!("{name} {version}: tags")),
        (None, "") => "No tags".to_owned(),
        (None, version) => escape_text(&format!("{version}: tags")),
    }
}

fn counts(tagged: &TagsResult) -> String {
    let tags = phrases::count_phrase(tagged.expansion.names().len() as u64, "tag");
    let labels = phrases::count_phrase(tagged.labels.0.len() as u64, "label");
    match tagged.images.len() {
        0 => format!("**Derived** by shipmark tags: {tags}, {labels}"),
        images => {
            let images = phrases::count_phrase(images as u64, "image");
            format!("**Derived** by shipmark tags: {tags} for {images}, {labels}")
        }
    }
}

fn tags_table(tagged: &TagsResult) -> String {
    let mut tags = tagged.planned_tags().peekable();
    if tags.peek().is_none() {
        return String::new();
    }
    let rows = tags.map(|tag| {
        table_row(&[
            &code_span(&tag.text),
            &escape_text(&tag.kind.to_string()),
            &escape_text(&tag.rule),
        ])
    });
    let rows: String = rows.collect();
    format!(
        "\n{}{}{rows}",
        table_row(&["Tag", "Kind", "Why"]),
        table_row(&[":---"; 3])
    )
}

fn labels_table(tagged: &TagsResult) -> String {
    if tagged.labels.0.is_empty() {
        return String::new();
    }
    let labels = tagged.labels.0.iter();
    let rows = labels.map(|(name, value)| table_row(&[&code_span(name), &escape_text(value)]));
    let rows: String = rows.collect();
    format!(
        "\n{}{}{rows}",
        table_row(&["Label", "Value"]),
        table_row(&[":---"; 2])
    )
}

fn warning_text(finding: &Finding) -> String {
    match finding.difference {
        Some(_) => format!("{finding} (strict mode differs)"),
        None => finding.text.clone(),
    }
}

fn notes(findings: &[Finding]) -> String {
    let notes = findings.iter().filter(|finding| finding.is_note);
    super::release_page::notes_section(notes.map(|finding| finding.text.as_str()))
}
