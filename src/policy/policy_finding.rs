use std::fmt;

use super::error::FilePosition;

/// Something in a policy that holds, and that its author should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFinding {
    /// Position in the file; `None`: it is about another file that was added.
    pub at: Option<FilePosition>,
    /// Whether it is a note, and no warning.
    pub is_note: bool,
    text: String,
}

impl PolicyFinding {
    pub(super) fn warning(at: FilePosition, text: String) -> Self {
        Self {
            at: Some(at),
            is_note: false,
            text,
        }
    }

    pub(super) fn note(at: FilePosition, text: String) -> Self {
        Self {
            is_note: true,
            ..Self::warning(at, text)
        }
    }

    /// Returns the finding without its position.
    pub(super) fn of_another_file(self) -> Self {
        Self { at: None, ..self }
    }
}

impl fmt::Display for PolicyFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
