//! `action.yml` and docs/inputs.md say what `cli` declares, since both are written from it:
//!
//! ```sh
//! UPDATE_DECLARED=1 cargo test --test it -- declaration
//! ```

use std::path::{Path, PathBuf};
use std::process::Command;

use shipmark::cli;

use crate::support::table::updates_documents;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

/// The part of `text` from `begin` up to `end`.
fn part<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let start = text.find(begin).expect("where it begins");
    let length = text[start..].find(end).expect("where it ends");
    &text[start..start + length]
}

fn in_action(text: &str) -> &str {
    part(text, "inputs:\n", "\nruns:")
}

fn whole(text: &str) -> &str {
    text
}

fn holds(name: &str, shown: fn(&str) -> &str, declared: &str) {
    let text = read(name);
    if updates_documents() {
        let written = text.replacen(shown(&text), declared, 1);
        std::fs::write(file(name), written).unwrap();
        return;
    }
    let stale = "is not what is declared: UPDATE_DECLARED=1 cargo test --test it declaration";
    assert_eq!(shown(&text), declared, "{name} {stale}");
}

#[test]
fn action_yml_is_what_is_declared() {
    holds("action.yml", in_action, &cli::action_yml_sections());
}

#[test]
fn the_page_of_inputs_is_what_is_declared() {
    holds("docs/inputs.md", whole, &cli::inputs_page());
}

/// These tests, run as a process of their own with these variables.
fn passes_with(test: &str, variables: &[(&str, &str)]) -> bool {
    let mut run = Command::new(std::env::current_exe().unwrap());
    run.args([test, "--exact"])
        .env_remove("CI")
        .env_remove("UPDATE_DECLARED")
        .envs(variables.iter().copied());
    let output = run.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("running 1 test"), "{said}");
    output.status.success()
}

#[test]
fn promise_9_no_document_is_written_in_ci_in_place_of_being_checked() {
    for test in [
        "declaration::action_yml_is_what_is_declared",
        "declaration::the_page_of_inputs_is_what_is_declared",
        "tags::table::the_documentation_has_this_table",
    ] {
        assert!(passes_with(test, &[("CI", "true")]), "{test}");
        let updating = [("CI", "true"), ("UPDATE_DECLARED", "1")];
        assert!(!passes_with(test, &updating), "{test}");
    }
}
