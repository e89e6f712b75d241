//! What a push or a promotion of this event would give, without an image and without a login.

use super::dirty_checkout;
use super::event_inputs::given_commit;
use super::invocation::Invocation;
use super::naming_inputs::requested_version;
use crate::cli::Input;
use crate::release::Failure;
use crate::tagging::{
    self, Finding, ImageNames, ImageOrigin, RuleExpansion, TagContext, TagRuleSet, TagRules,
};

/// Derives the tags as the verb `verb` does.
///
/// # Errors
/// What that verb would refuse.
pub(super) fn preview(
    invocation: &Invocation,
    verb: &str,
    rules: &TagRuleSet,
    context: &TagContext,
) -> Result<RuleExpansion, Failure> {
    match verb {
        "promote" => preview_promotion(invocation, rules, context),
        _ => preview_push(invocation, rules, context),
    }
}

fn preview_push(
    invocation: &Invocation,
    rules: &TagRuleSet,
    context: &TagContext,
) -> Result<RuleExpansion, Failure> {
    let facts = dirty_checkout::check(invocation, rules, context.facts.clone())?;
    let context = TagContext {
        facts: facts.clone(),
        ..context.clone()
    };
    let version = requested_version(invocation, rules)?;
    let rules = TagRules::new(rules.clone(), context);
    let derived = tagging::derive_push_tags(facts.as_ref(), version.as_ref(), &rules)?;
    Ok(tagging::preview_tags(derived))
}

/// A promotion takes commit and version from the image. Of the image no more is known here than the inputs
/// `commit` and `version` say.
fn preview_promotion(
    invocation: &Invocation,
    rules: &TagRuleSet,
    context: &TagContext,
) -> Result<RuleExpansion, Failure> {
    let origin = ImageOrigin {
        revision: given_commit(invocation)?,
        names: ImageNames {
            requested_version: requested_version(invocation, rules)?,
            ..ImageNames::default()
        },
        ..ImageOrigin::default()
    };
    let environment = invocation.arguments.value(Input::Environment)?;
    let rules = TagRules::new(rules.clone(), context.clone());
    let facts = context.facts.as_ref();
    let derived = tagging::derive_promote_tags(facts, &origin, environment.as_ref(), &rules)?;
    let mut expansion = tagging::preview_tags(derived);
    expansion.findings.push(Finding::from_note(
        "a promotion also takes the commit and the version from the image, which is not read here: set commit and version to show their tags",
    ));
    Ok(expansion)
}
