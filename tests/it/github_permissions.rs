//! docs/github.md lists every permission of GitHub's token that the code names.

use std::collections::BTreeSet;

use crate::support::github_permissions::documented_permissions;
use crate::support::rust_source::{Part, rust_files, split_rust};

/// Scopes of `permissions:` in a workflow.
const SCOPES: [&str; 11] = [
    "actions",
    "artifact-metadata",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "id-token",
    "issues",
    "packages",
    "pull-requests",
    "statuses",
];

/// Permissions in a text, such as `contents: read`.
fn permissions_in(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for scope in SCOPES {
        for level in ["read", "write"] {
            let permission = format!("{scope}: {level}");
            if text.contains(&permission) {
                found.insert(permission);
            }
        }
    }
    found
}

#[test]
fn every_permission_that_a_message_names_is_documented() {
    let documented = documented_permissions();
    let mut named = BTreeSet::new();
    for path in rust_files() {
        let text = std::fs::read_to_string(path).unwrap();
        for (part, _, text) in split_rust(&text) {
            if part == Part::Literal {
                named.extend(permissions_in(&text));
            }
        }
    }
    assert!(named.len() > 3, "{named:?}");
    let missing: Vec<_> = named.difference(&documented).collect();
    assert!(missing.is_empty(), "not in docs/github.md: {missing:?}");
}

#[test]
fn the_table_has_permissions_of_github_alone() {
    for permission in documented_permissions() {
        assert_eq!(
            permissions_in(&permission),
            BTreeSet::from([permission.clone()])
        );
    }
}
