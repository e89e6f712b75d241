//! The page of the documentation that lists inputs and outputs, docs/inputs.md.

use super::declared_inputs::Input;
use super::declared_outputs::OUTPUTS;
use super::heading::Heading;
use super::input_declaration::InputKind;
use super::verb::Verb;

const INTRODUCTION: &str = "\
# Inputs and outputs

<!-- written from src/cli/declared_inputs.rs: UPDATE_DECLARED=1 cargo test --test it -- declaration -->

Each input is given in one of three ways:

| where | form | list | switch |
|---|---|---|---|
| step of a workflow, under `with:` | `images: ghcr.io/acme/web` | one entry per line | `dry-run: true` |
| command line | `--images ghcr.io/acme/web` | a flag that can be repeated | `--dry-run`, `--dry-run=false` |
| variable, read if a command line lacks the flag | `SHIPMARK_IMAGES=ghcr.io/acme/web` | one entry per line | `SHIPMARK_DRY_RUN=true` |

An empty value counts as not given. A step of the action reads no `SHIPMARK_` variables. In a list of a workflow or a variable, a line that begins with `#` is a comment. `shipmark help VERB` shows the same for one verb; [scripting.md](scripting.md) has the flags that say what is printed, which are no inputs.
";

/// Returns docs/inputs.md.
pub fn inputs_page() -> String {
    let mut page = INTRODUCTION.to_owned();
    page += "\n## Inputs of each verb\n";
    for verb in Verb::ALL {
        page += &verb_section(*verb);
    }
    for heading in Heading::ALL {
        page += &format!("\n## Inputs: {}\n", heading.title());
        let inputs = Input::ALL.iter().copied();
        for input in inputs.filter(|input| input.declaration().heading == heading) {
            page += &input_section(input);
        }
    }
    page + &outputs_section()
}

/// Returns what a verb does, and its inputs by heading.
fn verb_section(verb: Verb) -> String {
    let mut section = format!("\n### shipmark {verb}\n{}.\n\n", verb.help());
    for heading in Heading::ALL {
        let inputs = verb.inputs_under(heading).map(|input| {
            let link = format!("[`{input}`](#{input})");
            match input.declaration().required.contains(&verb) {
                true => format!("**{link}** (required)"),
                false => link,
            }
        });
        let inputs: Vec<_> = inputs.collect();
        if !inputs.is_empty() {
            section += &format!("- {}: {}\n", heading.title(), inputs.join(", "));
        }
    }
    section
}

fn input_section(input: Input) -> String {
    let declaration = input.declaration();
    let mut section = format!(
        "\n<a id=\"{input}\"></a>\n**`{input}`**: {}.",
        escape_text(declaration.help)
    );
    if let Some(details) = input.details() {
        section += &format!(" {}", escape_text(details));
    }
    section += "\n\n";
    section += &format!("- {}\n", describe_value(input));
    if declaration.required.is_empty() {
        section += &format!("- Verbs: {}\n", input.verb_names());
    } else {
        let required: Vec<_> = declaration
            .required
            .iter()
            .map(|verb| verb.name())
            .collect();
        let (verbs, required) = (input.verb_names(), required.join(", "));
        section += &match verbs == required {
            true => format!("- Verbs: {verbs}; required\n"),
            false => format!("- Verbs: {verbs}; required by {required}\n"),
        };
    }
    if let Some(conditions) = input.conditions() {
        section += &format!("- Only with: {conditions}\n");
    }
    if let Some(variable) = declaration.shell_variable() {
        section += &format!("- Variable: `{variable}`\n");
    }
    if declaration.secret {
        section += "- Secret: hidden from the log\n";
    }
    section
}

/// Returns the values that an input takes, with its default.
fn describe_value(input: Input) -> String {
    let declaration = input.declaration();
    let values = match declaration.kind {
        InputKind::Text(word) | InputKind::Verbatim(word) => format!("Value: `{word}`"),
        InputKind::TextOrFile(word) => {
            format!("Value: `{word}`, as text of several lines or a path")
        }
        InputKind::List(word) => format!("List of `{word}`"),
        InputKind::Names(word) => format!("List of `{word}`, also in one line with commas"),
        InputKind::Choice(words) => format!("One of: `{}`", words.join("`, `")),
        InputKind::Switch => "Switch: `true` or `false`".to_owned(),
    };
    match (declaration.default, declaration.from_workflow) {
        (Some(default), _) => format!("{values}; default `{default}`"),
        (None, Some(default)) => format!("{values}; default in a workflow `{default}`"),
        (None, None) => values,
    }
}

fn outputs_section() -> String {
    let mut section = String::from(
        "\n## Outputs\nOutputs of a step: `${{ steps.ID.outputs.digest }}`. An output that a verb does not give is empty.\n\n| output | holds | verbs |\n|---|---|---|\n",
    );
    for output in OUTPUTS {
        let verbs: Vec<_> = output.verbs.iter().map(|verb| verb.name()).collect();
        let verbs = match verbs.len() == Verb::ALL.len() {
            true => "all".to_owned(),
            false => verbs.join(", "),
        };
        let help = escape_text(output.help).replace('|', "\\|");
        section += &format!("| `{}` | {help} | {verbs} |\n", output.name);
    }
    section
}

/// Returns plain text as Markdown that shows it.
fn escape_text(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('*', "\\*")
        .replace('<', "&lt;")
}
