use super::default_flavor::apply_to_table;
use super::default_tags::{
    plan_commit_tag, plan_line_tags, plan_version_tag, refuse_deleted, require_published,
};
use super::printable_name::printable_name;
use super::requested_version::plan_requested_version;
use super::tag_name::{self, SanitizedName};
use super::tag_plan::{DerivedTags, ImmutableTagSource, MovingTagSource, TagKind};
use super::{NamedRelease, TagRules, TaggingError, VersionOrigin};
use crate::event::{EventFacts, EventName, GitRef};

/// Returns the tags of an image that is pushed, built from the commit of the event. The tags of the
/// default table include those of the version that is requested.
///
/// # Errors
/// With the default rules: a requested version that the event denies, neither facts nor a version, an event without a row in the default table, a deleted ref, a
/// release that is not out, or nothing that gives a tag. Of given rules: one that cannot be
/// expanded or gives no tag, or that none gives one.
pub fn derive_push_tags(
    facts: Option<&EventFacts>,
    requested: Option<&NamedRelease>,
    rules: &TagRules,
) -> Result<DerivedTags, TaggingError> {
    if let TagRules::Custom(given) = rules {
        return given.derive_tags();
    }
    let mut derived = DerivedTags::default();
    match (facts, requested) {
        (Some(facts), _) => plan_event_tags(&mut derived, facts)?,
        (None, Some(_)) => derived.add_note("no commit is known, so there is no git- tag"),
        (None, None) => return Err(TaggingError::NoFacts),
    }
    if let Some(release) = requested {
        plan_requested_version(&mut derived, facts, release)?;
    }
    if derived.tags.is_empty() {
        return Err(derived.no_tags_error());
    }
    rules.order_tags(apply_to_table(rules, derived)?)
}

/// Plans the tags of the default table for the event.
fn plan_event_tags(derived: &mut DerivedTags, facts: &EventFacts) -> Result<(), TaggingError> {
    refuse_deleted(facts)?;
    derived.notes.clone_from(&facts.notes);
    match facts.event {
        EventName::Push | EventName::WorkflowDispatch | EventName::Create => {
            plan_ref_tags(derived, facts)
        }
        EventName::MergeGroup if is_of_merge_queue(facts) => plan_ref_tags(derived, facts),
        EventName::Release => plan_release_tags(derived, facts),
        EventName::PullRequest | EventName::PullRequestTarget => {
            plan_pull_request_tag(derived, facts)
        }
        _ => Err(TaggingError::NoDefaultTags(printable_name(
            facts.event.as_str(),
        ))),
    }
}

fn is_of_merge_queue(facts: &EventFacts) -> bool {
    let Some(GitRef::Branch(name)) = &facts.git_ref else {
        return false;
    };
    name.starts_with(tag_name::MERGE_QUEUE_PREFIX)
}

fn plan_ref_tags(derived: &mut DerivedTags, facts: &EventFacts) -> Result<(), TaggingError> {
    match &facts.git_ref {
        Some(GitRef::Tag(name)) => plan_git_tag(derived, facts, name, false),
        Some(GitRef::Branch(name)) => {
            plan_branch_tags(derived, facts, name);
            Ok(())
        }
        Some(other) => Err(TaggingError::OtherRef(printable_name(&other.to_string()))),
        None => {
            let reasons: String = facts.notes.iter().map(|note| format!("; {note}")).collect();
            Err(TaggingError::NoRef(reasons))
        }
    }
}

fn plan_release_tags(derived: &mut DerivedTags, facts: &EventFacts) -> Result<(), TaggingError> {
    let release = facts
        .release
        .as_ref()
        .ok_or(TaggingError::ReleaseWithoutTag)?;
    plan_git_tag(
        derived,
        facts,
        require_published(release)?,
        release.prerelease,
    )
}

fn plan_git_tag(
    derived: &mut DerivedTags,
    facts: &EventFacts,
    name: &str,
    prerelease: bool,
) -> Result<(), TaggingError> {
    match NamedRelease::parse(name) {
        Some(release) => {
            let rule = format!("the version of the tag {}", printable_name(name));
            plan_version_tag(derived, &release, &rule)?;
            derived.provenance.version = Some(VersionOrigin::Event);
            plan_event_commit_tag(derived, facts);
            plan_line_tags(derived, &release, prerelease);
        }
        None => {
            let note = "is not a version, so it has no version lines";
            derived.add_note(format!("the tag {} {note}", printable_name(name)));
            plan_named_tag(
                derived,
                "tag",
                name,
                TagKind::Immutable(ImmutableTagSource::Other),
            );
            plan_event_commit_tag(derived, facts);
        }
    }
    Ok(())
}

fn plan_branch_tags(derived: &mut DerivedTags, facts: &EventFacts, name: &str) {
    plan_event_commit_tag(derived, facts);
    if let Some(queued) = name.strip_prefix(tag_name::MERGE_QUEUE_PREFIX) {
        plan_queued_pull_request_tag(derived, queued);
        return;
    }
    plan_named_tag(
        derived,
        "branch",
        name,
        TagKind::Moving(MovingTagSource::Branch),
    );
}

/// The pull request that a merge queue's branch is for, where its name says the number.
fn plan_queued_pull_request_tag(derived: &mut DerivedTags, queued: &str) {
    derived.add_note("a merge queue's branch gives no tag of its name");
    let (_, last) = queued.rsplit_once('/').unwrap_or(("", queued));
    let rest = last.strip_prefix("pr-").unwrap_or_default();
    let (number, _) = rest.split_once('-').unwrap_or((rest, ""));
    if let Ok(number) = number.parse::<u64>() {
        plan_numbered_tag(derived, number);
    }
}

fn plan_numbered_tag(derived: &mut DerivedTags, number: u64) {
    let name = format!("pr-{number}");
    derived.version = Some(name.clone());
    if let Ok(tag) = name.parse() {
        let rule = format!("the pull request {number}");
        derived.add_tag(tag, TagKind::Moving(MovingTagSource::PullRequest), rule);
    }
}

/// The name of a branch or tag as an image's tag, unless that would stand for something else.
fn plan_named_tag(derived: &mut DerivedTags, what: &str, name: &str, kind: TagKind) {
    let SanitizedName { tag, altered } = tag_name::sanitize_name(name);
    let name = printable_name(name);
    let meaning = match kind {
        TagKind::Moving(_) => tag_name::reserved_from_branches(&tag),
        TagKind::Immutable(_) if tag_name::is_date(&tag) => None,
        TagKind::Immutable(_) => tag_name::reserved_meaning(&tag),
    };
    if let Some(meaning) = meaning {
        let text = format!(
            "the {what} {name} gives no tag of its name: {tag} reads as {meaning}; \
             give tags if it is meant"
        );
        // A git tag says that something is released.
        match kind.is_immutable() {
            true => derived.add_warning(text),
            false => derived.add_note(text),
        }
        return;
    }
    if let Some(reason) = altered {
        derived.add_note(format!(
            "the {what} {name} becomes the tag {tag}, since {reason}"
        ));
    }
    derived.version = Some(tag.to_string());
    derived.add_tag(tag, kind, format!("the name of the {what} {name}"));
}

fn plan_event_commit_tag(derived: &mut DerivedTags, facts: &EventFacts) {
    match &facts.commit {
        Some(commit) => plan_commit_tag(derived, commit, "the commit of the event"),
        None => derived.add_note("no commit is known, so there is no git- tag"),
    }
}

fn plan_pull_request_tag(
    derived: &mut DerivedTags,
    facts: &EventFacts,
) -> Result<(), TaggingError> {
    let none = || TaggingError::NoPullRequest(facts.event.to_string());
    let number = facts.pull_request.as_ref().ok_or_else(none)?.number;
    plan_numbered_tag(derived, number);
    Ok(())
}
