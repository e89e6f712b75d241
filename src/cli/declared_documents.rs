//! Sections of `action.yml` that are generated from the declaration.

use super::declared_inputs::INPUTS;
use super::declared_outputs::OUTPUTS;
use super::input_declaration::{InputDeclaration, InputKind};

/// Returns the `inputs:` and `outputs:` of `action.yml`.
pub fn action_yml_sections() -> String {
    let mut text = String::from("inputs:\n");
    for input in INPUTS {
        text += &format!(
            "  {}:\n    description: {}\n",
            input.name,
            quote_yaml(&input_description(input))
        );
        if let Some(default) = input.default.or(input.from_workflow) {
            text += &format!("    default: {}\n", quote_yaml(default));
        }
    }
    text += "\noutputs:\n";
    for output in OUTPUTS {
        text += &format!(
            "  {}:\n    description: {}\n",
            output.name,
            quote_yaml(output.help)
        );
    }
    text
}

fn input_description(input: &InputDeclaration) -> String {
    let form = match input.kind {
        InputKind::Text(_) | InputKind::TextOrFile(_) | InputKind::Verbatim(_) => String::new(),
        InputKind::List(_) => ". One per line".to_owned(),
        InputKind::Names(_) => ". One per line, or in one line with commas".to_owned(),
        InputKind::Choice(words) => format!(" ({})", words.join(", ")),
        InputKind::Switch => " (true, false)".to_owned(),
    };
    format!("{}{form}", input.help)
}

/// Returns a double-quoted YAML scalar.
fn quote_yaml(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
