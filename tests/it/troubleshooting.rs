//! docs/troubleshooting.md has every message of the program, and quotes no other:
//!
//! - a refusal or error begins with the first cell of a row, which says why and how to go on;
//! - what such a message may contain, the texts of error types, is in the list of a section. A list is written from
//!   the sources that its mark names: `UPDATE_DECLARED=1 cargo test --test it troubleshooting`.

use std::collections::BTreeSet;

use crate::support::message_templates::{
    MessageKind, MessageTemplate, computed_failures, message_templates,
};
use crate::support::rust_source::root;
use crate::support::table::updates_documents;

const PAGE: &str = "docs/troubleshooting.md";
const MARK: &str = "<!-- messages of ";
const END: &str = "<!-- end -->";

fn page() -> String {
    std::fs::read_to_string(root().join(PAGE)).unwrap()
}

/// A row of a table: the message that it quotes, why, and the way on.
struct Row {
    message: String,
    why: String,
    way_on: String,
}

/// Returns the rows whose first cell is quoted.
fn rows(page: &str) -> Vec<Row> {
    let lines = page.lines().filter(|line| line.starts_with("| `"));
    let cells = lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim));
    cells
        .map(|mut cells| {
            let mut next = || cells.next().unwrap_or_default().to_owned();
            Row {
                message: next().trim_matches('`').trim().to_owned(),
                why: next(),
                way_on: next(),
            }
        })
        .collect()
}

/// Returns the lists of messages: the paths of the sources and the lines.
fn lists(page: &str) -> Vec<(Vec<&str>, &str)> {
    let lists = page.split(MARK).skip(1);
    lists
        .map(|rest| {
            let (paths, rest) = rest.split_once(" -->\n").expect("the end of a mark");
            let (lines, _) = rest.split_once(END).expect("the end of a list");
            (paths.split(' ').collect(), lines)
        })
        .collect()
}

fn is_of(template: &MessageTemplate, paths: &[&str]) -> bool {
    let file = template.file.strip_prefix("src/").unwrap();
    paths.iter().any(|path| file.starts_with(path))
}

/// Whether a row is about a message: it is the same, or the row gives its beginning.
fn is_about(row: &Row, text: &str) -> bool {
    row.message == text
        || row.message.strip_suffix(" …").is_some_and(|start| {
            let rest = text.strip_prefix(start);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ':', ',', ';']))
        })
}

#[test]
fn every_refusal_and_error_has_a_row_with_a_way_on() {
    let page = page();
    let rows = rows(&page);
    let all = message_templates();
    let failures: BTreeSet<_> = all
        .iter()
        .filter(|template| template.kind == MessageKind::Failure)
        .collect();
    assert!(
        failures.len() > 80,
        "failures were not found: {}",
        failures.len()
    );
    let missing: Vec<_> = failures
        .iter()
        .filter(|template| !rows.iter().any(|row| is_about(row, &template.text)))
        .map(|template| format!("{}: {}", template.file, template.text))
        .collect();
    assert!(
        missing.is_empty(),
        "no row in {PAGE} is about: {missing:#?}"
    );
    let silent: Vec<_> = rows
        .iter()
        .filter(|row| row.why.len() < 3 || row.way_on.len() < 3)
        .map(|row| &row.message)
        .collect();
    assert!(
        silent.is_empty(),
        "rows in {PAGE} without why or way on: {silent:#?}"
    );
}

#[test]
fn every_row_quotes_a_message_of_the_program() {
    let all = message_templates();
    let unknown: Vec<_> = rows(&page())
        .into_iter()
        .filter(|row| !all.iter().any(|template| is_about(row, &template.text)))
        .map(|row| row.message)
        .collect();
    assert!(
        unknown.is_empty(),
        "{PAGE} quotes what no source says: {unknown:#?}"
    );
}

/// Returns the lines of a list: what is said in these sources, and in no row.
fn list_of(paths: &[&str], all: &[MessageTemplate], rows: &[Row]) -> String {
    let texts: BTreeSet<_> = all
        .iter()
        .filter(|template| template.kind == MessageKind::Cause && is_of(template, paths))
        .filter(|template| !rows.iter().any(|row| row.message == template.text))
        .map(|template| format!("- `` {} ``\n", template.text))
        .collect();
    texts.into_iter().collect()
}

#[test]
fn every_other_message_is_in_the_list_of_one_section() {
    let page = page();
    let all = message_templates();
    let rows = rows(&page);
    let lists = lists(&page);
    let astray: BTreeSet<_> = all
        .iter()
        .filter(|template| template.kind == MessageKind::Cause)
        .filter(|template| {
            lists
                .iter()
                .filter(|(paths, _)| is_of(template, paths))
                .count()
                != 1
        })
        .map(|template| template.file.as_str())
        .collect();
    assert!(
        astray.is_empty(),
        "not in exactly one mark of {PAGE}: {astray:#?}"
    );
    let mut written = page.clone();
    for (paths, lines) in &lists {
        let declared = list_of(paths, &all, &rows);
        assert!(!declared.is_empty(), "no messages in {paths:?}");
        let mark = format!("{MARK}{} -->\n", paths.join(" "));
        if updates_documents() {
            let old = format!("{mark}{lines}{END}");
            written = written.replace(&old, &format!("{mark}\n{declared}\n{END}"));
        } else {
            assert_eq!(
                lines.trim_matches('\n'),
                declared.trim_matches('\n'),
                "{mark} is stale: UPDATE_DECLARED=1 cargo test --test it troubleshooting"
            );
        }
    }
    if updates_documents() {
        std::fs::write(root().join(PAGE), written).unwrap();
    }
}

#[test]
fn a_failure_without_a_text_of_its_own_passes_on_that_of_an_error() {
    let is_passed_on = |argument: &str| {
        let first = argument.split_once(')').unwrap_or_default().0;
        first.ends_with(".to_string(")
    };
    let unknown: Vec<_> = computed_failures()
        .into_iter()
        .filter(|(_, argument)| !is_passed_on(argument))
        .collect();
    assert!(unknown.is_empty(), "texts that no test reads: {unknown:#?}");
}
