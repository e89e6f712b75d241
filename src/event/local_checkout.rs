use super::{EventFacts, EventName, GitRef, parse_version};
use crate::image::CommitId;
use crate::notices::to_printable;

/// What a checkout, or `--ref`, says in place of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalCheckout {
    /// The branch that is checked out, or the ref that was asked for. None where HEAD is detached.
    pub git_ref: Option<GitRef>,
    /// The commit of that ref, or of HEAD.
    pub commit: Option<CommitId>,
    /// The names of the tags that point at the commit.
    pub tags: Vec<String>,
    /// The ref that a detached HEAD was checked out from, where its log says so.
    pub detached_at: Option<GitRef>,
    /// The repository, `owner/name`, where `origin` says so.
    pub repository: Option<String>,
}

impl EventFacts {
    /// The facts of a checkout: like a push of its branch, or, where HEAD is detached at exactly
    /// one version tag, like a push of that tag.
    pub fn from_checkout(local: &LocalCheckout) -> Self {
        let mut facts = Self {
            git_ref: local.git_ref.clone(),
            commit: local.commit.clone(),
            repository: local.repository.clone(),
            ..Self::new(EventName::Push)
        };
        match &facts.git_ref {
            None => match &local.detached_at {
                Some(GitRef::Tag(tag)) => {
                    facts.git_ref = Some(GitRef::Tag(tag.clone()));
                    let tag = to_printable(tag, 80);
                    let note = "that was checked out";
                    facts
                        .notes
                        .push(format!("HEAD is detached: taken as the tag {tag} {note}"));
                }
                _ => facts.apply_tag(&local.tags),
            },
            Some(git_ref) if facts.commit.is_none() => facts.notes.push(format!(
                "no checkout here knows the commit of {}",
                to_printable(&git_ref.to_string(), 80)
            )),
            Some(_) => {}
        }
        facts
    }

    fn apply_tag(&mut self, tags: &[String]) {
        let is_version = |tag: &&String| parse_version(tag).is_some();
        let versions: Vec<_> = tags.iter().filter(is_version).collect();
        self.notes.push(match versions.as_slice() {
            [tag] => {
                self.git_ref = Some(GitRef::Tag((*tag).clone()));
                let tag = to_printable(tag, 80);
                format!("HEAD is detached: taken as the tag {tag} that points at it")
            }
            [] => "HEAD is detached, and no version tag points at it".to_owned(),
            several => format!(
                "HEAD is detached, and {} version tags point at it",
                several.len()
            ),
        });
    }
}
