//! Help: of the program, of its verbs and of the commands that print something.

use super::declared_inputs::Input;
use super::declared_variables::{EXIT_STATUSES, variables_of};
use super::flag_description::{FlagDescription, FlagValue, flags_by_heading, verb_flags};
use super::info_command::InfoCommand;
use super::text_width::{indent_text, wrap_command, wrap_text};
use super::verb::Verb;

/// How much help says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HelpLength {
    /// `-h`: a line for each flag.
    Short,
    /// `--help`: details too.
    Long,
}

/// Column at which the texts of flags begin in short help.
const TEXT_COLUMN: usize = 28;

/// Indent of the texts below flags in long help.
const TEXT_INDENT: usize = 6;

/// Returns the help of the program.
pub(super) fn program_help(length: HelpLength, width: usize) -> String {
    let mut help = indent_text(env!("CARGO_PKG_DESCRIPTION"), 0, width);
    help += "\nUsage: shipmark VERB [FLAGS]\n\nVerbs:\n";
    for verb in Verb::ALL {
        help += &list_item(verb.name(), verb.help(), 18, width);
    }
    help += "\nOther commands:\n";
    for command in InfoCommand::ALL {
        help += &list_item(command.usage(), command.help(), 22, width);
    }
    help += "\nFlags:\n";
    help += &list_item(
        "-h, --help",
        "Print help: -h in short, --help with details",
        22,
        width,
    );
    help += &list_item("-V, --version", "Print the version", 22, width);
    help += "\nExamples:\n";
    for example in Verb::ALL.iter().filter_map(|verb| verb.examples().first()) {
        help += &wrap_command(example.line, 2, width);
    }
    if length == HelpLength::Long {
        help += &exit_statuses(width);
    }
    let closing = "`shipmark help VERB` explains a verb. In a step of a workflow, each flag is an input of the same name.";
    help + "\n" + &indent_text(closing, 0, width)
}

/// Returns the help of a verb.
pub(super) fn verb_help(verb: Verb, length: HelpLength, width: usize) -> String {
    let mut help = indent_text(verb.help(), 0, width);
    let usage = format!("Usage: {}", verb_usage(verb));
    help += &format!("\n{}\n", wrap_text(&usage, width).join("\n  "));
    for (title, flags) in flags_by_heading(verb) {
        help += &format!("\n{title}:\n");
        for (index, flag) in flags.iter().enumerate() {
            help += &match length {
                HelpLength::Short => short_flag(flag, width),
                HelpLength::Long if index == 0 => long_flag(flag, width),
                HelpLength::Long => format!("\n{}", long_flag(flag, width)),
            };
        }
    }
    if length == HelpLength::Long {
        help += "\nOther variables:\n";
        for variable in variables_of(verb) {
            help += &format!("  {}\n", variable.name);
            help += &indent_text(variable.help, TEXT_INDENT, width);
        }
        help += &exit_statuses(width);
    }
    help += "\nExamples:\n";
    for example in verb.examples() {
        for line in wrap_text(example.purpose, width - 4) {
            help += &format!("  # {line}\n");
        }
        help += &wrap_command(example.line, 2, width);
    }
    let closing = match length {
        HelpLength::Short => short_closing(verb),
        HelpLength::Long => "A flag goes before its variable, and an empty one counts as not given. A variable holds the entries of a list one per line. A step of the action reads inputs instead.".to_owned(),
    };
    help + "\n" + &indent_text(&closing, 0, width)
}

/// Returns the last paragraph of a verb's short help, with the variable of its first input as the example.
fn short_closing(verb: Verb) -> String {
    let variable = |input: Input| Some((input.declaration().shell_variable()?, input));
    let example = verb.inputs().find_map(variable);
    let example = example.map(|(variable, input)| format!(", such as {variable} for --{input}"));
    format!(
        "`shipmark help {verb}` has the details. Each flag can be a variable instead{}.",
        example.unwrap_or_default()
    )
}

/// Returns the help of a command that prints something.
pub(super) fn info_help(command: InfoCommand, width: usize) -> String {
    let mut help = indent_text(command.help(), 0, width);
    help += &format!("\nUsage: shipmark {}\n\nExamples:\n", command.usage());
    for line in command.examples() {
        help += &format!("  {line}\n");
    }
    help
}

/// Returns how a verb is used, with the flags that it requires.
pub(super) fn verb_usage(verb: Verb) -> String {
    let flags = verb_flags(verb).into_iter();
    let required: String = flags
        .filter(|flag| flag.is_required)
        .map(|flag| format!(" {}", flag.spelling()))
        .collect();
    format!("shipmark {verb}{required} [FLAGS]")
}

fn exit_statuses(width: usize) -> String {
    let statuses = EXIT_STATUSES.iter();
    let items = statuses.map(|(status, text)| list_item(&status.to_string(), text, 8, width));
    format!("\nExit status:\n{}", items.collect::<String>())
}

/// Returns a flag with its line of help, in two columns.
fn short_flag(flag: &FlagDescription, width: usize) -> String {
    let mut text = flag.help.clone();
    if flag.is_required {
        text += " (required)";
    }
    if let (FlagValue::Words(_), Some(default)) = (&flag.value, flag.default()) {
        text += &format!(" [default: {default}]");
    }
    list_item(&flag.short_spelling(), &text, TEXT_COLUMN, width)
}

/// Returns a flag with its help, details and facts, each below the other.
fn long_flag(flag: &FlagDescription, width: usize) -> String {
    let mut text = format!("  {}\n", flag.spelling());
    let required = if flag.is_required { " (required)" } else { "" };
    text += &indent_text(&format!("{}{required}", flag.help), TEXT_INDENT, width);
    let details = indent_text(flag.details(), TEXT_INDENT, width);
    let notes = flag.notes().into_iter();
    let notes = notes.map(|note| indent_text(&note, TEXT_INDENT, width));
    for paragraph in [details, notes.collect()] {
        if !paragraph.is_empty() {
            text += &format!("\n{paragraph}");
        }
    }
    text
}

/// Returns a name and its text in two columns, the text wrapped. A name that reaches the text's column has
/// a line of its own.
fn list_item(name: &str, text: &str, column: usize, width: usize) -> String {
    let mut lines = wrap_text(text, width.saturating_sub(column)).into_iter();
    let name = format!("  {name}");
    let first = match name.chars().count() + 2 <= column {
        true => format!("{name:column$}{}\n", lines.next().unwrap_or_default()),
        false => format!("{name}\n"),
    };
    let rest = lines.map(|line| format!("{:column$}{line}\n", ""));
    first + &rest.collect::<String>()
}
