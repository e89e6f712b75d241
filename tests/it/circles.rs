//! Files of a room use each other in one direction: none leads back to itself by way of others, so each
//! can be read after those that it uses.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::rust_source::{code_only, relative, rust_files};

/// Path of a module below the crate, such as `["registry", "auth"]`.
type ModulePath = Vec<String>;

/// Code of each module that is a file, without its tests.
struct SourceTree(BTreeMap<ModulePath, String>);

impl SourceTree {
    fn load() -> Self {
        let mut modules = BTreeMap::new();
        for path in rust_files() {
            let file = relative(&path);
            let mut module: ModulePath = file
                .trim_start_matches("src/")
                .trim_end_matches(".rs")
                .split('/')
                .map(str::to_owned)
                .collect();
            module.retain(|part| part != "mod");
            if module.iter().any(|part| part == "tests") {
                continue;
            }
            let code = code_only(&std::fs::read_to_string(&path).unwrap());
            let code = code.split("#[cfg(test)]\nmod ").next().unwrap();
            modules.insert(module, code.to_owned());
        }
        Self(modules)
    }

    /// Returns the files of the same room that a module's code leads to, re-exports followed.
    fn uses(&self, module: &ModulePath) -> BTreeSet<ModulePath> {
        let code = &self.0[module];
        let mut paths: BTreeSet<Vec<String>> =
            use_items(code).into_iter().map(|(_, path)| path).collect();
        paths.extend(inline_paths(&without_use_items(code)));
        paths
            .iter()
            .filter_map(|path| self.resolve(module, path, 0))
            .filter(|used| used != module && used.first() == module.first())
            .collect()
    }

    /// Returns the file that `path`, seen from `module`, leads to; none outside of the crate.
    fn resolve(&self, module: &ModulePath, path: &[String], depth: usize) -> Option<ModulePath> {
        let mut at = module.clone();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                at.pop();
            }
            first => {
                let child = [at.as_slice(), &[first.to_owned()]].concat();
                self.0.get(&child)?;
                rest = path;
                return self.descend(at, rest, depth);
            }
        }
        rest = &rest[1..];
        while rest.first().is_some_and(|part| part == "super") {
            at.pop();
            rest = &rest[1..];
        }
        self.descend(at, rest, depth)
    }

    fn descend(&self, mut at: ModulePath, mut rest: &[String], depth: usize) -> Option<ModulePath> {
        while let Some(name) = rest.first() {
            let child = [at.as_slice(), std::slice::from_ref(name)].concat();
            if self.0.contains_key(&child) {
                at = child;
                rest = &rest[1..];
                continue;
            }
            let exports = use_items(self.0.get(&at)?).into_iter();
            let mut exports =
                exports.filter(|(is_public, path)| *is_public && path.last() == Some(name));
            return match exports.next() {
                Some((_, path)) if depth < 8 => self
                    .resolve(&at, &[&path[..], &rest[1..]].concat(), depth + 1)
                    .or(Some(at)),
                _ => Some(at),
            };
        }
        Some(at)
    }
}

/// Returns the paths of a file's `use` items, each with whether it is a re-export.
fn use_items(code: &str) -> Vec<(bool, Vec<String>)> {
    let mut items = Vec::new();
    for statement in code.split(';') {
        let Some(at) = statement.rfind("use ") else {
            continue;
        };
        let before = statement[..at].trim_end();
        let visibility = before.rsplit(['\n', '}', ']']).next().unwrap_or("").trim();
        if !visibility.is_empty() && !visibility.starts_with("pub") {
            continue;
        }
        for path in use_paths(&statement[at + "use ".len()..]) {
            items.push((visibility.starts_with("pub"), path));
        }
    }
    items
}

/// Expands the braces of a `use` item: `a::{b, c::d}` gives `a::b` and `a::c::d`.
fn use_paths(tree: &str) -> Vec<Vec<String>> {
    let Some((prefix, inside)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        let parts = path.split("::").map(|part| part.trim().to_owned());
        let path: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
        return vec![path];
    };
    let prefix = use_paths(prefix).remove(0);
    let inside = inside.rsplit_once('}').map_or(inside, |(inside, _)| inside);
    let mut expanded = Vec::new();
    for part in split_at_commas(inside) {
        for mut path in use_paths(&part) {
            path.retain(|name| name != "self" || prefix.is_empty());
            expanded.push([&prefix[..], &path[..]].concat());
        }
    }
    expanded
}

/// Splits a list at the commas that are not inside of braces.
fn split_at_commas(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for char in list.chars() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(char);
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn without_use_items(code: &str) -> String {
    let statements = code.split_inclusive(';');
    let kept = statements.map(|statement| match statement.rfind("use ") {
        Some(at) if !statement[at..].contains('=') => &statement[..at],
        _ => statement,
    });
    kept.collect()
}

/// Returns the paths `a::b` in code.
fn inline_paths(code: &str) -> Vec<Vec<String>> {
    let is_path = |char: char| char.is_alphanumeric() || char == '_' || char == ':';
    let words = code.split(|char| !is_path(char));
    let paths = words.filter(|word| word.contains("::") && !word.starts_with(':'));
    let split = |word: &str| {
        let parts = word
            .split("::")
            .map(|part| part.trim_matches(':').to_owned());
        parts.filter(|part| !part.is_empty()).collect()
    };
    paths.map(split).collect()
}

/// Returns the modules that lead back to themselves.
fn modules_in_circles(uses: &BTreeMap<ModulePath, BTreeSet<ModulePath>>) -> BTreeSet<ModulePath> {
    let reaches_itself = |start: &ModulePath| {
        let mut seen = BTreeSet::new();
        let mut pending: Vec<_> = uses[start].iter().collect();
        while let Some(module) = pending.pop() {
            if module == start {
                return true;
            }
            if seen.insert(module) {
                pending.extend(&uses[module]);
            }
        }
        false
    };
    uses.keys()
        .filter(|module| reaches_itself(module))
        .cloned()
        .collect()
}

#[test]
fn no_files_of_a_room_use_each_other_in_a_circle() {
    let tree = SourceTree::load();
    let uses: BTreeMap<_, _> = tree
        .0
        .keys()
        .map(|module| (module.clone(), tree.uses(module)))
        .collect();
    let edges: usize = uses.values().map(BTreeSet::len).sum();
    assert!(edges > 500, "uses were not found: {edges}");
    let circles: Vec<_> = modules_in_circles(&uses)
        .into_iter()
        .map(|module| {
            let used = uses[&module].iter().map(|used| used.join("::"));
            format!(
                "{} uses {}",
                module.join("::"),
                used.collect::<Vec<_>>().join(", ")
            )
        })
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn uses_are_found_in_all_forms() {
    let module = |path: &str| path.split("::").map(str::to_owned).collect::<ModulePath>();
    let tree = SourceTree(BTreeMap::from([
        (module("a"), "pub use b::{C, D as E};\nmod b;".to_owned()),
        (
            module("a::b"),
            "use super::f::{self, G};\nlet x = crate::a::h::I;".to_owned(),
        ),
        (module("a::f"), "use crate::a::C;".to_owned()),
        (module("a::h"), String::new()),
    ]));
    let used = |from: &str| {
        let used = tree.uses(&module(from)).into_iter();
        used.map(|path| path.join("::")).collect::<Vec<_>>()
    };
    assert_eq!(used("a"), ["a::b"]);
    assert_eq!(used("a::b"), ["a::f", "a::h"]);
    assert_eq!(used("a::f"), ["a::b"]);
    let uses = tree
        .0
        .keys()
        .map(|path| (path.clone(), tree.uses(path)))
        .collect();
    let circles = modules_in_circles(&uses);
    assert_eq!(circles, BTreeSet::from([module("a::b"), module("a::f")]));
}
