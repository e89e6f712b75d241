//! The entries of an input that a variable holds: of a workflow's, or of a command line's.

use super::declared_inputs::Input;
use super::input_declaration::InputKind;
use super::input_values::InputEntry;

/// Splits a list into its entries, one per line. Blank lines and lines that begin with `#` have a number
/// but no entry.
pub(super) fn split_entries(input: Input, value: &str) -> Vec<InputEntry> {
    let entries: Vec<InputEntry> = match input.declaration().kind {
        InputKind::List(_) | InputKind::Names(_) => value
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with('#'))
            .flat_map(|(index, line)| split_value(input, line, Some(index + 1)))
            .collect(),
        _ => split_value(input, value, None),
    };
    let default = input.declaration().default;
    // The runner hands over the defaults of action.yml, whether or not the verb takes the input.
    let is_given =
        |entry: &InputEntry| !entry.text.is_empty() && Some(entry.text.as_str()) != default;
    entries.into_iter().filter(is_given).collect()
}

/// Splits a line of a variable, or the value of a flag, into its entries, some of which may be empty.
pub(super) fn split_value(input: Input, value: &str, line: Option<usize>) -> Vec<InputEntry> {
    let entry = |text: &str| InputEntry {
        text: text.trim().to_owned(),
        line,
    };
    match input.declaration().kind {
        InputKind::Names(_) => value.split(',').map(entry).collect(),
        _ => vec![entry(value)],
    }
}
