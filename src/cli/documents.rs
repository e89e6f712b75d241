//! The documents that show the declaration, written from it.

use super::{INPUTS, Input, Kind, OUTPUTS};

/// The `inputs:` and `outputs:` of `action.yml`.
pub fn action_yml() -> String {
    let mut text = String::from("inputs:\n");
    for input in INPUTS {
        text += &format!(
            "  {}:\n    description: {}\n",
            input.name,
            yaml(&description(input))
        );
        if let Some(default) = input.default.or(input.from_workflow) {
            text += &format!("    default: {}\n", yaml(default));
        }
    }
    text += "\noutputs:\n";
    for output in OUTPUTS {
        text += &format!(
            "  {}:\n    description: {}\n",
            output.name,
            yaml(output.help)
        );
    }
    text
}

/// The README's tables of inputs and outputs.
pub fn readme_tables() -> String {
    let mut text = String::from("| input | | default |\n|---|---|---|\n");
    for input in INPUTS {
        let default = match (input.default.or(input.from_workflow), input.required) {
            (Some(default), _) => format!("`{default}`"),
            (None, []) => String::new(),
            (None, verbs) => {
                let names: Vec<_> = verbs.iter().map(|verb| verb.name()).collect();
                format!("needed by {}", names.join(", "))
            }
        };
        text += &format!(
            "| `{}` | {} | {default} |\n",
            input.name,
            cell(&description(input))
        );
    }
    text += "\n| output | |\n|---|---|\n";
    for output in OUTPUTS {
        text += &format!("| `{}` | {} |\n", output.name, cell(output.help));
    }
    text
}

fn description(input: &Input) -> String {
    let form = match input.kind {
        Kind::Text(_) | Kind::TextOrFile(_) | Kind::Verbatim(_) => String::new(),
        Kind::List(_) => ". One a line".to_owned(),
        Kind::Choice(words) => format!(" ({})", words.join(", ")),
        Kind::Switch => " (true, false)".to_owned(),
    };
    format!("{}{form}", input.help)
}

/// A double-quoted YAML text.
fn yaml(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}
