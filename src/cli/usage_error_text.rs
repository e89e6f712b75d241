//! What clap says of arguments that are wrong, without their values: one of them may be a secret.

use std::ffi::OsString;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::declared_inputs::Input;
use super::verb::Verb;

/// Values of at most this length are shown by half.
const SHOWN_LIMIT: usize = 16;

/// Returns clap's explanation, or for a flag of other verbs the names of those.
pub(super) fn explain(error: Error, arguments: &[OsString]) -> String {
    name_verbs_of_flag(&error, arguments).unwrap_or_else(|| explain_without_values(error))
}

/// Names the verbs that take a flag which the verb of `arguments` does not take.
fn name_verbs_of_flag(error: &Error, arguments: &[OsString]) -> Option<String> {
    let verb = arguments.get(1)?.to_str()?;
    let verb = Verb::ALL.iter().find(|known| known.name() == verb)?;
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

/// Returns clap's explanation. Of an argument that is not a flag, at most its first half is shown.
fn explain_without_values(mut error: Error) -> String {
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue] {
        let Some(ContextValue::String(value)) = error.get(kind) else {
            continue;
        };
        let shown = match kind {
            // For a value that is wrong this is the declared name of its flag.
            ContextKind::InvalidArg if is_declared(value) => continue,
            ContextKind::InvalidArg => flag_name(value).unwrap_or_else(|| shorten(value)),
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

/// Whether this is how clap writes a flag of ours: `--key <KEY>`.
fn is_declared(text: &str) -> bool {
    text.split_once(' ').is_some_and(|(name, word)| {
        flag_name(name).as_deref() == Some(name) && word.starts_with('<') && word.ends_with('>')
    })
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
    }
}
