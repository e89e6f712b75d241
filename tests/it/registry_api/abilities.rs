//! docs/retention.md has the table of what registries' own APIs tell and do, as src/registry_api/ declares it:
//!
//! ```sh
//! UPDATE_DECLARED=1 cargo test --test it abilities
//! ```

use std::path::Path;

use shipmark::registry_api::{AbilitySource, DeletionRoute, RegistryAbilities};

use crate::support::table::documented;

const BEGIN: &str = "<!-- abilities of registries: written from src/registry_api/ -->\n";
const HEAD: &str = "| registry | known by | lists untagged | times | deletes a tag alone | deletes a manifest | refuses | undo | pace | login | source |\n|---|---|---|---|---|---|---|---|---|---|---|\n";

fn row(it: &RegistryAbilities) -> String {
    let untagged = if it.lists_untagged { "yes" } else { "no" };
    let source = match it.source {
        AbilitySource::Fixture(file) => format!("fixture: `{file}`"),
        AbilitySource::Assumed(source) => format!("assumed: {source}"),
    };
    let cells = [
        it.name,
        it.hosts,
        untagged,
        it.times,
        route(it.deletes_tag),
        route(it.deletes_manifest),
        it.refusals,
        it.undo,
        it.pace,
        it.login,
        &source,
    ];
    format!("| {} |", cells.join(" | "))
}

fn route(route: DeletionRoute) -> &'static str {
    match route {
        DeletionRoute::Distribution => "distribution API",
        DeletionRoute::VendorApi => "vendor's API",
        DeletionRoute::Never => "no",
    }
}

#[test]
fn the_document_has_the_declared_abilities() {
    let rows: Vec<String> = RegistryAbilities::all().map(row).collect();
    documented("docs/retention.md", BEGIN, HEAD, &rows);
}

#[test]
fn each_fixture_is_a_file_of_the_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for it in RegistryAbilities::all() {
        if let AbilitySource::Fixture(file) = it.source {
            assert!(root.join(file).is_file(), "{}: {file}", it.name);
        }
    }
}

#[test]
fn an_ability_says_something_in_every_column() {
    for it in RegistryAbilities::all() {
        let texts = [
            it.name,
            it.hosts,
            it.times,
            it.refusals,
            it.undo,
            it.pace,
            it.login,
        ];
        assert!(texts.iter().all(|text| !text.is_empty()), "{it:?}");
        assert!(texts.iter().all(|text| !text.contains('|')), "{it:?}");
    }
}
