use super::default_flavor::{apply_to_table, without_flavor};
use super::default_tags::{plan_line_tags, plan_version_tag};
use super::printable_name::printable_name;
use super::promoted_commit_tag::plan_promoted_commit_tag;
use super::promoted_version::{branch_release, choose_version};
use super::released_git_tag::other_commit_warning;
use super::tag_name::{self, SanitizedName};
use super::tag_plan::{DerivedTags, ImmutableTagSource, MovingTagSource, TagKind};
use super::{EnvironmentName, ImageOrigin, TagRules, TaggingError};
use crate::event::{EventFacts, ReleaseBranch};

/// Returns the tags of an image that is released to the next environment. They follow the image, not
/// the commit of the event, which on a main branch is a merge that was not built. The event may name
/// the version.
///
/// # Errors
/// A release branch that names another commit than the image's (a refusal, with given rules too),
/// a deleted ref, a release that is not out, or nothing that gives a tag.
pub fn derive_promote_tags(
    facts: Option<&EventFacts>,
    source: &ImageOrigin,
    environment: Option<&EnvironmentName>,
    rules: &TagRules,
) -> Result<DerivedTags, TaggingError> {
    let branch = match facts {
        Some(facts) => facts.release_branch()?,
        None => None,
    };
    if let Some(branch) = &branch {
        require_same_commit(branch, source)?;
    }
    let mut derived = match rules {
        TagRules::Custom(given) => given.derive_tags_for(source.revision.as_ref())?,
        _ => derive_table(facts, branch.as_ref(), source, environment, rules)?,
    };
    if let Some(facts) = facts.filter(|_| branch.is_none()) {
        derived
            .warnings
            .extend(other_commit_warning(facts, source)?);
    }
    Ok(derived)
}

/// Returns the tags of the default table.
fn derive_table(
    facts: Option<&EventFacts>,
    branch: Option<&ReleaseBranch>,
    source: &ImageOrigin,
    environment: Option<&EnvironmentName>,
    rules: &TagRules,
) -> Result<DerivedTags, TaggingError> {
    let source = &without_flavor(rules, source)?;
    let mut derived = DerivedTags::default();
    let version = choose_version(&mut derived, facts, branch, source)?;
    if let Some(named) = &version {
        plan_version_tag(&mut derived, &named.release, &named.rule)?;
    }
    if let Some(branch) = branch {
        plan_release_name(&mut derived, branch, environment);
    }
    plan_promoted_commit_tag(&mut derived, source);
    if let Some(named) = &version {
        plan_line_tags(&mut derived, &named.release, named.prerelease);
    }
    if let Some(environment) = environment {
        let kind = TagKind::Moving(MovingTagSource::Environment);
        derived.add_tag(environment.tag().clone(), kind, "the environment");
    }
    if derived.tags.is_empty() {
        return Err(derived.no_tags_error());
    }
    rules.order_tags(apply_to_table(rules, derived)?)
}

fn require_same_commit(branch: &ReleaseBranch, source: &ImageOrigin) -> Result<(), TaggingError> {
    let Some(named) = branch.commit.clone() else {
        return Ok(());
    };
    let label = printable_name(&branch.label);
    match &source.revision {
        Some(built) if built.begins_with(&named) => Ok(()),
        Some(built) => Err(TaggingError::OtherCommit {
            label,
            named,
            built: built.clone(),
        }),
        None => Err(TaggingError::UnknownCommit { label, named }),
    }
}

/// Plans the name of a release branch that names no version: `sprint-42`, `2025-03-10`.
fn plan_release_name(
    derived: &mut DerivedTags,
    branch: &ReleaseBranch,
    environment: Option<&EnvironmentName>,
) {
    if branch_release(branch).is_some() || branch.name().is_empty() {
        return;
    }
    let SanitizedName { tag, altered } = tag_name::sanitize_name(branch.name());
    let label = printable_name(&branch.label);
    let is_environment = environment.is_some_and(|environment| *environment.tag() == tag);
    let meaning = match is_environment {
        true => Some("the environment"),
        false if tag_name::is_calendar_date(tag.as_str()) => None,
        false => tag_name::reserved_from_branches(&tag),
    };
    if let Some(meaning) = meaning {
        derived.add_note(format!(
            "the branch release/{label} gives no tag of its name: {tag} reads as {meaning}"
        ));
        return;
    }
    if let Some(reason) = altered {
        derived.add_note(format!(
            "the branch release/{label} becomes the tag {tag}, since {reason}"
        ));
    }
    let kind = TagKind::Immutable(ImmutableTagSource::Other);
    derived.add_tag(tag, kind, format!("the name of the branch release/{label}"));
}
