//! `action.yml` and the README say what `cli` declares, since both are written from it:
//!
//! ```sh
//! UPDATE_DECLARED=1 cargo test --test it declaration
//! ```

use std::path::{Path, PathBuf};

use shipmark::cli;

/// Lines between which the README's tables stand.
const MARKS: [&str; 2] = [
    "<!-- inputs and outputs: written from src/cli/declaration.rs -->\n",
    "<!-- end -->\n",
];

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

fn in_readme(text: &str) -> &str {
    &part(text, MARKS[0], MARKS[1])[MARKS[0].len()..]
}

/// Whether the documents are to be written rather than held against the declaration.
fn updates() -> bool {
    std::env::var_os("UPDATE_DECLARED").is_some()
}

fn holds(name: &str, shown: fn(&str) -> &str, declared: &str) {
    let text = read(name);
    if updates() {
        let written = text.replacen(shown(&text), declared, 1);
        std::fs::write(file(name), written).unwrap();
        return;
    }
    let stale = "is not what is declared: UPDATE_DECLARED=1 cargo test --test it declaration";
    assert_eq!(shown(&text), declared, "{name} {stale}");
}

#[test]
fn action_yml_is_what_is_declared() {
    holds("action.yml", in_action, &cli::action_yml());
}

#[test]
fn the_readme_is_what_is_declared() {
    holds("README.md", in_readme, &cli::readme_tables());
}
