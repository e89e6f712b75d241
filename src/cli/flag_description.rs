//! The flags of a verb as help, completions and the man page show them: taken from clap, so that they are
//! those that it accepts.

use clap::{Arg, ArgAction};

use super::declared_inputs::Input;
use super::heading::Heading;
use super::input_declaration::InputKind;
use super::verb::Verb;
use super::verb_command::build_verb;

/// Flag of a verb.
#[derive(Debug, Clone)]
pub(super) struct FlagDescription {
    /// One letter, without the dash.
    pub(super) short: Option<char>,
    /// Name without the dashes.
    pub(super) name: String,
    /// What follows the name: ` <FILE>`, `[=false]` or nothing.
    pub(super) value: FlagValue,
    /// Whether it may be repeated.
    pub(super) repeats: bool,
    /// Whether the verb requires it.
    pub(super) is_required: bool,
    /// Purpose, in one line.
    pub(super) help: String,
    /// Input that it gives; `None` for a flag of the command line alone.
    pub(super) input: Option<Input>,
    /// Conditions under which it has an effect; `None` if it always has.
    pub(super) conditions: Option<String>,
    /// Title under which it is listed.
    pub(super) heading: String,
}

/// Value of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FlagValue {
    /// None: the flag alone.
    Nothing,
    /// None, or `=false`.
    Switch,
    /// One of these words.
    Words(Vec<String>),
    /// A path, or a text that may hold one; the word is its placeholder.
    Path(String),
    /// Any text; the word is its placeholder.
    Text(String),
}

impl FlagDescription {
    /// Returns the flag with its value, such as `--sign <key|keyless|off>` or `--dry-run[=false]`.
    pub(super) fn spelling(&self) -> String {
        match self.value {
            FlagValue::Switch => format!("{}[=false]", self.short_spelling()),
            _ => self.short_spelling(),
        }
    }

    /// Returns the flag as most lines have it: a switch has no value.
    pub(super) fn short_spelling(&self) -> String {
        let repeats = if self.repeats { "..." } else { "" };
        let value = match &self.value {
            FlagValue::Nothing | FlagValue::Switch => String::new(),
            FlagValue::Words(words) => format!(" <{}>{repeats}", words.join("|")),
            FlagValue::Path(word) | FlagValue::Text(word) => format!(" <{word}>{repeats}"),
        };
        match self.short {
            Some(short) => format!("-{short}, --{}{value}", self.name),
            None => format!("--{}{value}", self.name),
        }
    }

    /// Returns the details; empty if there are none.
    pub(super) fn details(&self) -> &'static str {
        self.input.and_then(Input::details).unwrap_or_default()
    }

    /// Returns the default; `None` if it is nothing, or what the lack of a switch says.
    pub(super) fn default(&self) -> Option<&'static str> {
        let default = self.input?.declaration().default;
        default.filter(|_| self.value != FlagValue::Switch)
    }

    /// Returns facts in brackets, such as `[env: SHIPMARK_SIGN]`.
    pub(super) fn notes(&self) -> Vec<String> {
        let default = self
            .default()
            .map(|default| format!("[default: {default}]"));
        let conditions = self.conditions.as_ref();
        let conditions = conditions.map(|conditions| format!("[only with {conditions}]"));
        let variable = self
            .input
            .and_then(|input| input.declaration().shell_variable());
        let variable = variable.map(|variable| format!("[env: {variable}]"));
        [default, conditions, variable]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Returns the flags of a verb by heading, in the order of documents. Titles that are no [`Heading`] follow.
pub(super) fn flags_by_heading(verb: Verb) -> Vec<(String, Vec<FlagDescription>)> {
    let mut groups: Vec<(String, Vec<FlagDescription>)> = Heading::ALL
        .iter()
        .map(|heading| (heading.title().to_owned(), Vec::new()))
        .collect();
    for flag in verb_flags(verb) {
        match groups.iter_mut().find(|(title, _)| *title == flag.heading) {
            Some((_, flags)) => flags.push(flag),
            None => groups.push((flag.heading.clone(), vec![flag])),
        }
    }
    groups.retain(|(_, flags)| !flags.is_empty());
    groups
}

/// Returns the flags of a verb.
pub(super) fn verb_flags(verb: Verb) -> Vec<FlagDescription> {
    let command = build_verb(verb, &Default::default());
    let flags = command.get_arguments();
    flags.map(|flag| describe_flag(verb, flag)).collect()
}

fn describe_flag(verb: Verb, flag: &Arg) -> FlagDescription {
    let input = Input::find(flag.get_id().as_str());
    let text = |help: &dyn ToString| help.to_string();
    FlagDescription {
        short: flag.get_short(),
        name: flag.get_long().unwrap_or_default().to_owned(),
        value: describe_value(flag, input),
        repeats: matches!(flag.get_action(), ArgAction::Append),
        is_required: flag.is_required_set(),
        help: flag.get_help().map(|help| text(help)).unwrap_or_default(),
        input,
        conditions: input.and_then(|input| input.conditions_on(verb)),
        heading: flag.get_help_heading().unwrap_or_default().to_owned(),
    }
}

fn describe_value(flag: &Arg, input: Option<Input>) -> FlagValue {
    if !matches!(flag.get_action(), ArgAction::Set | ArgAction::Append) {
        return FlagValue::Nothing;
    }
    let declaration = input.map(Input::declaration);
    if declaration.is_some_and(|declaration| declaration.kind == InputKind::Switch) {
        return FlagValue::Switch;
    }
    let words = flag.get_possible_values().into_iter();
    let words: Vec<_> = words
        .filter(|word| !word.is_hide_set())
        .map(|word| word.get_name().to_owned())
        .collect();
    if !words.is_empty() {
        return FlagValue::Words(words);
    }
    let word = flag.get_value_names().and_then(|names| names.first());
    let word = word.map_or_else(|| "TEXT".to_owned(), ToString::to_string);
    match declaration.is_some_and(|declaration| declaration.path) {
        true => FlagValue::Path(word),
        false => FlagValue::Text(word),
    }
}
