//! The documents for users: where their links lead, and how long README.md is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use shipmark::image::Manifest;
use shipmark::record::{
    EntryName, RecordBlob, RecordId, ReleaseRecord, STATEMENT_MEDIA_TYPE, build_entry_manifest,
    parse_entry_manifest,
};

use crate::support::rust_source::{files_below, relative, root};

/// The most words of README.md, counted as `wc -w` does.
const README_WORDS: usize = 1300;

fn documents() -> Vec<PathBuf> {
    let is_wanted =
        |path: &Path| path.is_dir() || path.extension().is_some_and(|extension| extension == "md");
    let mut found = Vec::new();
    for place in [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "docs",
        "examples",
    ] {
        found.extend(files_below(&root().join(place), &is_wanted));
    }
    found
}

/// Returns the text of a document without its blocks of code.
fn prose(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let parts = text.split("\n```").step_by(2);
    parts.collect::<Vec<_>>().join("\n")
}

/// Returns the targets of the links in a text.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    targets.filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// Returns the anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let lower = heading.trim().to_lowercase();
    let kept = lower
        .chars()
        .filter(|char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_'));
    kept.map(|char| if char == ' ' { '-' } else { char })
        .collect()
}

fn anchors(path: &Path) -> BTreeSet<String> {
    let prose = prose(path);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let headings = headings.map(|line| anchor(line.trim_start_matches('#')));
    let named = prose.split("<a id=\"").skip(1);
    let named = named.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
    headings.chain(named).collect()
}

#[test]
fn every_link_of_the_documents_leads_to_a_file_and_a_heading() {
    let mut broken = Vec::new();
    for path in documents() {
        for link in links(&prose(&path)).filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().unwrap().join(file),
            };
            let is_there = match heading {
                "" => target.exists(),
                heading => target.is_file() && anchors(&target).contains(heading),
            };
            if !is_there {
                broken.push(format!("{}: {link}", relative(&path)));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere: {broken:#?}");
}

#[test]
fn every_page_is_in_the_index() {
    let index = prose(&root().join("docs/index.md"));
    let listed: BTreeSet<_> = links(&index).collect();
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_page = name.ends_with(".md") && name != "index.md";
        assert!(!is_page || listed.contains(name.as_str()), "{name}");
    }
}

#[test]
fn readme_is_short() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let words = text.split_whitespace().count();
    assert!(words <= README_WORDS, "{words} words");
}

/// Returns the workflows of a document: its blocks of YAML, or the whole of a file of YAML.
fn workflows(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "yml") {
        return vec![text];
    }
    let blocks = text.split("```yaml\n").skip(1);
    blocks
        .map(|block| block.split("\n```").next().unwrap().to_owned())
        .collect()
}

/// GitHub keeps one waiting run of a group, and cancels those that waited before.
#[test]
fn a_documented_workflow_loses_no_run_and_releases_versions_alone() {
    let fleet = root().join("examples/fleet");
    let files = ["build.yml", "promote.yml"].map(|name| fleet.join(name));
    let (mut groups, mut tags) = (0, 0);
    for path in documents().iter().chain(&files) {
        for line in workflows(path).iter().flat_map(|text| text.lines()) {
            let line = line.trim();
            if let Some(group) = line.strip_prefix("group: ") {
                let own = ["github.sha", "github.ref", "inputs.digest", "inputs.source"];
                assert!(
                    own.iter().any(|name| group.contains(name)),
                    "{}: {line}",
                    relative(path)
                );
                groups += 1;
            }
            if line.starts_with("tags: [") {
                assert_eq!(line, r#"tags: ["v*.*.*"]"#, "{}", relative(path));
                tags += 1;
            }
        }
    }
    assert!(groups >= 9 && tags >= 6, "{groups} groups, {tags} triggers");
}

#[test]
fn anchors_are_those_of_github() {
    assert_eq!(anchor(" The default table"), "the-default-table");
    assert_eq!(
        anchor(" Sign for production, and verify in another job"),
        "sign-for-production-and-verify-in-another-job"
    );
    let found: Vec<_> = links("[a](b.md#c), ![d](e.png)").collect();
    assert_eq!(found, ["b.md#c", "e.png"]);
}

/// Returns the block of docs/formats.md that a comment marks as an example.
fn example(name: &str) -> String {
    let text = std::fs::read_to_string(root().join("docs/formats.md")).unwrap();
    let mark = format!("<!-- example {name}: tests/it/documents.rs -->\n");
    let (_, rest) = text.split_once(&mark).expect("the example");
    let mut lines = rest.lines();
    assert!(lines.next().unwrap().starts_with("```"));
    let line = lines.next().unwrap().to_owned();
    assert_eq!(lines.next(), Some("```"), "one line");
    line
}

/// What another reader is built after is what this program writes and reads, to the byte.
#[test]
fn the_documented_record_and_its_entry_agree() {
    let (statement, manifest) = (example("record"), example("manifest"));
    let record = ReleaseRecord::parse_statement(statement.as_bytes()).unwrap();
    assert_eq!(record.to_statement(), statement.as_bytes());
    let id = RecordId::from_blob(statement.as_bytes());
    let name: EntryName = example("tag").parse().unwrap();
    assert_eq!(name, record.entry_name(id));
    let blob = RecordBlob {
        media_type: STATEMENT_MEDIA_TYPE.to_owned(),
        content: statement.clone().into(),
    };
    let written = build_entry_manifest(&blob, &[]);
    assert_eq!(String::from_utf8_lossy(&written.bytes), manifest);
    let manifest = Manifest::parse(manifest.into_bytes().into(), None).unwrap();
    let layers = parse_entry_manifest(&manifest).unwrap();
    assert_eq!(layers.record.data.as_deref(), Some(statement.as_bytes()));
    let page = std::fs::read_to_string(root().join("docs/formats.md")).unwrap();
    assert!(page.contains(&format!("`{id}`")), "its record id is {id}");
}
