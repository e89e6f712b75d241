//! A git repository with branches and merges, as a team's has them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::{Index, IndexEntry, IndexTime, Oid, Repository, Signature, Time};

/// A repository whose commits have all files of their parent.
pub struct Branches {
    folder: PathBuf,
    files: BTreeMap<String, BTreeMap<String, String>>,
}

impl Branches {
    /// Makes the folder a repository with one commit. Returns it with the commit.
    pub fn begin(folder: &Path, files: &[(&str, &str)]) -> (Self, String) {
        let repository = Repository::init(folder).unwrap();
        repository.set_head("refs/heads/main").unwrap();
        let mut branches = Self {
            folder: folder.to_owned(),
            files: BTreeMap::new(),
        };
        let first = branches.write("main", "first", &[], BTreeMap::new(), files);
        (branches, first)
    }

    /// Commits changes of files after another commit, as the head of a branch. Returns the commit.
    pub fn commit(&mut self, branch: &str, after: &str, changes: &[(&str, &str)]) -> String {
        let files = self.files[after].clone();
        self.write(branch, branch, &[after], files, changes)
    }

    /// Merges a commit into a branch whose head is `into`, without a fast-forward; files of both are those of
    /// `into`. Returns the merge commit.
    pub fn merge(&mut self, branch: &str, into: &str, merged: &str) -> String {
        let mut files = self.files[merged].clone();
        files.extend(self.files[into].clone());
        let message = format!("Merge branch into {branch}");
        self.write(branch, &message, &[into, merged], files, &[])
    }

    fn write(
        &mut self,
        branch: &str,
        message: &str,
        parents: &[&str],
        mut files: BTreeMap<String, String>,
        changes: &[(&str, &str)],
    ) -> String {
        let changes = changes.iter();
        files.extend(changes.map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
        let repository = Repository::open(&self.folder).unwrap();
        let mut index = Index::new().unwrap();
        repository.set_index(&mut index).unwrap();
        for (path, text) in &files {
            let blob = repository.blob(text.as_bytes()).unwrap();
            index.add(&entry(path, blob)).unwrap();
        }
        let tree = index.write_tree_to(&repository).unwrap();
        let tree = repository.find_tree(tree).unwrap();
        let someone = Signature::new("A", "a@example.com", &Time::new(0, 0)).unwrap();
        let parents = parents.iter().map(|id| Oid::from_str(id).unwrap());
        let parents: Vec<_> = parents
            .map(|id| repository.find_commit(id).unwrap())
            .collect();
        let parents: Vec<_> = parents.iter().collect();
        let made = repository.commit(None, &someone, &someone, message, &tree, &parents);
        let made = made.unwrap();
        let name = format!("refs/heads/{branch}");
        repository.reference(&name, made, true, message).unwrap();
        self.files.insert(made.to_string(), files);
        made.to_string()
    }
}

/// A plain file of the index.
fn entry(path: &str, blob: Oid) -> IndexEntry {
    let zero = IndexTime::new(0, 0);
    IndexEntry {
        ctime: zero,
        mtime: zero,
        dev: 0,
        ino: 0,
        mode: 0o100_644,
        uid: 0,
        gid: 0,
        file_size: 0,
        id: blob,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}
