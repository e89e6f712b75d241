//! What clap says of arguments that are wrong, without values that may be secrets.

use std::ffi::OsString;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::declared_inputs::Input;
use super::info_command::command_names;
use super::verb::Verb;
use crate::notices::{similar_word, to_printable};

/// Values of at most this length are shown by half.
const SHOWN_LIMIT: usize = 16;

/// The most characters of a shown value.
const VALUE_LIMIT: usize = 100;

/// Returns clap's explanation, or our own of an unknown verb and of a flag of other verbs. It ends with the
/// command that prints help.
pub(super) fn explain(error: Error, arguments: &[OsString]) -> String {
    let name = arguments.get(1).and_then(|name| name.to_str());
    let verb = name.and_then(Verb::find);
    let command = command_names().find(|known| Some(*known) == name);
    let text = name_known_verbs(&error)
        .or_else(|| name_verbs_of_flag(&error, verb?))
        .or_else(|| name_plan_commands(&error))
        .unwrap_or_else(|| explain_without_values(error));
    let text = match text.split_once(CLOSING) {
        Some((before, _)) => before,
        None => &text,
    };
    let pointer = match command {
        Some(command) => format!("`shipmark help {command}` explains {command}"),
        None => "`shipmark help` lists the verbs".to_owned(),
    };
    format!("{}\n\n{pointer}\n", text.trim_end())
}

/// How clap begins the last line of an explanation.
const CLOSING: &str = "For more information, try";

/// Names the verb that an unknown one is like. A word that is like none is cut.
fn name_known_verbs(error: &Error) -> Option<String> {
    let of_help = || match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) if argument == "[VERB]" => {
            error.get(ContextKind::InvalidValue)
        }
        _ => None,
    };
    let word = error.get(ContextKind::InvalidSubcommand).or_else(of_help);
    let Some(ContextValue::String(word)) = word else {
        return None;
    };
    Some(match similar_word(word, command_names()) {
        Some(known) => format!(
            "error: {:?} is not a verb; did you mean {known}?",
            to_printable(word, SHOWN_LIMIT)
        ),
        None => format!(
            "error: {:?} is not a verb; the verbs are {}",
            shorten(word),
            Verb::NAMES.join(", ")
        ),
    })
}

/// Names the verbs that take a flag which `verb` does not take.
fn name_verbs_of_flag(error: &Error, verb: Verb) -> Option<String> {
    let Some(ContextValue::String(text)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let name = flag_name(text).filter(|_| error.kind() == ErrorKind::UnknownArgument)?;
    let input = Input::find(name.strip_prefix("--")?)?;
    let verbs = input.verb_names();
    Some(format!(
        "error: --{input} is not an input of {verb}, but of {verbs}\n"
    ))
}

/// Names the two commands of a deletion, where `--apply` has no plan file.
fn name_plan_commands(error: &Error) -> Option<String> {
    let is_apply = matches!(
        error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(flag)) if flag.starts_with("--apply <")
    );
    let is_empty = matches!(
        error.get(ContextKind::InvalidValue),
        Some(ContextValue::String(value)) if value.is_empty()
    );
    (is_apply && is_empty && error.kind() == ErrorKind::InvalidValue).then(|| {
        "error: --apply needs the file of a plan that was shown\n\n  shipmark prune --plan-file plan.json\n  shipmark prune --apply plan.json\n".to_owned()
    })
}

/// Returns clap's explanation. Of an argument that is not a flag, and of the value of a flag that takes
/// secrets, at most the first half is shown.
fn explain_without_values(mut error: Error) -> String {
    let is_public = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) => is_public_flag(flag),
        _ => false,
    };
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue] {
        let Some(ContextValue::String(value)) = error.get(kind) else {
            continue;
        };
        let shown = match kind {
            // No value where one is required.
            _ if value.is_empty() => continue,
            // For a value that is wrong this is the declared name of its flag.
            ContextKind::InvalidArg if is_declared(value) => continue,
            ContextKind::InvalidArg => flag_name(value).unwrap_or_else(|| shorten(value)),
            _ if is_public => to_printable(value, VALUE_LIMIT),
            _ => shorten(value),
        };
        if shown != *value {
            // A tip repeats the value.
            if flag_name(value).is_none() {
                error.remove(ContextKind::Suggested);
            }
            error.insert(kind, ContextValue::String(shown));
        }
    }
    error.to_string()
}

/// Whether this is how clap writes a flag of ours, `--key <KEY>`, or the argument of a command.
fn is_declared(text: &str) -> bool {
    if ["[VERB]", "<SHELL>"].contains(&text) {
        return true;
    }
    text.split_once(' ').is_some_and(|(name, word)| {
        flag_name(name).as_deref() == Some(name) && word.starts_with('<') && word.ends_with('>')
    })
}

/// Returns whether this is how clap writes a flag of ours that takes no secret.
fn is_public_flag(text: &str) -> bool {
    let name = text
        .split_once(' ')
        .and_then(|(name, _)| name.strip_prefix("--"));
    let is_secret = |name: &str| Input::find(name).is_some_and(|it| it.declaration().secret);
    is_declared(text) && name.is_some_and(|name| !is_secret(name))
}

/// Returns the name of a flag without the value after `=`; `None` if this is no flag.
fn flag_name(text: &str) -> Option<String> {
    let name = text.split_once('=').map_or(text, |(name, _)| name);
    let word = name.strip_prefix("--")?;
    let is_word = word
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (is_word && word.len() <= 40 && word.starts_with(|first: char| first.is_ascii_lowercase()))
        .then(|| name.to_owned())
}

/// Returns the beginning of a value, never all of it.
fn shorten(value: &str) -> String {
    let count = value.chars().count().min(SHOWN_LIMIT) / 2;
    let shown: String = value
        .chars()
        .take(count)
        .take_while(|character| !character.is_control())
        .collect();
    format!("{shown}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_named_and_values_are_cut() {
        for (text, expected) in [
            ("--imagse=oci:x", Some("--imagse")),
            ("--dry-run", Some("--dry-run")),
            ("-----BEGIN PRIVATE KEY-----", None),
            ("--Passw0rd", None),
            ("hunter2", None),
        ] {
            assert_eq!(flag_name(text).as_deref(), expected, "{text}");
        }
        assert_eq!(shorten("hunter2"), "hun…");
        assert_eq!(shorten("-----BEGIN PRIVATE KEY-----\nMIG"), "-----BEG…");
        assert_eq!(shorten("a\nb secret"), "a…");
        assert!(is_declared("--sign <WORD>"));
        assert!(is_public_flag("--output <FORMAT>") && is_public_flag("--sign <WORD>"));
        for text in [
            "--credentials <LOGIN>",
            "--signing-key <KEY>",
            "hunter2 <a>",
            "[VERB]",
        ] {
            assert!(!is_public_flag(text), "{text}");
        }
    }
}
