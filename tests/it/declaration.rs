//! `action.yml` and the README say what `cli` declares, since both are written from it:
//!
//! ```sh
//! cargo test --test it write_what_is_declared -- --ignored
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

#[test]
fn action_yml_is_what_is_declared() {
    assert_eq!(in_action(&read("action.yml")), cli::action_yml());
}

#[test]
fn the_readme_is_what_is_declared() {
    // Until there is one.
    if file("README.md").exists() {
        assert_eq!(in_readme(&read("README.md")), cli::readme_tables());
    }
}

#[test]
#[ignore = "writes action.yml and README.md"]
fn write_what_is_declared() {
    let action = read("action.yml");
    let written = action.replace(in_action(&action), &cli::action_yml());
    std::fs::write(file("action.yml"), written).unwrap();
    if file("README.md").exists() {
        let readme = read("README.md");
        let written = readme.replace(in_readme(&readme), &cli::readme_tables());
        std::fs::write(file("README.md"), written).unwrap();
    }
}
