//! How the policy of a pull request differs from that of its base, for the reviewer of the pull request.

use super::markdown::{AlertKind, alert, code_span, escape_text, table_row};
use super::phrases;
use super::policy_gates::{
    approvals_phrase, attestation_phrase, checks_phrase, exception_phrase, gate_phrase,
    signers_phrase, window_phrase,
};
use super::policy_records::full_signer_phrase;
use crate::notices::to_printable;
use crate::policy::{DifferenceKind, PolicyDifference, PolicyValue};

/// Policy of a pull request, compared with that of its base.
#[derive(Debug, Clone)]
pub struct PolicyComparison {
    /// File of the pull request, as messages name it.
    pub file: String,
    /// What it says.
    pub proposed: ProposedPolicy,
}

/// What the policy of a pull request says.
#[derive(Debug, Clone)]
pub enum ProposedPolicy {
    /// It is valid, and differs so in effect.
    Valid(Vec<PolicyDifference>),
    /// It has errors, each with its position.
    Malformed(Vec<String>),
    /// It cannot be read, for this reason.
    Unreadable(String),
}

/// Most differences and errors that are shown.
const DIFFERENCES_LIMIT: usize = 500;
/// Most values of a difference that are shown.
const VALUES_LIMIT: usize = 20;
/// Most characters of a value.
const VALUE_LENGTH: usize = 300;

impl PolicyComparison {
    /// Returns the section of the summary.
    pub(super) fn to_markdown(&self) -> String {
        let title = "\n### Policy of the pull request\n\nThe policy of the base decides above.";
        match &self.proposed {
            ProposedPolicy::Valid(differences) if differences.is_empty() => {
                format!("{title} {}.\n", sentence(&unchanged_phrase()))
            }
            ProposedPolicy::Valid(differences) => format!(
                "{title} {}, in {}:\n\n{}",
                sentence(&count_phrase(differences)),
                code_span(&self.file),
                differences_table(differences)
            ),
            ProposedPolicy::Malformed(problems) => {
                let lines = limited(problems.len(), DIFFERENCES_LIMIT);
                let problems = problems.iter().take(DIFFERENCES_LIMIT);
                let paragraphs = [format!(
                    "**{}**",
                    escape_text(&malformed_phrase(&self.file))
                )];
                let problems = problems.map(|problem| escape_text(problem));
                let rest = lines.map(|more| format!("and {more} more"));
                let paragraphs = paragraphs.into_iter().chain(problems).chain(rest);
                format!("{title}\n{}", alert(AlertKind::Caution, paragraphs))
            }
            ProposedPolicy::Unreadable(why) => format!(
                "{title} {}: {}\n",
                sentence(&unreadable_phrase(&self.file)),
                escape_text(why)
            ),
        }
    }

    /// Returns the lines of the report.
    pub(super) fn to_lines(&self) -> Vec<String> {
        match &self.proposed {
            ProposedPolicy::Valid(differences) if differences.is_empty() => {
                vec![unchanged_phrase()]
            }
            ProposedPolicy::Valid(differences) => {
                let shown = differences.iter().take(DIFFERENCES_LIMIT);
                let lines = shown.map(|difference| format!("  {}", difference_line(difference)));
                let more = limited(differences.len(), DIFFERENCES_LIMIT);
                let more = more.map(|more| format!("  and {more} more"));
                let head = format!("{}, in {}:", count_phrase(differences), self.file);
                [head].into_iter().chain(lines).chain(more).collect()
            }
            ProposedPolicy::Malformed(problems) => {
                let shown = problems.iter().take(DIFFERENCES_LIMIT);
                let lines = shown.map(|problem| format!("  {problem}"));
                let more = limited(problems.len(), DIFFERENCES_LIMIT);
                let more = more.map(|more| format!("  and {more} more"));
                let head = format!("{}:", malformed_phrase(&self.file));
                [head].into_iter().chain(lines).chain(more).collect()
            }
            ProposedPolicy::Unreadable(why) => {
                vec![format!("{}: {why}", unreadable_phrase(&self.file))]
            }
        }
    }

    /// Returns the comparison with all texts cleaned that are not of the policy itself.
    pub(super) fn map_texts(self, clean: &dyn Fn(&str) -> String) -> Self {
        let proposed = match self.proposed {
            ProposedPolicy::Malformed(problems) => {
                ProposedPolicy::Malformed(problems.iter().map(|text| clean(text)).collect())
            }
            ProposedPolicy::Unreadable(why) => ProposedPolicy::Unreadable(clean(&why)),
            valid @ ProposedPolicy::Valid(_) => valid,
        };
        Self { proposed, ..self }
    }
}

fn unchanged_phrase() -> String {
    "the pull request changes nothing of it in effect".to_owned()
}

fn malformed_phrase(file: &str) -> String {
    format!(
        "the policy of the pull request has errors, which would refuse every release after a merge: {file}"
    )
}

fn unreadable_phrase(file: &str) -> String {
    format!("the policy of the pull request, {file}, could not be compared")
}

/// Returns `the pull request changes it: 2 loosened, 1 tightened`.
fn count_phrase(differences: &[PolicyDifference]) -> String {
    let kinds = [
        DifferenceKind::Loosened,
        DifferenceKind::Changed,
        DifferenceKind::Tightened,
    ];
    let counts = kinds.iter().filter_map(|kind| {
        let count = differences.iter().filter(|it| it.kind == *kind).count();
        (count > 0).then(|| format!("{count} {}", kind.as_str()))
    });
    let counts: Vec<String> = counts.collect();
    format!("the pull request changes it: {}", counts.join(", "))
}

/// Returns a phrase as the beginning of a sentence.
fn sentence(phrase: &str) -> String {
    let phrase = escape_text(phrase);
    let mut characters = phrase.chars();
    let first = characters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// Returns how many of `count` are beyond the limit; `None` if none is.
fn limited(count: usize, limit: usize) -> Option<usize> {
    count.checked_sub(limit).filter(|more| *more > 0)
}

fn differences_table(differences: &[PolicyDifference]) -> String {
    let mut table = table_row(&["Effect", "Environment", "Service", "Key", "Before", "After"]);
    table += &table_row(&[":---"; 6]);
    for difference in differences.iter().take(DIFFERENCES_LIMIT) {
        let environment = difference.environment.as_ref();
        let environment = environment.map(|name| code_span(name.as_str()));
        let service = difference.service.as_ref();
        let service = service.map(|name| code_span(name.as_str()));
        let kind = match difference.kind {
            DifferenceKind::Loosened => "**loosened**",
            kind => kind.as_str(),
        };
        table += &table_row(&[
            kind,
            &environment.unwrap_or_else(|| "all".to_owned()),
            &service.unwrap_or_default(),
            &code_span(&difference.key),
            &values_cell(&difference.before),
            &values_cell(&difference.after),
        ]);
    }
    match limited(differences.len(), DIFFERENCES_LIMIT) {
        Some(more) => {
            let more = phrases::count_phrase(more as u64, "difference");
            format!("{table}\n{more} more are in the log.\n")
        }
        None => table,
    }
}

fn values_cell(values: &[PolicyValue]) -> String {
    let shown = values.iter().take(VALUES_LIMIT);
    let shown = shown.map(|value| code_span(&value_phrase(value)));
    let more = limited(values.len(), VALUES_LIMIT).map(|more| format!("and {more} more"));
    match values {
        [] => "none".to_owned(),
        _ => shown.chain(more).collect::<Vec<_>>().join("<br>"),
    }
}

/// Returns `loosened  prod, web: gates.scan.fail-on: high -> critical`.
fn difference_line(difference: &PolicyDifference) -> String {
    let environment = difference.environment.as_ref().map(ToString::to_string);
    let service = difference.service.as_ref().map(ToString::to_string);
    let of: Vec<String> = environment.into_iter().chain(service).collect();
    let of = match of.as_slice() {
        [] => String::new(),
        of => format!("{}: ", of.join(", ")),
    };
    let [before, after] = [&difference.before, &difference.after].map(|values| {
        let shown = values.iter().take(VALUES_LIMIT).map(value_phrase);
        let more = limited(values.len(), VALUES_LIMIT).map(|more| format!("and {more} more"));
        match values.as_slice() {
            [] => "none".to_owned(),
            _ => shown.chain(more).collect::<Vec<_>>().join("; "),
        }
    });
    let kind = difference.kind.as_str();
    format!("{kind:<9}  {of}{}: {before} -> {after}", difference.key)
}

/// Returns a value of a difference, made printable.
pub(super) fn value_phrase(value: &PolicyValue) -> String {
    let text = match value {
        PolicyValue::Text(text) => text.clone(),
        PolicyValue::Signer(rule) => full_signer_phrase(rule),
        PolicyValue::GateSigners(signers) => signers_phrase(signers),
        PolicyValue::Exception(exception) => {
            format!("{}: {}", exception_phrase(exception), exception.reason)
        }
        PolicyValue::Attestation(entry) => attestation_phrase(entry),
        PolicyValue::Window(window) => window_phrase(window),
        PolicyValue::Check(check) => checks_phrase(std::slice::from_ref(check)),
        PolicyValue::Approvals(rule) => approvals_phrase(rule),
        PolicyValue::Gate(gate, gates) => gate_phrase(*gate, gates),
    };
    to_printable(&text, VALUE_LENGTH)
}
