use super::{EventName, Facts, GitRef, version};
use crate::image::Commit;
use crate::notice::printable;

/// What a checkout, or `--ref`, says in place of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Local {
    /// The branch that is checked out, or the ref that was asked for. None where HEAD is detached.
    pub git_ref: Option<GitRef>,
    /// The commit of that ref, or of HEAD.
    pub commit: Option<Commit>,
    /// The names of the tags that point at the commit.
    pub tags: Vec<String>,
    /// The repository, `owner/name`, where `origin` says so.
    pub repository: Option<String>,
}

impl Facts {
    /// The facts of a checkout: like a push of its branch, or, where HEAD is detached at exactly
    /// one version tag, like a push of that tag.
    pub fn local(local: &Local) -> Self {
        let mut facts = Self {
            git_ref: local.git_ref.clone(),
            commit: local.commit.clone(),
            repository: local.repository.clone(),
            ..Self::bare(EventName::Push)
        };
        match &facts.git_ref {
            None => facts.take_tag(&local.tags),
            Some(git_ref) if facts.commit.is_none() => facts.notes.push(format!(
                "no checkout here knows the commit of {}",
                printable(&git_ref.to_string(), 80)
            )),
            Some(_) => {}
        }
        facts
    }

    fn take_tag(&mut self, tags: &[String]) {
        let is_version = |tag: &&String| version(tag).is_some();
        let versions: Vec<_> = tags.iter().filter(is_version).collect();
        self.notes.push(match versions.as_slice() {
            [tag] => {
                self.git_ref = Some(GitRef::Tag((*tag).clone()));
                let tag = printable(tag, 80);
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
