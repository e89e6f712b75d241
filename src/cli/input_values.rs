//! The values of inputs, as text with the place of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::declared_inputs::Input;
use super::input_declaration::InputKind;
use super::login_in_name::holds_login;
use super::output_flags::OutputFlags;
use super::verb::Verb;
use crate::notices::{FileLocation, to_printable};

/// Values of the inputs that were given, as text.
#[derive(Clone)]
pub struct InputValues {
    /// Verb to run.
    pub verb: Verb,
    /// Who chose the verb.
    pub(super) verb_origin: VerbOrigin,
    /// Where the values were given, those in `from_variables` apart.
    pub(super) origin: InputOrigin,
    /// Inputs of a command line that variables hold.
    pub(super) from_variables: BTreeSet<Input>,
    /// What is printed, and how.
    pub output: OutputFlags,
    /// Warnings that do not stop the run, such as an unknown input.
    pub warnings: Vec<String>,
    pub(super) entries: BTreeMap<Input, Vec<InputEntry>>,
    /// Lists and verbatim texts, as they were written.
    pub(super) verbatim: BTreeMap<Input, String>,
}

/// Who chose the verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VerbOrigin {
    /// The user.
    Named,
    /// Nobody: `command` is not given.
    Default,
}

/// Where inputs are given, which decides how messages name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputOrigin {
    /// On the command line, as `--images`.
    CommandLine,
    /// In a variable of a command line, as `SHIPMARK_IMAGES`.
    Variable,
    /// In a workflow, as `images`.
    Workflow,
}

/// One value of an input.
#[derive(Clone, PartialEq, Eq)]
pub struct InputEntry {
    /// Value without the blanks around it.
    pub text: String,
    /// Line number in the list of a workflow or a variable; `None` elsewhere.
    pub line: Option<usize>,
}

/// Error in an input.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}{}{reason}", self.separator())]
pub struct InputError {
    /// Input as its user knows it, with the line in a list.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
    /// File that the input names, if that is wrong.
    pub location: Option<FileLocation>,
}

/// Verbs with which a reason continues the name of its input.
const REASON_VERBS: [&str; 7] = ["is", "has", "needs", "names", "says", "cannot", "does"];

impl InputError {
    /// Returns what separates place and reason: a blank where the reason continues the name of the input.
    fn separator(&self) -> &'static str {
        let verb = self.reason.split(' ').next().unwrap_or_default();
        match REASON_VERBS.contains(&verb) && !self.place.contains(", line ") {
            true => " ",
            false => ": ",
        }
    }
}

impl InputValues {
    /// Returns the values of a list, or the one value of another input; empty if it was not given.
    pub fn entries(&self, input: Input) -> &[InputEntry] {
        debug_assert!(
            self.is_accepted(input),
            "{input} is not an input of {}",
            self.verb
        );
        self.entries.get(&input).map_or(&[], Vec::as_slice)
    }

    /// Returns a list or a verbatim text as it was written; empty if it was not given.
    pub fn whole(&self, input: Input) -> &str {
        debug_assert!(
            self.is_accepted(input),
            "{input} is not an input of {}",
            self.verb
        );
        self.verbatim.get(&input).map_or("", String::as_str)
    }

    /// Returns the value, or the default.
    pub fn text(&self, input: Input) -> Option<&str> {
        match self.entries(input).first() {
            Some(entry) => Some(&entry.text),
            None => input.declaration().default,
        }
    }

    /// Returns the value, parsed as a `T`; `None` if it was not given.
    pub fn value<T>(&self, input: Input) -> Result<Option<T>, InputError>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        Ok(self.values(input)?.pop())
    }

    /// Returns the value, parsed as a `T`, or an error if it was not given.
    pub fn required<T>(&self, input: Input) -> Result<T, InputError>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.value(input)?
            .ok_or_else(|| self.error(input, None, "is required"))
    }

    /// Returns the entries, each parsed as a `T`.
    pub fn values<T>(&self, input: Input) -> Result<Vec<T>, InputError>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.entries(input)
            .iter()
            .map(|entry| {
                entry
                    .text
                    .parse()
                    .map_err(|reason: T::Err| self.entry_error(input, entry, reason))
            })
            .collect()
    }

    /// Returns whether a switch is on.
    pub fn switch(&self, input: Input) -> Result<bool, InputError> {
        match self.text(input).map(str::to_ascii_lowercase).as_deref() {
            Some("true") => Ok(true),
            None | Some("false") => Ok(false),
            Some(_) => {
                Err(self.entry_error(input, &self.entries(input)[0], "is neither true nor false"))
            }
        }
    }

    /// Returns the chosen word; `None` if the input was not given.
    pub fn choice(&self, input: Input) -> Result<Option<&'static str>, InputError> {
        let Some(entry) = self.entries(input).first() else {
            return Ok(None);
        };
        match input.declaration().kind {
            InputKind::Choice(words) => choose_word(words, &entry.text)
                .map(Some)
                .map_err(|reason| self.entry_error(input, entry, reason)),
            _ => Ok(None),
        }
    }

    /// Returns an error about an entry. It does not repeat a secret.
    pub fn entry_error(
        &self,
        input: Input,
        entry: &InputEntry,
        reason: impl fmt::Display,
    ) -> InputError {
        let reason = match input.declaration().secret {
            true => reason.to_string(),
            false => format!("{:?} {reason}", to_printable(&entry.text, 200)),
        };
        self.error(input, entry.line, reason)
    }

    /// Returns an error about an input.
    pub fn error(
        &self,
        input: Input,
        line: Option<usize>,
        reason: impl Into<String>,
    ) -> InputError {
        InputError {
            place: self.origin_of(input).input_place(input, line),
            reason: reason.into(),
            location: None,
        }
    }

    /// Returns an error about the file that an input names, not about its name.
    pub fn file_error(&self, input: Input, reason: impl Into<String>) -> InputError {
        let path = self.entries(input).first().map(InputEntry::path);
        let path = path.filter(|path| !path.is_empty());
        InputError {
            location: path.map(FileLocation::new),
            ..self.error(input, None, reason)
        }
    }

    /// Returns an error about the file that an entry names.
    pub fn entry_file_error(
        &self,
        input: Input,
        entry: &InputEntry,
        reason: impl fmt::Display,
    ) -> InputError {
        InputError {
            location: Some(FileLocation::new(entry.path())),
            ..self.entry_error(input, entry, reason)
        }
    }

    /// Returns where an input is given, or would be.
    pub fn origin_of(&self, input: Input) -> InputOrigin {
        match self.from_variables.contains(&input) {
            true => InputOrigin::Variable,
            false => self.origin,
        }
    }

    /// Returns the name under which an input is given: its variable's if that holds it, else its own.
    pub fn given_name(&self, input: Input) -> String {
        match self.origin_of(input) {
            InputOrigin::Variable => self.origin_of(input).input_place(input, None),
            InputOrigin::CommandLine | InputOrigin::Workflow => input.name().to_owned(),
        }
    }

    /// Returns whether a value is given: an entry, or blanks where they count.
    pub(super) fn is_given(&self, input: Input) -> bool {
        let verbatim = self.verbatim.get(&input);
        self.entries.contains_key(&input) || verbatim.is_some_and(|text| !text.is_empty())
    }

    /// Returns the values of all secret inputs.
    pub fn secrets(&self) -> impl Iterator<Item = (Input, &str)> {
        self.entries
            .iter()
            .filter(|(input, _)| input.declaration().secret)
            .flat_map(|(input, entries)| entries.iter().map(|entry| (*input, entry.text.as_str())))
    }

    /// Returns the entries that can hold a path, with their inputs.
    pub fn path_entries(&self) -> impl Iterator<Item = (Input, &InputEntry)> {
        let inputs = self
            .entries
            .iter()
            .filter(|(input, _)| input.declaration().path);
        inputs.flat_map(|(input, entries)| entries.iter().map(|entry| (*input, entry)))
    }

    /// Sets the value of an input that was not given.
    pub fn set_absent(&mut self, input: Input, text: &str) {
        let entry = InputEntry {
            text: text.to_owned(),
            line: None,
        };
        self.entries.entry(input).or_insert_with(|| vec![entry]);
    }

    /// Takes an input away, as if it was not given.
    pub fn remove(&mut self, input: Input) {
        self.entries.remove(&input);
    }

    /// Replaces each entry of an input for which `rename` returns another; returns pairs of old and new text.
    pub fn rename(
        &mut self,
        input: Input,
        rename: impl Fn(&str) -> Option<String>,
    ) -> Vec<(String, String)> {
        let entries = self.entries.get_mut(&input).into_iter().flatten();
        let renamed = entries.filter_map(|entry| {
            let new = rename(&entry.text)?;
            Some((std::mem::replace(&mut entry.text, new.clone()), new))
        });
        renamed.collect()
    }

    /// Replaces each path for which `rename` returns another; returns pairs of old and new path.
    pub fn rename_paths(
        &mut self,
        rename: impl Fn(&str) -> Option<String>,
    ) -> Vec<(String, String)> {
        let inputs = self
            .entries
            .iter_mut()
            .filter(|(input, _)| input.declaration().path);
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

    /// Requires that the verb takes every input that was given, and that required inputs are given.
    pub(super) fn check_values(self) -> Result<Self, InputError> {
        let mut inputs = self.entries.keys();
        let is_refused = |input: &&Input| !self.is_accepted(**input) && !self.is_default(**input);
        if let Some(input) = inputs.find(is_refused) {
            return Err(self.error(*input, None, self.reason_not_accepted(*input)));
        }
        self.refuse_control_characters()?;
        self.refuse_logins_in_names()?;
        let mut inputs = self.verb.inputs();
        let missing = inputs.find(|input| {
            let is_required = input.declaration().required.contains(&self.verb);
            is_required && !self.entries.contains_key(input)
        });
        match missing {
            Some(input) => Err(self.error(input, None, "is required")),
            None => Ok(self),
        }
    }

    /// Returns why the verb does not take an input, with the verbs that do.
    fn reason_not_accepted(&self, input: Input) -> String {
        let (verb, verbs) = (self.verb, input.verb_names());
        match self.verb_origin {
            VerbOrigin::Named => format!("is not an input of {verb}, but of {verbs}"),
            VerbOrigin::Default => format!(
                "is not an input of {verb}, which runs where command is not given: set command to one of {verbs}"
            ),
        }
    }

    fn refuse_control_characters(&self) -> Result<(), InputError> {
        // Rules go only into tags and labels, which are escaped.
        let is_rule = |input: &Input| self.verb == Verb::Tags && self.verbatim.contains_key(input);
        for (input, entries) in self.entries.iter().filter(|(input, _)| !is_rule(input)) {
            let lines = matches!(input.declaration().kind, InputKind::TextOrFile(_));
            let is_wrong = |c: char| c.is_control() && !(lines && matches!(c, '\n' | '\r'));
            if let Some(entry) = entries.iter().find(|entry| entry.text.contains(is_wrong)) {
                let reason = "contains a line break or another control character";
                return Err(self.entry_error(*input, entry, reason));
            }
        }
        Ok(())
    }

    /// Refuses a password in the name of an image before a message repeats the name.
    fn refuse_logins_in_names(&self) -> Result<(), InputError> {
        let names = [Input::Source, Input::Images];
        let names = names.into_iter().filter(|input| self.is_accepted(*input));
        for input in names {
            let mut entries = self.entries(input).iter();
            if let Some(entry) = entries.find(|entry| holds_login(&entry.text)) {
                let reason = "the name of an image holds no login: remove the part before @, and set credentials";
                return Err(self.error(input, entry.line, reason));
            }
        }
        Ok(())
    }

    /// Returns whether the value can be the default of `action.yml` that the runner fills in, such as a
    /// token: every step of a workflow has it, whether or not its verb takes the input.
    fn is_default(&self, input: Input) -> bool {
        self.origin == InputOrigin::Workflow && input.declaration().from_workflow.is_some()
    }

    /// Returns whether the verb takes the input.
    pub fn is_accepted(&self, input: Input) -> bool {
        input.declaration().verbs.contains(&self.verb)
    }
}

impl InputEntry {
    /// Returns the path in an entry that can hold one: the whole text, or the text after a prefix such as
    /// `oci:` or after `NAME=`. The name or digest of an image may follow.
    pub fn path(&self) -> &str {
        const FORMS: [&str; 3] = ["oci:", "oci-archive:", "docker-archive:"];
        let text = self.text.as_str();
        if text.starts_with('/') {
            return text;
        }
        // The text of a key, not a path.
        if text.contains('\n') {
            return "";
        }
        let in_form = FORMS.iter().find_map(|form| text.strip_prefix(form));
        let after_name = || text.split_once('=').map(|(_, path)| path);
        in_form.or_else(after_name).unwrap_or(text)
    }
}

impl InputOrigin {
    pub(super) fn input_place(self, input: Input, line: Option<usize>) -> String {
        let name = match self {
            Self::CommandLine => return format!("--{input}"),
            Self::Variable => input.declaration().shell_variable(),
            Self::Workflow => None,
        };
        let name = name.unwrap_or_else(|| input.name().to_owned());
        match line {
            Some(line) => format!("{name}, line {line}"),
            None => name,
        }
    }
}

/// Returns the word among `words` that equals `text`, or why none does.
pub(super) fn choose_word(words: &[&'static str], text: &str) -> Result<&'static str, String> {
    let found = words.iter().find(|word| **word == text);
    found
        .copied()
        .ok_or_else(|| format!("is not one of {}", words.join(", ")))
}

impl fmt::Debug for InputValues {
    /// Omits the values: some are secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputValues")
            .field("verb", &self.verb)
            .field("origin", &self.origin)
            .field("given", &self.entries.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
