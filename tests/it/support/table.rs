//! Tables in the documentation that a test makes.

use std::path::Path;

/// The word of a cell, and of one that needs an exception.
pub fn yes(holds: bool) -> &'static str {
    if holds { "yes" } else { "NO" }
}

/// Whether documents are to be written rather than held against what they are written from.
///
/// # Panics
/// In CI: there a test that writes what it should check would pass whatever the documents say.
pub fn updates_documents() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let updates = is_set("UPDATE_DECLARED");
    assert!(
        !(updates && is_set("CI")),
        "UPDATE_DECLARED is set in CI, where documents are only checked"
    );
    updates
}

/// That no cell says no, and that the table between `begin` and the end mark in a file of the
/// documentation is this one. `UPDATE_DECLARED=1` writes it.
pub fn documented(file: &str, begin: &str, head: &str, rows: &[String]) {
    let table = format!("{head}{}\n", rows.join("\n"));
    println!("{table}");
    let refused: Vec<_> = rows.iter().filter(|row| row.contains(yes(false))).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let end = "<!-- end -->";
    let (before, rest) = text.split_once(begin).unwrap();
    let (there, after) = rest.split_once(end).unwrap();
    if updates_documents() {
        std::fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(
        there, table,
        "run scripts/interop.sh with UPDATE_DECLARED=1"
    );
}

#[test]
#[should_panic(expected = "| a | NO |")]
fn a_cell_that_says_no_fails() {
    documented("docs/verifying.md", "", "", &["| a | NO |".to_owned()]);
}
