//! The entries of an input that a variable holds: of a workflow's, or of a command line's.

use super::declared_inputs::Input;
use super::input_declaration::InputKind;
use super::input_values::InputEntry;

/// Splits a list into its entries, one per line. Blank lines and lines that begin with `#` have a number
/// but no entry.
pub(super) fn split_entries(input: Input, value: &str) -> Vec<InputEntry> {
    let input = input.declaration();
    let entry = |text: &str, line| InputEntry {
        text: text.trim().to_owned(),
        line,
    };
    let entries = match input.kind {
        InputKind::List(_) => value
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with('#'))
            .map(|(index, line)| entry(line, Some(index + 1)))
            .collect(),
        _ => vec![entry(value, None)],
    };
    // The runner hands over the defaults of action.yml, whether or not the verb takes the input.
    let is_given =
        |entry: &InputEntry| !entry.text.is_empty() && Some(entry.text.as_str()) != input.default;
    entries.into_iter().filter(is_given).collect()
}
