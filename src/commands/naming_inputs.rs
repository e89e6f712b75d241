//! Names of the image by the input `version` and by the rules of the environment that it comes from.

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use crate::cli::Input;
use crate::policy::EnvironmentRules;
use crate::release::{Failure, ReleaseNaming};
use crate::tagging::{CommitTagForm, CompatMode, NamedRelease, TagRuleSet};

/// Length of a short SHA, unless `DOCKER_METADATA_SHORT_SHA_LENGTH` says another.
const SHORT_SHA: usize = 7;

/// Reads the names of the image; `stage` is the environment of the policy that it is released to.
///
/// # Errors
/// As [`requested_version`], and rules of an environment that cannot be read.
pub(super) fn read_naming(
    invocation: &Invocation,
    rules: &TagRuleSet,
    stage: Option<&EnvironmentRules>,
    policy: Option<&LoadedPolicy>,
) -> Result<ReleaseNaming, Failure> {
    let from = stage.and_then(|stage| stage.from().first());
    let from = policy
        .zip(from)
        .and_then(|(loaded, from)| loaded.policy.stage(from));
    let commit_tag_form = match from {
        Some(from) => commit_tag_form(invocation, from)?,
        None => None,
    };
    Ok(ReleaseNaming {
        version: requested_version(invocation, rules)?,
        commit_tag_form,
        refuses_contradictions: stage.is_some(),
    })
}

/// Reads the version of the input.
///
/// # Errors
/// One that is not a full version, or that is given together with rules.
pub(super) fn requested_version(
    invocation: &Invocation,
    rules: &TagRuleSet,
) -> Result<Option<NamedRelease>, Failure> {
    let arguments = &invocation.arguments;
    let Some(entry) = arguments.entries(Input::Version).first() else {
        return Ok(None);
    };
    let named = NamedRelease::parse(&entry.text).filter(NamedRelease::is_full);
    let reason = match &named {
        None => "is not a full version: expected three or four numbers, such as 1.4.0".to_owned(),
        Some(named) if named.has_branch_word() => {
            format!("is the name of a ref: did you mean {}?", named.version)
        }
        Some(_) => String::new(),
    };
    let Some(version) = named.filter(|_| reason.is_empty()) else {
        return Err(arguments.entry_error(Input::Version, entry, reason).into());
    };
    if !rules.is_default() {
        return Err(Failure::input("version and tag rules are both given")
            .with_reason("rules replace the tags that version gives")
            .with_hint("leave version out, or add the version as a rule: type=raw,value=VERSION,immutable=true"));
    }
    Ok(Some(version))
}

/// Returns how the rules of an environment spell SHA tags.
///
/// # Errors
/// Rules that cannot be read.
pub(super) fn commit_tag_form(
    invocation: &Invocation,
    from: &EnvironmentRules,
) -> Result<Option<CommitTagForm>, Failure> {
    let rules = from.rules(CompatMode::Compatible);
    let rules = rules.map_err(|error| Failure::input(error.to_string()))?;
    let Some(spelled) = rules.as_ref().and_then(TagRuleSet::literal_commit_tag) else {
        return Ok(None);
    };
    let length = short_sha_length(invocation);
    // A length that is no number gives no tag that can be foretold.
    let form = |digits| CommitTagForm {
        environment: from.name().clone(),
        prefix: spelled.prefix.to_owned(),
        suffix: spelled.suffix.to_owned(),
        digits,
    };
    Ok(match spelled.is_long {
        true => Some(form(None)),
        false => length
            .filter(|length| *length >= SHORT_SHA)
            .map(|length| form(Some(length))),
    })
}

/// Returns the number of digits of a short SHA; `None` if the variable is no number.
fn short_sha_length(invocation: &Invocation) -> Option<usize> {
    let length = invocation
        .environment
        .get("DOCKER_METADATA_SHORT_SHA_LENGTH");
    length.map_or(Some(SHORT_SHA), |length| length.parse().ok())
}

/// Returns the number of digits of a short SHA.
pub(super) fn short_sha(invocation: &Invocation) -> usize {
    short_sha_length(invocation).unwrap_or(SHORT_SHA)
}

/// Returns how SHA tags are spelled where images come from: by the rule of that environment, else of the one
/// before it, since promoted images keep their SHA tag; `None` if no rule says it.
///
/// # Errors
/// Rules of an environment that cannot be read.
pub(super) fn searched_form(
    invocation: &Invocation,
    origin: Option<&EnvironmentRules>,
    policy: Option<&LoadedPolicy>,
) -> Result<Option<CommitTagForm>, Failure> {
    let mut next = origin;
    while let Some(from) = next {
        if let Some(form) = commit_tag_form(invocation, from)? {
            return Ok(Some(form));
        }
        let before = from.from().first();
        next = policy
            .zip(before)
            .and_then(|(loaded, name)| loaded.policy.stage(name));
    }
    Ok(None)
}
