//! The table of version forms in docs/tags.md.

use shipmark::tagging::{DerivedTags, TagRules, derive_push_tags};

use crate::support::pushed;
use crate::support::table::documented;

const FORMS: [(&str, &str); 10] = [
    ("two numbers", "v0.29"),
    ("two numbers", "1.19"),
    ("three numbers", "v1.4.0"),
    ("three numbers, leading zeros", "2026.02.0"),
    ("four numbers", "v1.9.2.5"),
    ("pre-release", "v1.4.0-rc.1"),
    ("build part", "v1.28.3+k3s1"),
    ("component", "api/v1.2.3"),
    ("component", "web-v2.0.0-beta.1"),
    ("component", "@acme/web@1.2.3"),
];

fn names(derived: &DerivedTags, immutable: bool) -> String {
    let tags = derived.tags.iter().filter(|planned| {
        let is_commit = planned.tag.as_str().starts_with("git-");
        planned.kind.is_immutable() == immutable && !is_commit
    });
    let names: Vec<String> = tags.map(|planned| format!("`{}`", planned.tag)).collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(" "),
    }
}

#[test]
fn promise_4_the_documentation_has_the_table_of_forms() {
    let rows = FORMS.map(|(form, git_tag)| {
        let facts = pushed(&format!("refs/tags/{git_tag}"));
        let derived = derive_push_tags(facts.as_ref(), None, &TagRules::Default).unwrap();
        let [own, lines] = [true, false].map(|immutable| names(&derived, immutable));
        format!("| {form} | `{git_tag}` | {own} | {lines} |")
    });
    let head = "| form | git tag | immutable tag | version lines |\n|---|---|---|---|\n";
    let begin = "<!-- forms: written from tests/it/field/forms.rs -->\n";
    documented("docs/tags.md", begin, head, &rows);
}
