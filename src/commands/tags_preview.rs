//! What a push or a promotion of this event would give, without an image and without a login.

use super::dirty_checkout;
use super::event_inputs::given_commit;
use super::invocation::Invocation;
use crate::cli::Input;
use crate::release::Failure;
use crate::tagging::{self, Finding, ImageOrigin, RuleExpansion, TagContext, TagRuleSet, TagRules};

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
    let rules = TagRules::new(rules.clone(), context);
    let derived = tagging::derive_push_tags(facts.as_ref(), None, &rules)?;
    Ok(tagging::preview_tags(derived))
}

/// A promotion takes commit and version from the image. Of the image no more is known here than the input
/// `commit` says.
fn preview_promotion(
    invocation: &Invocation,
    rules: &TagRuleSet,
    context: &TagContext,
) -> Result<RuleExpansion, Failure> {
    let origin = ImageOrigin {
        revision: given_commit(invocation)?,
        ..ImageOrigin::default()
    };
    let environment = invocation.arguments.value(Input::Environment)?;
    let rules = TagRules::new(rules.clone(), context.clone());
    let facts = context.facts.as_ref();
    let derived = tagging::derive_promote_tags(facts, &origin, environment.as_ref(), &rules)?;
    let mut expansion = tagging::preview_tags(derived);
    let text = "a promotion also takes the commit and the version from the image, which is not read here: set commit to show the tag of its commit";
    expansion.findings.push(Finding::from_note(text));
    Ok(expansion)
}
