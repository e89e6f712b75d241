//! Scripts that complete verbs, flags and their values in a shell.

mod bash;
mod fish;
mod zsh;

/// Shell for which there is a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shell {
    /// GNU bash 3.2 or later.
    Bash,
    /// zsh 5 or later.
    Zsh,
    /// fish 3 or later.
    Fish,
}

impl Shell {
    /// Every shell, in the order in which help lists them.
    pub(super) const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    /// Returns the shell as it is written.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    /// Returns the shell of that name.
    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shell| shell.name() == name)
    }

    /// Returns the script.
    pub(super) fn completion_script(self) -> String {
        match self {
            Self::Bash => bash::script(),
            Self::Zsh => zsh::script(),
            Self::Fish => fish::script(),
        }
    }
}

/// Returns a text in single quotes, as all three shells read it; a quote in it becomes a typographic one.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "’"))
}
