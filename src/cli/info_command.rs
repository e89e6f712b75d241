//! Commands that print something about the program. They are no verbs: a workflow has no use for them.

use super::shell::Shell;
use super::verb::Verb;

/// Command that prints something about the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InfoCommand {
    /// `help`
    Help,
    /// `completions`
    Completions,
    /// `man`
    Man,
}

impl InfoCommand {
    /// Every such command, in the order in which help lists them.
    pub(super) const ALL: [Self; 3] = [Self::Help, Self::Completions, Self::Man];

    /// Returns the command as it is written.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Completions => "completions",
            Self::Man => "man",
        }
    }

    /// Returns what the command does, in one line.
    pub(super) const fn help(self) -> &'static str {
        match self {
            Self::Help => "Explain a verb and its flags",
            Self::Completions => "Print a script that completes verbs and flags in a shell",
            Self::Man => "Print the man page",
        }
    }

    /// Returns the command with its argument.
    pub(super) const fn usage(self) -> &'static str {
        match self {
            Self::Help => "help [VERB]",
            Self::Completions => "completions SHELL",
            Self::Man => "man",
        }
    }

    /// Returns command lines that show its use.
    pub(super) const fn examples(self) -> &'static [&'static str] {
        match self {
            Self::Help => &["shipmark help promote"],
            Self::Completions => &[
                "mkdir -p ~/.local/share/bash-completion/completions ~/.zfunc",
                "shipmark completions bash > ~/.local/share/bash-completion/completions/shipmark",
                "shipmark completions zsh > ~/.zfunc/_shipmark",
                "mkdir -p ~/.config/fish/completions",
                "shipmark completions fish > ~/.config/fish/completions/shipmark.fish",
            ],
            Self::Man => &[
                "mkdir -p ~/.local/share/man/man1",
                "shipmark man > ~/.local/share/man/man1/shipmark.1",
            ],
        }
    }

    /// Returns the words of its argument; empty if it has none.
    pub(super) fn words(self) -> Vec<&'static str> {
        match self {
            Self::Help => command_names().collect(),
            Self::Completions => Shell::ALL.map(Shell::name).to_vec(),
            Self::Man => Vec::new(),
        }
    }

    /// Returns the command of that name.
    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.name() == name)
    }
}

/// Returns the names of verbs, and of the commands of this file.
pub(super) fn command_names() -> impl Iterator<Item = &'static str> {
    let info = InfoCommand::ALL.into_iter().map(InfoCommand::name);
    Verb::NAMES.iter().copied().chain(info)
}

/// Returns the names of all verbs and commands, each with its help.
pub(super) fn command_helps() -> impl Iterator<Item = (&'static str, &'static str)> {
    let verbs = Verb::ALL.iter().map(|verb| (verb.name(), verb.help()));
    let info = InfoCommand::ALL.into_iter();
    verbs.chain(info.map(|command| (command.name(), command.help())))
}
