//! The rule language: the inputs `tags`, `flavor` and `images` of docker/metadata-action, read.

mod csv;
mod flavor;
mod images;
mod list;
mod number;
mod parse;
mod problem;
mod rule;

pub use csv::CsvProblem;
pub use flavor::Flavor;
pub use images::image_names;
pub use problem::{RuleError, RuleProblem};
pub use rule::Rule;

pub(super) use flavor::{Affix, Latest};
pub(super) use list::{Entry, entries};
pub(super) use number::number;
pub(super) use problem::nearest;
pub(super) use rule::{RefKind, RuleKind, Versioned};

use list::ListError;

use super::{Finding, Mode, Trap};

/// Rules, and what goes for all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    pub(super) rules: Vec<Rule>,
    pub(super) flavor: Flavor,
    pub(super) mode: Mode,
    default: bool,
    /// What was found while they were read.
    pub(super) findings: Vec<Finding>,
}

/// What docker/metadata-action does where no rule is given.
const DEFAULT: &str = "type=schedule\ntype=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr";

impl Rules {
    /// Reads the inputs; without rules those that docker/metadata-action has then.
    ///
    /// # Errors
    /// The first entry that is malformed.
    pub fn read(tags: &str, flavor: &str, mode: Mode) -> Result<Self, RuleError> {
        let given = Self::read_given(tags, flavor, mode)?;
        match given.rules.is_empty() {
            true => Ok(Self {
                default: true,
                ..Self::read_given(DEFAULT, flavor, mode)?
            }),
            false => Ok(given),
        }
    }

    fn read_given(tags: &str, flavor: &str, mode: Mode) -> Result<Self, RuleError> {
        let mut findings = Vec::new();
        let entries = list(tags, "tags", mode, &mut findings)?;
        let mut rules = entries
            .iter()
            .map(|entry| parse::rule(entry, mode, &mut findings))
            .collect::<Result<Vec<_>, _>>()?;
        sort(&mut rules);
        let entries = list(flavor, "flavor", mode, &mut findings)?;
        Ok(Self {
            rules,
            flavor: Flavor::read(&entries, mode, &mut findings)?,
            mode,
            default: false,
            findings,
        })
    }

    /// How closely docker/metadata-action is followed.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether there is no rule but what goes without saying.
    pub fn is_default(&self) -> bool {
        self.default
    }

    /// Whether any tag is made of the commit.
    pub fn need_commit(&self) -> bool {
        let is_sha = |rule: &Rule| matches!(rule.kind, RuleKind::Sha { .. });
        self.rules.iter().any(is_sha) || self.mention("sha")
    }

    /// Whether any text of the rules holds the expression `name`.
    pub fn mention(&self, name: &str) -> bool {
        let affixes = [&self.flavor.prefix.text, &self.flavor.suffix.text];
        self.rules
            .iter()
            .flat_map(Rule::templates)
            .any(|text| text.contains(name))
            || affixes.into_iter().any(|text| text.contains(name))
    }

    /// Whether any rule needs the name of the default branch.
    pub fn need_default_branch(&self) -> bool {
        let needs =
            |rule: &Rule| matches!(&rule.kind, RuleKind::Edge { branch } if branch.is_empty());
        self.rules.iter().any(needs)
    }
}

/// The entries of a list; in strict mode a `#` begins a comment wherever it begins a line's text.
fn list(
    text: &str,
    input: &'static str,
    mode: Mode,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Entry>, RuleError> {
    let mut entries = entries(text).map_err(|error| quote_error(input, &error))?;
    let (comments, data): (Vec<_>, Vec<_>) = entries
        .drain(..)
        .partition(|entry| entry.text.starts_with('#'));
    if mode == Mode::Strict {
        return Ok(data);
    }
    for entry in &comments {
        let text = format!(
            "{input}, line {}: an indented # begins no comment: {}",
            entry.line,
            super::default::shown(&entry.text)
        );
        findings.push(Finding::trap(Trap::Comment, text));
    }
    entries.extend(comments);
    entries.extend(data);
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn quote_error(input: &'static str, error: &ListError) -> RuleError {
    RuleError {
        input,
        line: error.line,
        rule: input.to_owned(),
        column: error.column,
        problem: error.problem.into(),
    }
}

/// By priority, the highest first, else as written. One that is no number is neither higher nor
/// lower than any other, so this is an insertion as JavaScript engines sort few things: an order
/// with such a thing in it has no other meaning.
fn sort(rules: &mut [Rule]) {
    for end in 1..rules.len() {
        let (mut low, mut high) = (0, end);
        while low < high {
            let middle = low + (high - low) / 2;
            let goes_before = rules[end]
                .priority
                .zip(rules[middle].priority)
                .is_some_and(|(new, old)| new > old);
            if goes_before {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        rules[low..=end].rotate_right(1);
    }
}

#[cfg(test)]
mod tests;
