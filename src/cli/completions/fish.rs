//! The script for fish.

use crate::cli::flag_description::{FlagDescription, FlagValue, verb_flags};
use crate::cli::info_command::{InfoCommand, command_helps};
use crate::cli::shell::quote_text;
use crate::cli::verb::Verb;

pub(super) fn script() -> String {
    let mut script = String::from("complete -c shipmark -f\n");
    for (name, help) in command_helps() {
        let help = quote_text(help);
        script += &format!("complete -c shipmark -n __fish_use_subcommand -a {name} -d {help}\n");
    }
    script += "complete -c shipmark -s h -l help -d 'Print help'\n";
    script +=
        "complete -c shipmark -n __fish_use_subcommand -s V -l version -d 'Print the version'\n";
    for verb in Verb::ALL {
        for flag in verb_flags(*verb) {
            script += &after(verb.name(), &arguments(&flag));
        }
    }
    for command in InfoCommand::ALL {
        let words = command.words().join(" ");
        if !words.is_empty() {
            script += &after(command.name(), &format!("-a {}", quote_text(&words)));
        }
    }
    script
}

/// Returns a line that completes something after a command.
fn after(command: &str, arguments: &str) -> String {
    format!("complete -c shipmark -n '__fish_seen_subcommand_from {command}' {arguments}\n")
}

fn arguments(flag: &FlagDescription) -> String {
    let short = flag
        .short
        .map(|short| format!("-s {short} "))
        .unwrap_or_default();
    let value = match &flag.value {
        FlagValue::Nothing | FlagValue::Switch => String::new(),
        FlagValue::Words(words) => format!(" -x -a {}", quote_text(&words.join(" "))),
        FlagValue::Path(_) => " -r -F".to_owned(),
        FlagValue::Text(_) => " -x".to_owned(),
    };
    format!(
        "{short}-l {}{value} -d {}",
        flag.name,
        quote_text(&flag.help)
    )
}
