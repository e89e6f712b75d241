//! Refusal of inputs that have no effect, because another input that they belong to is not set.

use crate::cli::{Input, InputCondition, InputError, InputValues};
use crate::release::Failure;

/// Refuses inputs that are given in vain, by the `only_with` of their declaration, as far as it begins with
/// one of `conditions`: an image would stay unsigned or unchecked, or be signed or checked otherwise.
///
/// # Errors
/// Names the first such input, and the input that it belongs to.
pub(super) fn refuse_unused_inputs(
    arguments: &InputValues,
    conditions: &[InputCondition],
) -> Result<(), Failure> {
    for input in arguments.verb.inputs() {
        let only_with = input.declaration().only_with;
        let Some(first) = only_with.first().filter(|first| conditions.contains(first)) else {
            continue;
        };
        if arguments.entries(input).is_empty() {
            continue;
        }
        if let Some(unmet) = unmet_condition(arguments, *first)?
            && !is_any_met(arguments, &only_with[1..])?
        {
            let name = arguments.given_name(input);
            return Err(Failure::input(format!("{name} is given{}", unmet.reason))
                .with_hint(format!("{}, or remove the input", unmet.instead)));
        }
    }
    Ok(())
}

fn is_any_met(arguments: &InputValues, conditions: &[InputCondition]) -> Result<bool, InputError> {
    for condition in conditions {
        if unmet_condition(arguments, *condition)?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Condition that does not hold.
struct UnmetCondition {
    /// Continues "INPUT is given".
    reason: &'static str,
    /// What to do instead.
    instead: &'static str,
}

fn unmet(reason: &'static str, instead: &'static str) -> Option<UnmetCondition> {
    Some(UnmetCondition { reason, instead })
}

/// Returns why the condition does not hold; `None` if it holds, also if the verb does not take the inputs
/// that it is about.
fn unmet_condition(
    arguments: &InputValues,
    condition: InputCondition,
) -> Result<Option<UnmetCondition>, InputError> {
    match condition {
        InputCondition::Signs
        | InputCondition::SignsWithKey
        | InputCondition::SignsKeyless
        | InputCondition::LogsSignature => unmet_signing(arguments, condition),
        InputCondition::VerifiesSource => {
            let verifies = !arguments.is_accepted(Input::VerifySource)
                || arguments.switch(Input::VerifySource)?;
            Ok(match verifies {
                true => None,
                false => unmet(", and nothing is checked", "set verify-source: true"),
            })
        }
        // Reports that a gate judges alone are no longer among the arguments of signing.
        InputCondition::JudgesReports => Ok(unmet(
            ", and nothing judges it",
            "set gates.scan of the environment in the policy",
        )),
        InputCondition::NamesReleaseVerb => Ok(
            match arguments.is_accepted(Input::For) && arguments.choice(Input::For)?.is_none() {
                true => unmet(
                    ", and only push and promote use it",
                    "set for: push or for: promote",
                ),
                false => None,
            },
        ),
        InputCondition::ChecksCertificate => Ok(match arguments.entries(Input::Key).is_empty() {
            true => None,
            false => unmet(
                " with key: a signature of a key has no certificate",
                "give certificate-identity in place of key",
            ),
        }),
    }
}

fn unmet_signing(
    arguments: &InputValues,
    condition: InputCondition,
) -> Result<Option<UnmetCondition>, InputError> {
    if !arguments.is_accepted(Input::Sign) {
        return Ok(None);
    }
    let sign = arguments.choice(Input::Sign)?.filter(|sign| *sign != "off");
    let Some(sign) = sign else {
        return Ok(unmet(
            ", and nothing is signed",
            "set sign: key or sign: keyless",
        ));
    };
    let is_keyless = sign == "keyless";
    let is_logged = is_keyless
        || arguments
            .choice(Input::TransparencyLog)?
            .is_some_and(|mode| mode != "off");
    Ok(match condition {
        InputCondition::SignsWithKey if is_keyless => {
            unmet(", and keyless signs without it", "set sign: key")
        }
        InputCondition::SignsKeyless if !is_keyless => {
            unmet(", and a key signs without it", "set sign: keyless")
        }
        InputCondition::LogsSignature if !is_logged => unmet(
            ", and what a key signs is not logged",
            "set transparency-log: on or sign: keyless",
        ),
        _ => None,
    })
}
