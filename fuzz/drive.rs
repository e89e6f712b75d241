//! What is tried with each text, by cargo-fuzz and by tests/it/tags/mutation.rs alike.

use jiff::Timestamp;
use shipmark::event::{Facts, Given};
use shipmark::image::Tag;
use shipmark::tagging::{Mode, Rules, Subject, expand, image_names};

/// Reads `text` as the inputs `tags`, `flavor` and `images` with a NUL between them, and expands
/// the rules for a tag and for a branch.
pub fn drive(text: &str) {
    let mut inputs = text.splitn(3, '\0');
    let mut next = || inputs.next().unwrap_or_default();
    let (tags, flavor, images) = (next(), next(), next());
    let _ = image_names(images);
    for mode in [Mode::Compatible, Mode::Strict] {
        match Rules::read(tags, flavor, mode) {
            Ok(rules) => ["refs/tags/v1.4.0", "refs/heads/a&b"]
                .iter()
                .for_each(|git_ref| expand_for(&rules, git_ref, mode)),
            Err(error) => assert!(error.line > 0 && error.column > 0, "{error:?}"),
        }
    }
}

fn expand_for(rules: &Rules, git_ref: &str, mode: Mode) {
    let facts = Facts::read(&Given {
        name: "push",
        git_ref: Some(git_ref),
        sha: Some("860c1904a1ce19322e91ac35af1ab07466440c37"),
        ..Given::default()
    });
    let subject = Subject::of(facts.ok(), Timestamp::UNIX_EPOCH);
    let once = expand(rules, &subject);
    assert_eq!(
        once,
        expand(rules, &subject),
        "not a function of its inputs"
    );
    if let (Ok(expansion), Mode::Strict) = (once, mode) {
        for name in expansion.names() {
            assert!(name.parse::<Tag>().is_ok(), "{name:?}");
        }
    }
}
