//! What the declaration of an input says.

use super::heading::Heading;
use super::verb::Verb;

/// Input: a flag `--name` on the command line, `name:` under `with:` in a workflow.
#[derive(Debug)]
pub struct InputDeclaration {
    /// Name as it is written, such as `dry-run`.
    pub name: &'static str,
    /// Verbs that take it. Empty for `command`, which selects the verb of a workflow.
    pub verbs: &'static [Verb],
    /// Kind of its value.
    pub kind: InputKind,
    /// Verbs that require it.
    pub required: &'static [Verb],
    /// Value if it is not given.
    pub default: Option<&'static str>,
    /// Default in `action.yml`: an expression of a workflow.
    pub from_workflow: Option<&'static str>,
    /// Conditions under which it has an effect: one of them must hold. Empty if it always has. An input
    /// that is given in vain is refused.
    pub only_with: &'static [InputCondition],
    /// Name in place of its own in its variable for a command line.
    pub shell_name: Option<&'static str>,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// Whether it can hold a path: alone, after a prefix such as `oci:`, or after `NAME=`.
    pub path: bool,
    /// Heading under which documents list it.
    pub heading: Heading,
    /// Purpose, as one imperative line or noun phrase of at most 80 characters.
    /// [`Input::details`](super::Input::details) has the rest.
    pub help: &'static str,
}

/// Condition on other inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputCondition {
    /// `sign` is `key` or `keyless`.
    Signs,
    /// `sign: key`.
    SignsWithKey,
    /// `sign: keyless`.
    SignsKeyless,
    /// `sign: keyless`, or `sign: key` with `transparency-log: on`.
    LogsSignature,
    /// `verify-source: true`, or a verb that always verifies.
    VerifiesSource,
    /// `key` is not given.
    ChecksCertificate,
    /// A scan gate of the environment judges the release.
    JudgesReports,
    /// `for` is given, or a verb that releases.
    NamesReleaseVerb,
}

/// Kind of value that an input takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// One text; the word is its placeholder in help.
    Text(&'static str),
    /// One text of several lines, or the path of a file that holds it.
    TextOrFile(&'static str),
    /// Entries: one per line in a workflow, a flag that can be repeated on the command line.
    List(&'static str),
    /// Entries like those of a list, of which commas separate several in one line.
    Names(&'static str),
    /// Text that keeps the blanks around it.
    Verbatim(&'static str),
    /// One of several words.
    Choice(&'static [&'static str]),
    /// `true` or `false` in a workflow, a flag without a value on the command line.
    Switch,
}

impl InputDeclaration {
    /// Returns the name of the variable that holds the input in a runner, such as `INPUT_DRY-RUN`.
    pub fn variable(&self) -> String {
        format!("{INPUT_VARIABLE_PREFIX}{}", self.name.to_uppercase())
    }

    /// Returns the name of the variable that holds the input for a command line, such as
    /// `SHIPMARK_DRY_RUN`; `None` for `command`, which no command line takes.
    pub fn shell_variable(&self) -> Option<String> {
        let name = self.shell_name.unwrap_or(self.name);
        let name = name.to_uppercase().replace('-', "_");
        (!self.verbs.is_empty()).then(|| format!("{SHELL_VARIABLE_PREFIX}{name}"))
    }
}

impl InputCondition {
    /// Returns the condition as documents state it, after "only with".
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Signs => "sign: key or keyless",
            Self::SignsWithKey => "sign: key",
            Self::SignsKeyless => "sign: keyless",
            Self::LogsSignature => "sign: keyless, or sign: key and transparency-log: on",
            Self::VerifiesSource => "verify-source: true on promote and check",
            Self::ChecksCertificate => "certificate-identity instead of key",
            Self::JudgesReports => "gates.scan of the environment in the policy",
            Self::NamesReleaseVerb => "for: push or promote on tags",
        }
    }
}

/// Prefix of the variables that hold inputs for a command line.
pub(super) const SHELL_VARIABLE_PREFIX: &str = "SHIPMARK_";

/// Prefix of the runner's variables for inputs.
pub(super) const INPUT_VARIABLE_PREFIX: &str = "INPUT_";

pub(super) const DEFAULTS: InputDeclaration = InputDeclaration {
    name: "",
    verbs: Verb::ALL,
    kind: InputKind::Text("TEXT"),
    required: &[],
    default: None,
    from_workflow: None,
    only_with: &[],
    shell_name: None,
    secret: false,
    path: false,
    heading: Heading::Run,
    help: "",
};
