//! The script for bash.

use crate::cli::flag_description::{FlagDescription, FlagValue, verb_flags};
use crate::cli::info_command::{InfoCommand, command_names};
use crate::cli::verb::Verb;

/// Begins the function. bash makes a word of the `=` between a flag and its value.
const BEGIN: &str = r#"# Completes shipmark in bash: source it, or install it as
# ~/.local/share/bash-completion/completions/shipmark
_shipmark() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=''
  COMPREPLY=()
  if [[ $word == '=' ]]; then
    word=''
  elif [[ $before == '=' ]]; then
    before=${COMP_WORDS[COMP_CWORD-2]}
  fi
"#;

const END: &str = r#"  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _shipmark shipmark
"#;

pub(super) fn script() -> String {
    let names: Vec<_> = command_names().collect();
    let mut script = BEGIN.to_owned();
    script += "  if [[ $COMP_CWORD -eq 1 ]]; then\n";
    script += &format!("    words='{} --help --version'\n", names.join(" "));
    script += "  else\n    case ${COMP_WORDS[1]} in\n";
    for verb in Verb::ALL {
        script += &verb_case(*verb);
    }
    for command in InfoCommand::ALL {
        let words = command.words().join(" ");
        script += &format!(
            "    {}) [[ $COMP_CWORD -eq 2 ]] && words='{words}' ;;\n",
            command.name()
        );
    }
    script + "    esac\n  fi\n" + END
}

/// Returns the words after a verb: values of the flag before, or flags.
fn verb_case(verb: Verb) -> String {
    let flags = verb_flags(verb);
    let mut case = format!("    {verb})\n      case $before in\n");
    for flag in &flags {
        if let FlagValue::Words(words) = &flag.value {
            case += &format!("      --{}) words='{}' ;;\n", flag.name, words.join(" "));
        }
    }
    let takes = |wanted: fn(&FlagValue) -> bool| {
        let flags = flags.iter().filter(|flag| wanted(&flag.value));
        let names: Vec<_> = flags.map(|flag| format!("--{}", flag.name)).collect();
        names.join("|")
    };
    let paths = takes(|value| matches!(value, FlagValue::Path(_)));
    if !paths.is_empty() {
        case += &format!("      {paths}) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n");
    }
    let texts = takes(|value| matches!(value, FlagValue::Text(_)));
    if !texts.is_empty() {
        case += &format!("      {texts}) return ;;\n");
    }
    let names: Vec<_> = flags.iter().flat_map(spellings).collect();
    case + &format!(
        "      *) words='{} --help' ;;\n      esac ;;\n",
        names.join(" ")
    )
}

fn spellings(flag: &FlagDescription) -> Vec<String> {
    let short = flag.short.map(|short| format!("-{short}"));
    short
        .into_iter()
        .chain([format!("--{}", flag.name)])
        .collect()
}
