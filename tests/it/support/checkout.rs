//! A git repository of one commit.

use std::path::Path;

use git2::{Repository, Signature};

/// The mode of a plain file, and that of a symbolic link.
const FILE: i32 = 0o100_644;
const LINK: i32 = 0o120_000;

/// Makes the folder a repository whose only commit has these files, and none of what lies in the folder.
/// What ends in `.link` is a symbolic link. Returns the commit.
pub fn commit(folder: &Path, files: &[(&str, &str)]) -> String {
    let is_link = |file: &&(&str, &str)| file.0.ends_with(".link");
    let plain: Vec<_> = files
        .iter()
        .filter(|file| !is_link(file))
        .copied()
        .collect();
    let links: Vec<_> = files.iter().filter(is_link).copied().collect();
    commit_with_links(folder, &plain, &links)
}

/// The same with symbolic links of any name.
pub fn commit_with_links(folder: &Path, files: &[(&str, &str)], links: &[(&str, &str)]) -> String {
    let repository = Repository::init(folder).unwrap();
    let mut index = git2::Index::new().unwrap();
    repository.set_index(&mut index).unwrap();
    let files = files.iter().map(|file| (file, FILE));
    for ((path, text), mode) in files.chain(links.iter().map(|link| (link, LINK))) {
        let zero = git2::IndexTime::new(0, 0);
        let entry = git2::IndexEntry {
            ctime: zero,
            mtime: zero,
            dev: 0,
            ino: 0,
            mode: mode as u32,
            uid: 0,
            gid: 0,
            file_size: 0,
            id: repository.blob(text.as_bytes()).unwrap(),
            flags: 0,
            flags_extended: 0,
            path: path.as_bytes().to_vec(),
        };
        index.add(&entry).unwrap();
    }
    let tree = index.write_tree_to(&repository).unwrap();
    let tree = repository.find_tree(tree).unwrap();
    let someone = Signature::new("A", "a@example.com", &git2::Time::new(0, 0)).unwrap();
    let commit = repository.commit(Some("HEAD"), &someone, &someone, "x", &tree, &[]);
    commit.unwrap().to_string()
}
