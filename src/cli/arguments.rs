use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{InputDeclaration, InputKind, Verb};
use crate::notices::to_printable;

/// What was said, as text: the entries of each input that was given.
#[derive(Clone)]
pub struct InputValues {
    /// The verb.
    pub verb: Verb,
    /// Where the entries come from.
    pub origin: InputOrigin,
    /// What looks wrong about them but does not stop anything.
    pub warnings: Vec<String>,
    pub(super) entries: BTreeMap<&'static str, Vec<InputEntry>>,
    /// Lists, and what is taken with the blanks around it, as they were written.
    pub(super) verbatim: BTreeMap<&'static str, String>,
}

/// Where an input was given, which decides how it is named in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputOrigin {
    /// On the command line, as `--images`.
    CommandLine,
    /// In a workflow, as `images`.
    Workflow,
}

/// One value of an input.
#[derive(Clone, PartialEq, Eq)]
pub struct InputEntry {
    /// The value as it was written, without the blanks around it.
    pub text: String,
    /// The line of a workflow's list that it stands on.
    pub line: Option<usize>,
}

/// What is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {reason}")]
pub struct InputError {
    /// The input, as its user knows it, with the line in a list.
    pub place: String,
    /// What is wrong.
    pub reason: String,
}

impl InputValues {
    /// The values of a list, or the one value of another input; none where it was not given.
    pub fn entries(&self, name: &'static str) -> &[InputEntry] {
        debug_assert!(
            self.is_accepted(name),
            "{name} is no input of {}",
            self.verb
        );
        self.entries.get(name).map_or(&[], Vec::as_slice)
    }

    /// All of a list as it was written, or of a text with the blanks around it; empty where it was
    /// not given.
    pub fn whole(&self, name: &'static str) -> &str {
        debug_assert!(
            self.is_accepted(name),
            "{name} is no input of {}",
            self.verb
        );
        self.verbatim.get(name).map_or("", String::as_str)
    }

    /// The value, or the default.
    pub fn text(&self, name: &'static str) -> Option<&str> {
        match self.entries(name).first() {
            Some(entry) => Some(&entry.text),
            None => InputDeclaration::find(name)?.default,
        }
    }

    /// The value, read as a `T`.
    pub fn value<T>(&self, name: &'static str) -> Result<Option<T>, InputError>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        Ok(self.values(name)?.pop())
    }

    /// The value, read as a `T`; it is an error that there is none.
    pub fn required<T>(&self, name: &'static str) -> Result<T, InputError>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.value(name)?
            .ok_or_else(|| self.error(name, None, "is needed"))
    }

    /// The entries, each read as a `T`.
    pub fn values<T>(&self, name: &'static str) -> Result<Vec<T>, InputError>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.entries(name)
            .iter()
            .map(|entry| {
                entry
                    .text
                    .parse()
                    .map_err(|reason: T::Err| self.entry_error(name, entry, reason))
            })
            .collect()
    }

    /// Whether a switch is on.
    pub fn switch(&self, name: &'static str) -> Result<bool, InputError> {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            Some("true") => Ok(true),
            None | Some("false") => Ok(false),
            Some(_) => {
                Err(self.entry_error(name, &self.entries(name)[0], "is neither true nor false"))
            }
        }
    }

    /// The word that was chosen of those which the declaration gives.
    pub fn choice(&self, name: &'static str) -> Result<Option<&'static str>, InputError> {
        let Some(entry) = self.entries(name).first() else {
            return Ok(None);
        };
        match InputDeclaration::find(name).map(|input| input.kind) {
            Some(InputKind::Choice(words)) => choose_word(words, &entry.text)
                .map(Some)
                .map_err(|reason| self.entry_error(name, entry, reason)),
            _ => Ok(None),
        }
    }

    /// That an entry has something wrong with it. A secret's text is not repeated.
    pub fn entry_error(
        &self,
        name: &'static str,
        entry: &InputEntry,
        reason: impl fmt::Display,
    ) -> InputError {
        let reason = match InputDeclaration::find(name) {
            Some(input) if input.secret => reason.to_string(),
            _ => format!("{:?} {reason}", to_printable(&entry.text, 200)),
        };
        self.error(name, entry.line, reason)
    }

    /// That there is something wrong with an input.
    pub fn error(&self, name: &str, line: Option<usize>, reason: impl Into<String>) -> InputError {
        InputError {
            place: self.origin.input_place(name, line),
            reason: reason.into(),
        }
    }

    /// The values of all secret inputs.
    pub fn secrets(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.entries
            .iter()
            .filter(|(name, _)| InputDeclaration::find(name).is_some_and(|input| input.secret))
            .flat_map(|(name, entries)| entries.iter().map(|entry| (*name, entry.text.as_str())))
    }

    /// The entries that can hold a path, with the names of their inputs.
    pub fn path_entries(&self) -> impl Iterator<Item = (&'static str, &InputEntry)> {
        let inputs = self.entries.iter().filter(|(name, _)| may_hold_path(name));
        inputs.flat_map(|(name, entries)| entries.iter().map(|entry| (*name, entry)))
    }

    /// Puts another path in the place of each that `rename` knows; tells old and new.
    pub fn rename_paths(
        &mut self,
        rename: impl Fn(&str) -> Option<String>,
    ) -> Vec<(String, String)> {
        let inputs = self
            .entries
            .iter_mut()
            .filter(|(name, _)| may_hold_path(name));
        inputs
            .flat_map(|(_, entries)| entries)
            .filter_map(|entry| {
                let old = entry.path().to_owned();
                let new = rename(&old)?;
                let before = entry.text.len() - old.len();
                entry.text.replace_range(before.., &new);
                Some((old, new))
            })
            .collect()
    }

    /// That the verb takes what was given, and has what it needs.
    pub(super) fn check_values(self) -> Result<Self, InputError> {
        if let Some(name) = self.entries.keys().find(|name| !self.is_accepted(name)) {
            return Err(self.error(name, None, format!("is no input of {}", self.verb)));
        }
        // What rules are made of goes into nothing but tags and labels, which are escaped.
        let as_written = |name: &str| self.verb == Verb::Tags && self.verbatim.contains_key(name);
        for (name, entries) in self.entries.iter().filter(|(name, _)| !as_written(name)) {
            let lines = InputDeclaration::find(name)
                .is_some_and(|input| matches!(input.kind, InputKind::TextOrFile(_)));
            let is_wrong = |c: char| c.is_control() && !(lines && matches!(c, '\n' | '\r'));
            let entry = entries.iter().find(|entry| entry.text.contains(is_wrong));
            if let Some(entry) = entry {
                let reason = "has a line break or another control character in it";
                return Err(self.entry_error(name, entry, reason));
            }
        }
        let missing = |input: &&InputDeclaration| {
            input.required.contains(&self.verb) && !self.entries.contains_key(input.name)
        };
        match self.verb.inputs().find(missing) {
            Some(input) => Err(self.error(input.name, None, "is needed")),
            None => Ok(self),
        }
    }

    /// Whether it is an input of the verb.
    pub fn is_accepted(&self, name: &str) -> bool {
        self.verb.inputs().any(|input| input.name == name)
    }
}

impl InputEntry {
    /// The path in it, where it holds one: as it is, after `oci:` and the like, or after `NAME=`.
    /// The name or digest of an image may follow.
    pub fn path(&self) -> &str {
        const FORMS: [&str; 3] = ["oci:", "oci-archive:", "docker-archive:"];
        let text = self.text.as_str();
        if text.starts_with('/') {
            return text;
        }
        // A key in place of its file.
        if text.contains('\n') {
            return "";
        }
        let in_form = FORMS.iter().find_map(|form| text.strip_prefix(form));
        let after_name = || text.split_once('=').map(|(_, path)| path);
        in_form.or_else(after_name).unwrap_or(text)
    }
}

impl InputOrigin {
    pub(super) fn input_place(self, name: &str, line: Option<usize>) -> String {
        match (self, line) {
            (Self::CommandLine, _) => format!("--{name}"),
            (Self::Workflow, Some(line)) => format!("{name}, line {line}"),
            (Self::Workflow, None) => name.to_owned(),
        }
    }
}

fn may_hold_path(name: &str) -> bool {
    InputDeclaration::find(name).is_some_and(|input| input.path)
}

/// The word among `words`, or why it is none of them.
pub(super) fn choose_word(words: &[&'static str], text: &str) -> Result<&'static str, String> {
    let found = words.iter().find(|word| **word == text);
    found
        .copied()
        .ok_or_else(|| format!("is none of {}", words.join(", ")))
}

impl fmt::Debug for InputValues {
    /// Without the values: some are secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arguments")
            .field("verb", &self.verb)
            .field("origin", &self.origin)
            .field("given", &self.entries.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
