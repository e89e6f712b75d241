//! What a commit merged, as the commit itself says: also in a clone without the commits before it.

use git2::{Commit, Oid};

use super::GitCheckout;
use crate::image::CommitId;

/// Parents and message of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitParents {
    /// Parents, in their order.
    pub parents: Vec<CommitId>,
    /// Branch that the message of GitHub's merge names, as `owner/branch`. Text from outside.
    pub merged_branch: Option<String>,
}

impl GitCheckout {
    /// Returns the parents of a commit; `None` if the commit is not here.
    pub fn parents_of(&self, commit: &CommitId) -> Option<CommitParents> {
        let id = Oid::from_str(commit.as_str()).ok()?;
        let found = self.repository.find_commit(id).ok()?;
        Some(CommitParents {
            parents: stated_parents(&found),
            merged_branch: merged_branch(&found),
        })
    }
}

/// Returns the parents that the commit states. In a shallow clone git takes a commit at the edge for one
/// without parents.
fn stated_parents(commit: &Commit<'_>) -> Vec<CommitId> {
    let header = String::from_utf8_lossy(commit.raw_header_bytes()).into_owned();
    let lines = header
        .lines()
        .filter_map(|line| line.strip_prefix("parent "));
    lines.filter_map(|id| id.trim().parse().ok()).collect()
}

/// Returns the branch of `Merge pull request #12 from owner/branch`.
fn merged_branch(commit: &Commit<'_>) -> Option<String> {
    let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
    let rest = message.trim_start().strip_prefix("Merge pull request #")?;
    let (number, branch) = rest.lines().next()?.split_once(" from ")?;
    let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    (is_number && branch.contains('/')).then(|| branch.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use git2::{Repository, Signature, Time};

    use super::*;

    /// Commits an empty tree with parents. Returns the id.
    fn commit(repository: &Repository, message: &str, parents: &[Oid]) -> Oid {
        let tree = repository.treebuilder(None).unwrap().write().unwrap();
        let tree = repository.find_tree(tree).unwrap();
        let someone = Signature::new("A", "a@example.com", &Time::new(0, 0)).unwrap();
        let parents: Vec<_> = parents
            .iter()
            .map(|id| repository.find_commit(*id).unwrap())
            .collect();
        let parents: Vec<_> = parents.iter().collect();
        let made = repository.commit(None, &someone, &someone, message, &tree, &parents);
        made.unwrap()
    }

    #[test]
    fn a_merge_names_its_parents_in_order_also_at_the_edge_of_a_shallow_clone() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init(folder.path()).unwrap();
        let first = commit(&repository, "first", &[]);
        let second = commit(&repository, "second", &[]);
        let merge = commit(&repository, "Merge branch 'x'", &[first, second]);
        repository.set_head_detached(merge).unwrap();
        let id = |oid: Oid| oid.to_string().parse::<CommitId>().unwrap();
        let parents = || {
            let checkout = crate::git::checkout(folder.path()).unwrap();
            checkout.parents_of(&id(merge)).unwrap().parents
        };
        assert_eq!(parents(), [id(first), id(second)]);
        std::fs::write(folder.path().join(".git/shallow"), format!("{merge}\n")).unwrap();
        assert_eq!(parents(), [id(first), id(second)]);
        let checkout = crate::git::checkout(folder.path()).unwrap();
        assert!(checkout.shallow);
        let unknown = "1111111111111111111111111111111111111111".parse().unwrap();
        assert_eq!(checkout.parents_of(&unknown), None);
    }

    #[test]
    fn the_branch_of_a_merge_is_the_one_that_github_names() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init(folder.path()).unwrap();
        for (message, branch) in [
            (
                "Merge pull request #7 from mallory/release/v9\n\ntext",
                Some("mallory/release/v9"),
            ),
            ("Merge pull request #7 from nothing", None),
            ("Merge pull request #x from a/b", None),
            ("Merge branch 'release/1.0'", None),
            ("text\nMerge pull request #7 from mallory/x", None),
        ] {
            let made = commit(&repository, message, &[]);
            let found = merged_branch(&repository.find_commit(made).unwrap());
            assert_eq!(found.as_deref(), branch, "{message}");
        }
    }
}
