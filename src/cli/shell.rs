//! The shells that help knows.

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
}

/// Returns a text in single quotes, as all three shells read it; a quote in it becomes a typographic one.
pub(super) fn quote_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "’"))
}
