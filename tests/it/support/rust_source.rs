//! The project's own Rust files as text, for tests of names, texts and the house.

use std::path::{Path, PathBuf};

/// Returns the folder of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files below `path`, in order, as far as `is_wanted` takes them and their folders.
pub fn files_below(path: &Path, is_wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut entries: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    let nested = entries.iter().map(|entry| files_below(entry, is_wanted));
    nested.flatten().filter(|path| is_wanted(path)).collect()
}

/// Returns the Rust files below `src`.
pub fn rust_files() -> Vec<PathBuf> {
    files_below(&root().join("src"), &|path| {
        path.is_dir() || path.extension().is_some_and(|extension| extension == "rs")
    })
}

/// A part of a Rust file, for finding words in the one and not in the other.
#[derive(PartialEq, Clone, Copy)]
pub enum Part {
    Code,
    Literal,
    Comment,
}

/// Splits a Rust file into code, string literals and comments, each with its line.
pub fn split_rust(text: &str) -> Vec<(Part, usize, String)> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let (part, length) = next_part(rest);
        let (taken, left) = rest.split_at(length);
        parts.push((part, line, taken.to_owned()));
        line += taken.matches('\n').count();
        rest = left;
    }
    parts
}

fn next_part(rest: &str) -> (Part, usize) {
    if rest.starts_with("//") {
        return (Part::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if let Some(hashes) = raw_string_hashes(rest) {
        let end = format!("\"{}", "#".repeat(hashes));
        let start = hashes + 2;
        let close = rest[start..].find(&end).unwrap();
        return (Part::Literal, start + close + end.len());
    }
    if rest.starts_with('"') {
        return (Part::Literal, string_length(rest));
    }
    if let Some(length) = char_length(rest) {
        return (Part::Code, length);
    }
    let mut indices = rest.char_indices().skip(1);
    let end = indices.find(|(at, _)| {
        let rest = &rest[*at..];
        let starts_word = !rest.starts_with('r') || raw_string_hashes(rest).is_some();
        rest.starts_with("//")
            || rest.starts_with(['"', '\''])
            || rest.starts_with('r') && starts_word
    });
    (Part::Code, end.map_or(rest.len(), |(at, _)| at))
}

fn raw_string_hashes(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, char) in rest.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Returns the length of a character literal, or of the apostrophe of a lifetime.
fn char_length(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('\'')?;
    if let Some(escape) = after.strip_prefix('\\') {
        let tail = escape
            .char_indices()
            .nth(1)
            .map_or(escape.len(), |(at, _)| at);
        return Some(2 + tail + escape[tail..].find('\'').map_or(0, |at| at + 1));
    }
    let first = after.chars().next()?;
    let is_literal = after[first.len_utf8()..].starts_with('\'');
    Some(if is_literal { first.len_utf8() + 2 } else { 1 })
}

/// Returns the code of a Rust file, without comments and literals.
pub fn code_only(text: &str) -> String {
    let parts = split_rust(text).into_iter();
    let code = parts.filter(|(part, ..)| *part == Part::Code);
    code.map(|(.., code)| code).collect()
}

/// Returns the identifiers and keywords of a piece of code.
pub fn identifiers(code: &str) -> impl Iterator<Item = &str> {
    code.split(|char: char| !char.is_alphanumeric() && char != '_')
        .filter(|word| word.starts_with(|char: char| char.is_alphabetic() || char == '_'))
}

/// Returns a path below the package.
pub fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

#[test]
fn rust_is_split_into_code_literals_and_comments() {
    let text = "let a = \"b // \\\" c\"; // d \"e\"\nlet f: &'static str = r#\"g \" h\"#; let i = '\"'; j('\\'', 'r')";
    let kinds = |wanted| {
        let parts = split_rust(text).into_iter();
        let parts = parts.filter(move |(part, ..)| *part == wanted);
        parts.map(|(.., text)| text).collect::<Vec<_>>()
    };
    assert_eq!(kinds(Part::Literal), ["\"b // \\\" c\"", "r#\"g \" h\"#"]);
    assert_eq!(kinds(Part::Comment), ["// d \"e\""]);
    let code = kinds(Part::Code).concat();
    let found: Vec<_> = identifiers(&code).collect();
    assert_eq!(
        found,
        [
            "let", "a", "let", "f", "static", "str", "let", "i", "j", "r"
        ]
    );
}
