//! What is tried with each text, by cargo-fuzz and by tests/it/tags/mutation.rs alike.

use jiff::Timestamp;
use shipmark::event::{EventFacts, EventInputs};
use shipmark::image::Tag;
use shipmark::tagging::{CompatMode, TagContext, TagRuleSet, expand_rules, parse_image_names};

/// Reads `text` as the inputs `tags`, `flavor` and `images` with a NUL between them, and expands
/// the rules for a tag and for a branch.
pub fn drive(text: &str) {
    let mut inputs = text.splitn(3, '\0');
    let mut next = || inputs.next().unwrap_or_default();
    let (tags, flavor, images) = (next(), next(), next());
    let _ = parse_image_names(images);
    for mode in [CompatMode::Compatible, CompatMode::Strict] {
        match TagRuleSet::parse(tags, flavor, mode) {
            Ok(rules) => ["refs/tags/v1.4.0", "refs/heads/a&b"]
                .iter()
                .for_each(|git_ref| expand_for(&rules, git_ref, mode)),
            Err(error) => assert!(error.line > 0 && error.column > 0, "{error:?}"),
        }
    }
}

fn expand_for(rules: &TagRuleSet, git_ref: &str, mode: CompatMode) {
    let facts = EventFacts::parse(&EventInputs {
        name: "push",
        git_ref: Some(git_ref),
        sha: Some("860c1904a1ce19322e91ac35af1ab07466440c37"),
        ..EventInputs::default()
    });
    let subject = TagContext::from_facts(facts.ok(), Timestamp::UNIX_EPOCH);
    let once = expand_rules(rules, &subject);
    assert_eq!(
        once,
        expand_rules(rules, &subject),
        "not a function of its inputs"
    );
    if let (Ok(expansion), CompatMode::Strict) = (once, mode) {
        for name in expansion.names() {
            assert!(name.parse::<Tag>().is_ok(), "{name:?}");
        }
    }
}
