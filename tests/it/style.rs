//! The lists of STYLE.md that are enforced: rejected words in identifiers and types' names, rejected
//! phrases in text for users, and type names that stand for one thing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::rust_source::{
    Part, code_only, files_below, identifiers, relative, root, rust_files, split_rust,
};

/// The most names that may stand for two types across the crate.
const SHARED_TYPE_NAMES: usize = 15;

/// Returns the lines of a fenced block of STYLE.md.
fn style_block(name: &str) -> Vec<String> {
    let style = std::fs::read_to_string(root().join("STYLE.md")).unwrap();
    let (_, rest) = style.split_once(&format!("```{name}\n")).unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    block.lines().map(str::to_owned).collect()
}

fn style_words(name: &str) -> BTreeSet<String> {
    let lines = style_block(name);
    let words = lines.iter().flat_map(|line| line.split_whitespace());
    words.map(str::to_owned).collect()
}

/// Splits an identifier into its lower-case words.
fn words(identifier: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for char in identifier.chars() {
        if char == '_' || char.is_uppercase() && was_lower {
            words.push(String::new());
        }
        if char != '_' {
            words.last_mut().unwrap().extend(char.to_lowercase());
        }
        was_lower = char.is_lowercase() || char.is_numeric();
    }
    words
}

#[test]
fn identifiers_are_in_the_terms_of_the_glossary() {
    let rejected = style_words("rejected-identifiers");
    let exceptions = style_words("exceptions");
    let mut found = BTreeSet::new();
    for path in rust_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (part, line, code) in split_rust(&text) {
            if part != Part::Code {
                continue;
            }
            let bad = identifiers(&code).filter(|name| !exceptions.contains(*name));
            for name in bad.filter(|name| words(name).iter().any(|word| rejected.contains(word))) {
                found.insert(format!("{}:{line}: {name}", relative(&path)));
            }
        }
    }
    assert!(found.is_empty(), "words that STYLE.md rejects: {found:#?}");
}

/// Returns every type that `src` defines, with the room and the file of each definition.
fn type_definitions() -> BTreeMap<String, Vec<(String, String)>> {
    let mut types: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for path in rust_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = code_only(&text);
        let names: Vec<&str> = identifiers(&code).collect();
        let file = relative(&path);
        let room = file.split(['/', '.']).nth(1).unwrap().to_owned();
        for pair in names.windows(2) {
            if matches!(pair[0], "struct" | "enum" | "trait") {
                let places = types.entry(pair[1].to_owned()).or_default();
                places.push((room.clone(), file.clone()));
            }
        }
    }
    types
}

#[test]
fn names_of_types_say_what_they_are() {
    let rejected = style_words("rejected-types");
    let types = type_definitions();
    assert!(types.len() > 300, "types were not found: {}", types.len());
    let found: Vec<_> = types
        .iter()
        .filter(|(name, _)| rejected.contains(*name))
        .collect();
    assert!(found.is_empty(), "names that STYLE.md rejects: {found:#?}");
}

#[test]
fn a_type_has_a_name_of_its_own() {
    let types = type_definitions();
    let mut twice_in_a_room = Vec::new();
    let mut shared = Vec::new();
    for (name, places) in &types {
        let rooms: BTreeSet<_> = places.iter().map(|(room, _)| room).collect();
        if rooms.len() < places.len() {
            twice_in_a_room.push((name, places));
        }
        if places.len() > 1 {
            shared.push(name);
        }
    }
    assert!(twice_in_a_room.is_empty(), "{twice_in_a_room:#?}");
    assert!(shared.len() <= SHARED_TYPE_NAMES, "{shared:#?}");
}

/// Whether a text holds a phrase as whole words, in any case.
fn has_phrase(text: &str, phrase: &str) -> bool {
    let is_word = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
    text.match_indices(phrase).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !is_word(before) && !is_word(text[at + phrase.len()..].chars().next())
    })
}

#[test]
fn text_for_users_is_in_plain_words() {
    let phrases = style_block("rejected-phrases");
    let exceptions = style_words("exceptions");
    let mut found = BTreeSet::new();
    let mut check = |file: &str, line: usize, text: &str| {
        let mut text = text.to_lowercase();
        for exception in &exceptions {
            text = text.replace(exception.as_str(), "");
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for phrase in phrases.iter().filter(|phrase| has_phrase(&text, phrase)) {
            found.insert(format!("{file}:{line}: {phrase}"));
        }
    };
    for path in rust_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (part, line, literal) in split_rust(&text) {
            if part == Part::Literal {
                check(&relative(&path), line, &literal.replace("\\\n", " "));
            }
        }
    }
    let documents = [
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "action.yml",
        "docs",
        "examples",
    ];
    let is_document = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        path.is_dir() || matches!(extension, Some("md" | "yml"))
    };
    for document in documents {
        for path in files_below(&root().join(document), &is_document) {
            let text = std::fs::read_to_string(&path).unwrap();
            for (at, paragraph) in text.lines().enumerate() {
                check(&relative(&path), at + 1, paragraph);
            }
        }
    }
    assert!(
        found.is_empty(),
        "phrases that STYLE.md rejects: {found:#?}"
    );
}

#[test]
fn words_and_phrases_are_told_apart() {
    assert_eq!(words("HTTPServer_name"), ["httpserver", "name"]);
    assert_eq!(words("isSettled"), ["is", "settled"]);
    assert!(has_phrase("what stands beside it", "beside") && !has_phrase("besides", "beside"));
}
