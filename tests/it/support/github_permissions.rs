//! Permissions of GitHub's token: those that features need, and those that docs/github.md lists.

use std::collections::BTreeSet;

use super::rust_source::root;

/// Returns the permission that an input of this value needs in addition to those of its verb.
pub fn permission_of_input(name: &str, value: &str) -> Option<(&'static str, &'static str)> {
    match (name, value) {
        ("comment", "true") => Some(("pull-requests", "write")),
        ("deployments", "true") => Some(("deployments", "write")),
        ("storage-record", "true") => Some(("artifact-metadata", "write")),
        ("github-attestations", "true") => Some(("attestations", "write")),
        _ => None,
    }
}

/// Returns the permissions in the table of docs/github.md, such as `contents: read`.
pub fn documented_permissions() -> BTreeSet<String> {
    let page = std::fs::read_to_string(root().join("docs/github.md")).unwrap();
    let (_, table) = page.split_once("\n## Permissions\n").expect("the heading");
    let rows = table.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    let mut found = BTreeSet::new();
    for row in rows {
        let cell = row.split('|').nth(2).unwrap();
        found.extend(cell.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    assert!(found.len() > 5, "{found:?}");
    found
}
