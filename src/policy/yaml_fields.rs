//! Mappings of a policy file with declared keys.

use std::collections::HashMap;

use super::declared_keys::FLAG_WORDS;
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::key_shapes::{KeyDeclaration, KeySet};
use super::problem_list::ProblemList;
use super::yaml_node::{YamlKey, YamlNode, YamlValue, printable_text};
use crate::notices::similar_word;

/// A mapping, of which the known keys are left.
#[derive(Clone)]
pub(super) struct YamlFields(Vec<(YamlKey, YamlNode)>);

impl YamlNode {
    /// Returns a mapping of the keys of `keys`. Keys that are not known or missing are problems, and so is any
    /// other value, for which `None` is returned.
    pub(super) fn into_fields(
        self,
        keys: &KeySet,
        problems: &mut ProblemList,
    ) -> Option<YamlFields> {
        let at = self.position;
        let mut entries = problems.keep(self.into_map(keys.shape))?;
        // A key that is meant by an unknown one is not reported as missing, too.
        let means = |key: &YamlKey, name: &str| {
            key.text == name
                || keys.find(&key.text).is_none()
                    && similar_word(&key.text, keys.names()) == Some(name)
        };
        let is_meant = |name: &str| entries.iter().any(|(key, _)| means(key, name));
        for name in keys.required.iter().filter(|name| !is_meant(name)) {
            problems.add(at.to_error(PolicyProblem::Missing(name)));
        }
        if keys.needs_one && entries.is_empty() {
            let names = keys.names().collect();
            problems.add(at.to_error(PolicyProblem::NoKey(names)));
        }
        if !keys.one_of.is_empty() {
            let given = keys.one_of.iter().filter(|name| is_meant(name)).count();
            problems.keep(require_one_of(keys.one_of, at, given, &entries));
        }
        entries.retain(|(key, _)| {
            let is_known = keys.find(&key.text).is_some();
            if !is_known {
                problems.add(key.position.to_error(unknown_key(&key.text, keys)));
            }
            is_known
        });
        Some(YamlFields(entries))
    }
}

impl YamlFields {
    /// The names of its keys, in the order of `keys`.
    pub(super) fn names(&self, keys: &KeySet) -> Vec<&'static str> {
        let is_given = |name: &&str| self.position(name).is_some();
        keys.names().filter(is_given).collect()
    }

    /// Where a key stands.
    pub(super) fn position(&self, name: &str) -> Option<FilePosition> {
        let mut keys = self.0.iter().map(|(key, _)| key);
        keys.find(|key| key.text == name).map(|key| key.position)
    }

    /// Whether the value of a key is the word `false`.
    pub(super) fn is_off(&self, name: &str) -> bool {
        let [off, _] = FLAG_WORDS;
        let mut values = self.0.iter().filter(|(key, _)| key.text == name);
        values.any(|(_, node)| matches!(&node.value, YamlValue::Text(text) if text.text == off))
    }

    /// The keys, and where each stands.
    pub(super) fn positions(&self) -> HashMap<String, FilePosition> {
        let keys = self.0.iter().map(|(key, _)| key);
        keys.map(|key| (key.text.clone(), key.position)).collect()
    }

    /// Takes the entries from `defaults` whose keys it has not.
    pub(super) fn fill_in(&mut self, defaults: &Self) {
        for (key, node) in &defaults.0 {
            if self.position(&key.text).is_none() {
                self.0.push((key.clone(), node.clone()));
            }
        }
    }

    /// The bytes that a copy of it needs at least.
    pub(super) fn size(&self) -> usize {
        self.0.iter().map(|(_, node)| node.size()).sum()
    }

    /// Removes the value of a key, and returns it with the position of the key.
    pub(super) fn take(&mut self, name: &str) -> Option<(FilePosition, YamlNode)> {
        let found = self.0.iter().position(|(key, _)| key.text == name)?;
        let (key, node) = self.0.swap_remove(found);
        Some((key.position, node))
    }

    /// Reads the value of a key; `None` if it has none, or a problem.
    pub(super) fn read<T>(
        &mut self,
        name: &str,
        problems: &mut ProblemList,
        parse: impl FnOnce(YamlNode) -> Result<T, PolicyError>,
    ) -> Option<T> {
        let (_, node) = self.take(name)?;
        problems.keep(parse(node))
    }
}

/// Requires one of the keys, of which `meant` are given or meant, and not two.
fn require_one_of(
    keys: &'static [&'static str],
    at: FilePosition,
    meant: usize,
    entries: &[(YamlKey, YamlNode)],
) -> Result<(), PolicyError> {
    let is_one = |key: &&YamlKey| keys.contains(&key.text.as_str());
    let second = entries.iter().map(|(key, _)| key).filter(is_one).nth(1);
    match second {
        Some(second) => Err(second.position.to_error(PolicyProblem::TwoOf(keys))),
        None if meant == 0 => Err(at.to_error(PolicyProblem::NoneOf(keys))),
        None => Ok(()),
    }
}

fn unknown_key(text: &str, keys: &KeySet) -> PolicyProblem {
    let of_retention = keys.of_retention.iter();
    match of_retention.copied().find(|key| *key == text) {
        Some(key) => PolicyProblem::KeyOfRetention(key),
        None => PolicyProblem::UnknownKey {
            key: printable_text(text),
            similar: similar_word(text, keys.names()),
            known: keys.names().collect(),
        },
    }
}

impl KeySet {
    /// Returns the declaration of a key.
    pub(super) fn find(&self, name: &str) -> Option<&'static KeyDeclaration> {
        self.known.iter().find(|key| key.name == name)
    }

    /// Returns the names of the known keys.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.known.iter().map(|key| key.name)
    }
}
