use crate::notices::similar_word;
use thiserror::Error;

use super::csv::CsvProblem;
use super::list_input::ListError;
use crate::image::ReferenceError;
use crate::tagging::printable_name::printable_name;

/// Why an input of the rule language cannot be taken, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem} (column {column} of {rule:?})")]
pub struct RuleError {
    /// The input: `tags`, `flavor` or `images`.
    pub input: &'static str,
    /// The line of the input, from 1.
    pub line: usize,
    /// The entry. Text from outside, made printable.
    pub rule: String,
    /// Where in the entry, in characters from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: RuleProblem,
}

/// What is wrong in a rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleProblem {
    /// The line is no list of fields.
    #[error(transparent)]
    Quote(#[from] CsvProblem),
    /// A word that means nothing here.
    #[error("{what} {word:?} is not known; {expected}")]
    Unknown {
        /// What the word is: an attribute, a type, the value of something.
        what: &'static str,
        /// The word.
        word: String,
        /// What should be there: a valid word that is like it, or all of them. Boxed: every error of
        /// tagging is as large as this variant.
        expected: Box<str>,
    },
    /// The attribute does nothing for rules of this type.
    #[error("the attribute {attribute} does not belong to type={kind}, which takes {valid}")]
    WrongType {
        /// The attribute.
        attribute: String,
        /// The rule's type.
        kind: &'static str,
        /// What the type takes, besides what all take.
        valid: String,
    },
    /// An attribute is there twice.
    #[error("the attribute {0} is there twice; a line holds one tag")]
    Repeated(String),
    /// An attribute is needed.
    #[error("the attribute {attribute} is missing, which type={kind} needs")]
    Missing {
        /// The attribute.
        attribute: &'static str,
        /// The rule's type.
        kind: &'static str,
    },
    /// A number was wanted.
    #[error("the value of {attribute} {word:?} is not a number")]
    NotANumber {
        /// The attribute.
        attribute: &'static str,
        /// What stands there.
        word: String,
    },
    /// A field without `=` where one is needed.
    #[error("{0:?} is not of the form KEY=VALUE")]
    NoValue(String),
    /// A reference in place of a tag.
    #[error(
        "expected a rule or a tag, got a reference that is no tag of one of images: write only the tag"
    )]
    OtherReference,
    /// An image's name that no registry takes.
    #[error("the name {0}: write it as ghcr.io/acme/web, with a comment on a line of its own")]
    ImageName(ReferenceError),
    /// An image without a name.
    #[error("the image has no name")]
    NoName,
}

impl RuleError {
    /// Returns the error for an input that is no list of entries.
    pub(super) fn from_list_error(input: &'static str, error: &ListError) -> Self {
        Self {
            input,
            line: error.line,
            rule: input.to_owned(),
            column: error.column,
            problem: error.problem.into(),
        }
    }
}

impl RuleProblem {
    pub(super) fn unknown(what: &'static str, word: &str, valid: &[&'static str]) -> Self {
        Self::Unknown {
            what,
            word: printable_name(word),
            expected: expected_word(word, valid).into(),
        }
    }
}

/// Returns what should be there in the place of a word that is not known.
fn expected_word(word: &str, valid: &[&'static str]) -> String {
    match similar_word(word, valid.iter().copied()) {
        Some(word) => format!("did you mean {word}?"),
        None => format!("expected one of {}", valid.join(", ")),
    }
}
