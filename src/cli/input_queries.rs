//! What other files ask of an input.

use std::fmt;

use super::declared_inputs::Input;
use super::heading::Heading;
use super::input_declaration::{InputCondition, InputKind};
use super::verb::Verb;

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Input {
    /// Returns whether its value is also kept as it was written: a list, or text with blanks around it.
    pub(super) const fn keeps_verbatim(self) -> bool {
        matches!(
            self.declaration().kind,
            InputKind::List(_) | InputKind::Verbatim(_)
        )
    }

    /// Returns the names of the verbs that take it, as one text.
    pub(super) fn verb_names(self) -> String {
        let verbs = self.declaration().verbs.iter().map(|verb| verb.name());
        verbs.collect::<Vec<_>>().join(", ")
    }

    /// Returns the conditions of which one must hold, as one text; `None` if there are none.
    pub(super) fn conditions(self) -> Option<String> {
        let conditions = self.declaration().only_with.iter();
        let texts: Vec<_> = conditions.map(|condition| condition.text()).collect();
        (!texts.is_empty()).then(|| texts.join("; or "))
    }

    /// Returns the same for a verb; `None` also if one of them always holds on it.
    pub(super) fn conditions_on(self, verb: Verb) -> Option<String> {
        let signs = Input::Sign.declaration().verbs.contains(&verb);
        let holds = |condition: &InputCondition| match condition {
            InputCondition::Signs
            | InputCondition::SignsWithKey
            | InputCondition::SignsKeyless
            | InputCondition::LogsSignature => !signs,
            InputCondition::VerifiesSource => !matches!(verb, Verb::Promote | Verb::Check),
            InputCondition::NamesReleaseVerb => verb != Verb::Tags,
            InputCondition::JudgesReports | InputCondition::ChecksCertificate => false,
        };
        let always = self.declaration().only_with.iter().any(holds);
        self.conditions().filter(|_| !always)
    }
}

impl Verb {
    /// Returns the inputs that the verb takes.
    pub fn inputs(self) -> impl Iterator<Item = Input> {
        let inputs = Input::ALL.iter().copied();
        inputs.filter(move |input| input.declaration().verbs.contains(&self))
    }

    /// Returns the inputs under a heading that the verb takes.
    pub(super) fn inputs_under(self, heading: Heading) -> impl Iterator<Item = Input> {
        self.inputs()
            .filter(move |input| self.heading_of(*input) == heading)
    }

    /// Returns the heading of an input. A verb that does not sign has those of signing to verify.
    pub(super) fn heading_of(self, input: Input) -> Heading {
        match input.declaration().heading {
            Heading::Signing if !Input::Sign.declaration().verbs.contains(&self) => {
                Heading::Verification
            }
            heading => heading,
        }
    }
}
