use semver::Version;

use super::default::{commit_tag, line_tags, not_deleted, published, shown, version_tag};
use super::derived::{Derived, Follows, Kind};
use super::{Environment, TagRules, TaggingError};
use crate::event::{EventName, Facts, GitRef, ReleaseBranch, version};
use crate::image::Commit;

/// What the image that is promoted says of itself, by its record or its labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The commit it was built from.
    pub revision: Option<Commit>,
    /// Its version, as written.
    pub version: Option<String>,
}

/// A version, and where it comes from.
struct Named {
    version: Version,
    prerelease: bool,
    rule: String,
}

/// The tags of an image that is released to the next environment: those of the image, never of the
/// event's commit, which on a main branch is a merge and not what was built. The event may name the
/// version.
///
/// # Errors
/// A release branch that names another commit than the image's (a refusal, with given rules too),
/// a deleted ref, a release that is not out, or nothing that gives a tag.
pub fn for_promote(
    facts: Option<&Facts>,
    source: &Origin,
    environment: Option<&Environment>,
    rules: &TagRules,
) -> Result<Derived, TaggingError> {
    let branch = match facts {
        Some(facts) => facts.release_branch()?,
        None => None,
    };
    if let Some(branch) = &branch {
        same_commit(branch, source)?;
    }
    if let TagRules::Given(given) = rules {
        return given.derive_for(source.revision.as_ref());
    }
    let mut derived = Derived::default();
    let version = wanted_version(&mut derived, facts, branch, source)?;
    if let Some(named) = &version {
        version_tag(&mut derived, &named.version, &named.rule)?;
    }
    match &source.revision {
        Some(commit) => commit_tag(&mut derived, commit, "the commit of the image"),
        None => derived.note("the image names no commit, so there is no git- tag"),
    }
    if let Some(named) = &version {
        line_tags(&mut derived, &named.version, named.prerelease);
    }
    if let Some(environment) = environment {
        let kind = Kind::Moving(Follows::Environment);
        derived.plan(environment.tag().clone(), kind, "the environment");
    }
    if derived.tags.is_empty() {
        return Err(TaggingError::Nothing(derived.notes.join("; ")));
    }
    Ok(derived.settle())
}

fn same_commit(branch: &ReleaseBranch, source: &Origin) -> Result<(), TaggingError> {
    let Some(named) = branch.commit.clone() else {
        return Ok(());
    };
    let label = shown(&branch.label);
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

/// The event's version, else the image's.
fn wanted_version(
    derived: &mut Derived,
    facts: Option<&Facts>,
    branch: Option<ReleaseBranch>,
    source: &Origin,
) -> Result<Option<Named>, TaggingError> {
    let of_event = match facts {
        Some(facts) => event_version(derived, facts, branch, source)?,
        None => None,
    };
    let of_image = image_version(derived, source, of_event.is_none());
    if let (Some(event), Some(image)) = (&of_event, &of_image)
        && event.version.cmp_precedence(&image.version).is_ne()
    {
        derived.note(format!(
            "the version is {}, {}; the image's label says {}",
            shown(&event.version.to_string()),
            event.rule,
            shown(&image.version.to_string())
        ));
    }
    Ok(of_event.or(of_image))
}

fn image_version(derived: &mut Derived, source: &Origin, wanted: bool) -> Option<Named> {
    let label = source.version.as_deref()?;
    let named = version(label).map(|version| Named {
        version,
        prerelease: false,
        rule: "the version that the image names".to_owned(),
    });
    if named.is_none() && wanted {
        derived.note(format!(
            "the version that the image names, {}, is no full version: no version tags",
            shown(label)
        ));
    }
    named
}

fn event_version(
    derived: &mut Derived,
    facts: &Facts,
    branch: Option<ReleaseBranch>,
    source: &Origin,
) -> Result<Option<Named>, TaggingError> {
    not_deleted(facts)?;
    derived.notes.extend(facts.notes.iter().cloned());
    if let Some(branch) = branch {
        return Ok(branch_version(derived, branch));
    }
    note_foreign_branch(derived, facts);
    let (tag, prerelease) = match (&facts.event, &facts.git_ref, &facts.release) {
        (EventName::Release, _, Some(release)) => (published(release)?, release.prerelease),
        (
            EventName::Push | EventName::WorkflowDispatch | EventName::Create,
            Some(GitRef::Tag(tag)),
            _,
        ) => (tag.as_str(), false),
        _ => return Ok(None),
    };
    note_other_commit(derived, facts, source);
    let rule = format!("the version of the tag {}", shown(tag));
    let Some(version) = version(tag) else {
        derived.note(format!("the tag {} is no full version", shown(tag)));
        return Ok(None);
    };
    Ok(Some(Named {
        version,
        prerelease,
        rule,
    }))
}

fn branch_version(derived: &mut Derived, branch: ReleaseBranch) -> Option<Named> {
    let label = shown(&branch.label);
    if branch.version.is_none() {
        derived.note(format!("the branch release/{label} names no full version"));
    }
    Some(Named {
        version: branch.version?,
        prerelease: false,
        rule: format!("the version of the branch release/{label}"),
    })
}

fn note_foreign_branch(derived: &mut Derived, facts: &Facts) {
    let foreign = facts
        .pull_request
        .as_ref()
        .filter(|pull_request| !pull_request.same_repository)
        .and_then(|pull_request| pull_request.head_ref.as_deref())
        .filter(|head| head.starts_with("release/"));
    if let Some(head) = foreign {
        derived.note(format!(
            "the branch {} is of another repository: it names no version here",
            shown(head)
        ));
    }
}

fn note_other_commit(derived: &mut Derived, facts: &Facts, source: &Origin) {
    if let (Some(event), Some(image)) = (&facts.commit, &source.revision)
        && event != image
    {
        derived.note(format!(
            "the event is about the commit {}, the image was built from {}",
            event.short(),
            image.short()
        ));
    }
}
