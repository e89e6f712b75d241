use super::default::{commit_tag, line_tags, not_deleted, published, shown, version_tag};
use super::derived::{Derived, Follows, Kind, Names};
use super::name::{self, Named};
use super::{TagRules, TaggingError};
use crate::event::{EventName, Facts, GitRef, version};

/// The tags of an image that is pushed, built from what the event is about.
///
/// # Errors
/// With the default rules: no facts, an event without a row in the default table, a deleted ref, a
/// release that is not out, or nothing that gives a tag. Of given rules: one that cannot be
/// expanded or gives no tag, or that none gives one.
pub fn for_push(facts: Option<&Facts>, rules: &TagRules) -> Result<Derived, TaggingError> {
    if let TagRules::Given(given) = rules {
        return given.derive();
    }
    let facts = facts.ok_or(TaggingError::NoFacts)?;
    not_deleted(facts)?;
    let mut derived = Derived {
        notes: facts.notes.clone(),
        ..Derived::default()
    };
    match facts.event {
        EventName::Push | EventName::WorkflowDispatch | EventName::Create => {
            git_ref(&mut derived, facts)?;
        }
        EventName::Release => release(&mut derived, facts)?,
        EventName::PullRequest | EventName::PullRequestTarget => pull(&mut derived, facts)?,
        _ => return Err(TaggingError::NoRow(shown(facts.event.as_str()))),
    }
    if derived.tags.is_empty() {
        return Err(TaggingError::Nothing(derived.notes.join("; ")));
    }
    Ok(derived.settle())
}

fn git_ref(derived: &mut Derived, facts: &Facts) -> Result<(), TaggingError> {
    match &facts.git_ref {
        Some(GitRef::Tag(name)) => tag(derived, facts, name, false),
        Some(GitRef::Branch(name)) => {
            branch(derived, facts, name);
            Ok(())
        }
        Some(other) => Err(TaggingError::OtherRef(shown(&other.to_string()))),
        None => Err(TaggingError::NoRef),
    }
}

fn release(derived: &mut Derived, facts: &Facts) -> Result<(), TaggingError> {
    let release = facts
        .release
        .as_ref()
        .ok_or(TaggingError::ReleaseWithoutTag)?;
    tag(derived, facts, published(release)?, release.prerelease)
}

fn tag(
    derived: &mut Derived,
    facts: &Facts,
    name: &str,
    prerelease: bool,
) -> Result<(), TaggingError> {
    match version(name) {
        Some(version) => {
            let rule = format!("the version of the tag {}", shown(name));
            version_tag(derived, &version, &rule)?;
            commit(derived, facts);
            line_tags(derived, &version, prerelease);
        }
        None => {
            let note = "is no full version, so it has no version lines";
            derived.note(format!("the tag {} {note}", shown(name)));
            own_name(derived, "tag", name, Kind::Immutable(Names::Other));
            commit(derived, facts);
        }
    }
    Ok(())
}

fn branch(derived: &mut Derived, facts: &Facts, name: &str) {
    commit(derived, facts);
    own_name(derived, "branch", name, Kind::Moving(Follows::Branch));
}

/// The name of a branch or tag as an image's tag, unless that would stand for something else.
fn own_name(derived: &mut Derived, what: &str, name: &str, kind: Kind) {
    let Named { tag, altered } = name::sanitize(name);
    let name = shown(name);
    let meaning = match kind {
        Kind::Moving(_) => name::reserved_from_branches(&tag),
        Kind::Immutable(_) => name::reserved(&tag),
    };
    if let Some(meaning) = meaning {
        derived.note(format!(
            "the {what} {name} gives no tag of its name: {tag} reads as {meaning}; \
             give tags if it is meant"
        ));
        return;
    }
    if let Some(reason) = altered {
        derived.note(format!(
            "the {what} {name} becomes the tag {tag}, since {reason}"
        ));
    }
    derived.version = Some(tag.to_string());
    derived.plan(tag, kind, format!("the name of the {what} {name}"));
}

fn commit(derived: &mut Derived, facts: &Facts) {
    match &facts.commit {
        Some(commit) => commit_tag(derived, commit, "the commit of the event"),
        None => derived.note("no commit is known, so there is no git- tag"),
    }
}

fn pull(derived: &mut Derived, facts: &Facts) -> Result<(), TaggingError> {
    let none = || TaggingError::NoPullRequest(facts.event.to_string());
    let number = facts.pull_request.as_ref().ok_or_else(none)?.number;
    let name = format!("pr-{number}");
    derived.version = Some(name.clone());
    if let Ok(tag) = name.parse() {
        let rule = format!("the pull request {number}");
        derived.plan(tag, Kind::Moving(Follows::PullRequest), rule);
    }
    Ok(())
}
