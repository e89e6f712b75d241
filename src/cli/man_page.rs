//! The man page, in the language of troff's macro package man.

use super::declared_inputs::Input;
use super::declared_variables::{EXIT_STATUSES, VARIABLES};
use super::flag_description::{FlagDescription, flags_by_heading};
use super::help_text::verb_usage;
use super::info_command::InfoCommand;
use super::verb::Verb;

/// Returns the page.
pub(super) fn man_page() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut page = format!(".TH SHIPMARK 1 \"\" \"shipmark {version}\"\n");
    page += &format!(
        ".SH NAME\nshipmark \\- {}\n",
        escape_roff(env!("CARGO_PKG_DESCRIPTION"))
    );
    page += ".SH SYNOPSIS\n";
    for verb in Verb::ALL {
        page += &format!("{}\n.br\n", escape_roff(&verb_usage(*verb)));
    }
    page += ".SH VERBS\n";
    let info = InfoCommand::ALL.into_iter();
    let info = info.map(|command| (command.usage(), command.help()));
    let verbs = Verb::ALL.iter().map(|verb| (verb.name(), verb.help()));
    for (name, help) in verbs.chain(info) {
        page += &tagged(name, help);
    }
    page += ".SH FLAGS\n";
    page += &escape_roff(
        "An empty value counts as not given. A variable is read if the flag is not given, and holds the entries of a list one per line.",
    );
    page.push('\n');
    page += &flag_sections();
    page += ".SH ENVIRONMENT\n";
    for variable in VARIABLES {
        page += &tagged(variable.name, variable.help);
    }
    page += ".SH EXIT STATUS\n";
    for (status, text) in EXIT_STATUSES {
        page += &tagged(&status.to_string(), text);
    }
    page += ".SH EXAMPLES\n";
    for example in Verb::ALL.iter().flat_map(|verb| verb.examples()) {
        let (purpose, line) = (escape_roff(example.purpose), escape_roff(example.line));
        page += &format!(".PP\n{purpose}:\n.PP\n.RS 4\n{line}\n.RE\n");
    }
    page
}

/// Returns every flag once, under its heading, with the verbs that take it.
fn flag_sections() -> String {
    let mut sections: Vec<(String, Vec<(FlagDescription, Vec<&str>)>)> = Vec::new();
    for verb in Verb::ALL {
        for (title, flags) in flags_by_heading(*verb) {
            for flag in flags {
                add_flag(&mut sections, &title, flag, verb.name());
            }
        }
    }
    let mut text = String::new();
    for (title, flags) in sections {
        text += &format!(".SS {}\n", escape_roff(&title));
        for (flag, verbs) in flags {
            text += &flag_paragraphs(&flag, &verbs);
        }
    }
    text
}

/// Adds a flag, or the verb to a flag that another verb has.
fn add_flag<'a>(
    sections: &mut Vec<(String, Vec<(FlagDescription, Vec<&'a str>)>)>,
    title: &str,
    flag: FlagDescription,
    verb: &'a str,
) {
    let mut known = sections.iter_mut().flat_map(|(_, flags)| flags);
    if let Some((_, verbs)) = known.find(|(known, _)| known.name == flag.name) {
        verbs.push(verb);
        return;
    }
    let conditions = flag.input.and_then(Input::conditions);
    let flags = vec![(FlagDescription { conditions, ..flag }, vec![verb])];
    match sections.iter_mut().find(|(known, _)| known == title) {
        Some((_, known)) => known.extend(flags),
        None => sections.push((title.to_owned(), flags)),
    }
}

fn flag_paragraphs(flag: &FlagDescription, verbs: &[&str]) -> String {
    let mut text = tagged(&flag.spelling(), &flag.help);
    let verbs = format!("[{}]", verbs.join(", "));
    let notes: Vec<_> = [verbs].into_iter().chain(flag.notes()).collect();
    for paragraph in [flag.details().to_owned(), notes.join(" ")] {
        if !paragraph.is_empty() {
            text += &format!(".IP\n{}\n", escape_roff(&paragraph));
        }
    }
    text
}

/// Returns a paragraph with a tag in bold.
fn tagged(tag: &str, text: &str) -> String {
    format!(".TP\n\\fB{}\\fR\n{}\n", escape_roff(tag), escape_roff(text))
}

/// Returns text as troff shows it: with its dashes and backslashes, and no line that is a request.
fn escape_roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    match text.starts_with(['.', '\'']) {
        true => format!("\\&{text}"),
        false => text,
    }
}
