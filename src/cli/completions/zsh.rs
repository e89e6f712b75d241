//! The script for zsh.

use crate::cli::flag_description::{FlagDescription, FlagValue, verb_flags};
use crate::cli::info_command::{InfoCommand, command_helps};
use crate::cli::shell::quote_text;
use crate::cli::verb::Verb;

const END: &str = r#"  esac
}
if [[ $funcstack[1] == _shipmark ]]; then
  _shipmark "$@"
else
  compdef _shipmark shipmark
fi
"#;

pub(super) fn script() -> String {
    let mut script = String::from("#compdef shipmark\n_shipmark() {\n");
    script += "  if (( CURRENT == 2 )); then\n    local -a names=(\n";
    for (name, help) in command_helps() {
        script += &format!(
            "      {}\n",
            quote_text(&format!("{name}:{}", help.replace(':', "\\:")))
        );
    }
    script += "    )\n    _describe verb names\n    return\n  fi\n";
    script += "  local verb=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $verb in\n";
    for verb in Verb::ALL {
        script += &format!("  {verb})\n    _arguments \\\n");
        for flag in verb_flags(*verb) {
            script += &format!("      {} \\\n", argument(&flag));
        }
        script += "      '(- *)'{-h,--help}'[Print help]' ;;\n";
    }
    for command in InfoCommand::ALL {
        let words = command.words().join(" ");
        if !words.is_empty() {
            script += &format!("  {}) _arguments '1:word:({words})' ;;\n", command.name());
        }
    }
    script + END
}

/// Returns a flag as `_arguments` takes it.
fn argument(flag: &FlagDescription) -> String {
    let help = flag.help.replace('\\', "\\\\");
    let help = help.replace('[', "\\[").replace(']', "\\]");
    let name = &flag.name;
    let repeats = if flag.repeats { "*" } else { "" };
    let short = flag.short.map(|short| format!("-{short}"));
    let value = match &flag.value {
        FlagValue::Nothing | FlagValue::Switch => String::new(),
        FlagValue::Words(words) => format!(":word:({})", words.join(" ")),
        FlagValue::Path(word) => format!(":{}:_files", escape_word(word)),
        FlagValue::Text(word) => format!(":{}: ", escape_word(word)),
    };
    let equals = if value.is_empty() { "" } else { "=" };
    let tail = format!("[{help}]{value}");
    match short {
        Some(short) => format!(
            "{{{short}{},--{name}{equals}}}{}",
            if value.is_empty() { "" } else { "+" },
            quote_text(&tail)
        ),
        None => quote_text(&format!("{repeats}--{name}{equals}{tail}")),
    }
}

fn escape_word(word: &str) -> String {
    word.replace(':', "\\:")
}
