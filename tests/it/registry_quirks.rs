//! docs/registries.md lists the registry quirks that src/registry/quirks.rs declares:
//!
//! ```sh
//! UPDATE_DECLARED=1 cargo test --test it registry_quirks
//! ```

use std::path::Path;

use shipmark::registry::{QuirkEvidence, REGISTRY_QUIRKS, RegistryQuirk};

use crate::support::table::documented;

const BEGIN: &str = "<!-- registry quirks: written from src/registry/quirks.rs -->\n";
const HEAD: &str = "| registry | behaviour | handled in | evidence |\n|---|---|---|---|\n";

fn row(quirk: &RegistryQuirk) -> String {
    let evidence = match quirk.evidence {
        QuirkEvidence::Fixture(name) => format!("`{name}`"),
        QuirkEvidence::Assumed(source) => format!("assumed ({source})"),
    };
    let behaviour = quirk.behaviour.replace("sha256-<hex>", "`sha256-<hex>`");
    let (registry, file) = (quirk.registry, quirk.handled_in);
    format!("| {registry} | {behaviour} | `{file}` | {evidence} |")
}

#[test]
fn the_document_lists_the_declared_quirks() {
    let rows: Vec<_> = REGISTRY_QUIRKS.iter().map(row).collect();
    documented("docs/registries.md", BEGIN, HEAD, &rows);
}

#[test]
fn each_quirk_names_a_file_and_a_recorded_response_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for quirk in REGISTRY_QUIRKS {
        let file = root.join("src").join(quirk.handled_in);
        assert!(file.exists(), "{quirk:?}");
        if let QuirkEvidence::Fixture(name) = quirk.evidence {
            let response = root.join(format!("tests/data/registries/{name}.json"));
            assert!(response.is_file(), "{quirk:?}");
        }
    }
}
