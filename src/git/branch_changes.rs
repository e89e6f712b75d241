//! What a branch changes since a commit that its name names.

use git2::{Oid, Repository};

use super::GitCheckout;
use crate::image::CommitId;

/// Most changed files that are named.
const NAMED_FILES: usize = 3;

/// How the head of a branch stands to a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BranchChanges {
    /// The head has no file that the commit has otherwise, or comes before the commit.
    Unchanged,
    /// The head has other files than the commit.
    Changed {
        /// Some of the files, as the repository names them. Text from outside.
        files: Vec<String>,
        /// Number of files.
        count: usize,
    },
    /// The clone lacks one of them, or the commits between them.
    Unknown,
}

impl GitCheckout {
    /// Returns what the head of a branch changes since a commit.
    pub fn changes_since(&self, commit: &CommitId, head: &CommitId) -> BranchChanges {
        if commit == head {
            return BranchChanges::Unchanged;
        }
        let found = find_changes(&self.repository, commit, head, self.shallow);
        found.unwrap_or(BranchChanges::Unknown)
    }
}

fn find_changes(
    repository: &Repository,
    commit: &CommitId,
    head: &CommitId,
    is_shallow: bool,
) -> Result<BranchChanges, git2::Error> {
    let [commit, head] = [commit, head].map(|id| Oid::from_str(id.as_str()));
    let (commit, head) = (commit?, head?);
    let [old, new] = [commit, head].map(|id| repository.find_commit(id)?.tree());
    let (old, new) = (old?, new?);
    if old.id() == new.id() || repository.graph_descendant_of(commit, head)? {
        return Ok(BranchChanges::Unchanged);
    }
    if is_shallow && !repository.graph_descendant_of(head, commit)? {
        return Ok(BranchChanges::Unknown);
    }
    let changes = repository.diff_tree_to_tree(Some(&old), Some(&new), None)?;
    let paths = changes.deltas().filter_map(|delta| {
        let path = delta.new_file().path_bytes()?;
        Some(String::from_utf8_lossy(path).into_owned())
    });
    Ok(BranchChanges::Changed {
        files: paths.take(NAMED_FILES).collect(),
        count: changes.deltas().len(),
    })
}

#[cfg(test)]
mod tests {
    use git2::{Signature, Time};

    use super::*;

    /// Commits one file with this text.
    fn commit(repository: &Repository, text: &str, parents: &[Oid]) -> Oid {
        let blob = repository.blob(text.as_bytes()).unwrap();
        let mut tree = repository.treebuilder(None).unwrap();
        tree.insert("a.txt", blob, 0o100_644).unwrap();
        let tree = repository.find_tree(tree.write().unwrap()).unwrap();
        let someone = Signature::new("A", "a@example.com", &Time::new(0, 0)).unwrap();
        let parents = parents
            .iter()
            .map(|id| repository.find_commit(*id).unwrap());
        let parents: Vec<_> = parents.collect();
        let parents: Vec<_> = parents.iter().collect();
        let made = repository.commit(None, &someone, &someone, "x", &tree, &parents);
        made.unwrap()
    }

    #[test]
    fn a_head_with_other_files_than_the_commit_is_told_from_one_with_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init(folder.path()).unwrap();
        let first = commit(&repository, "1", &[]);
        let built = commit(&repository, "2", &[first]);
        let same = commit(&repository, "2", &[built]);
        let newer = commit(&repository, "3", &[same]);
        let other = commit(&repository, "4", &[first]);
        repository.set_head_detached(built).unwrap();
        let id = |oid: Oid| oid.to_string().parse::<CommitId>().unwrap();
        let changed = BranchChanges::Changed {
            files: vec!["a.txt".to_owned()],
            count: 1,
        };
        let checkout = crate::git::checkout(folder.path()).unwrap();
        let unknown = Oid::from_str("1111111111111111111111111111111111111111").unwrap();
        for (head, expected) in [
            (built, &BranchChanges::Unchanged),
            (first, &BranchChanges::Unchanged),
            (same, &BranchChanges::Unchanged),
            (newer, &changed),
            (other, &changed),
            (unknown, &BranchChanges::Unknown),
        ] {
            assert_eq!(
                checkout.changes_since(&id(built), &id(head)),
                *expected,
                "{head}"
            );
        }
        assert_eq!(
            checkout.changes_since(&id(unknown), &id(built)),
            BranchChanges::Unknown
        );
        std::fs::write(folder.path().join(".git/shallow"), format!("{other}\n")).unwrap();
        let checkout = crate::git::checkout(folder.path()).unwrap();
        assert_eq!(
            checkout.changes_since(&id(built), &id(other)),
            BranchChanges::Unknown
        );
        assert_eq!(checkout.changes_since(&id(built), &id(newer)), changed);
    }
}
