use std::path::Path;

use git2::{Oid, Repository, Signature};
use tempfile::TempDir;

use super::*;
use crate::event::EventFacts;
use crate::git::CommitOrder;

/// A repository in a temporary folder, with its first commit on `main`.
fn repository() -> (TempDir, Repository) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = git2::RepositoryInitOptions::new();
    let repository = Repository::init_opts(folder.path(), options.initial_head("main")).unwrap();
    commit_on(&repository, "HEAD");
    (folder, repository)
}

fn someone() -> Signature<'static> {
    Signature::new("A", "a@example.com", &git2::Time::new(0, 0)).unwrap()
}

fn commit_on(repository: &Repository, name: &str) -> Oid {
    let tree = repository.treebuilder(None).unwrap().write().unwrap();
    let tree = repository.find_tree(tree).unwrap();
    let parent = repository
        .head()
        .ok()
        .map(|head| head.peel_to_commit().unwrap());
    let parents: Vec<_> = parent.iter().collect();
    repository
        .commit(Some(name), &someone(), &someone(), "x", &tree, &parents)
        .unwrap()
}

fn annotate(repository: &Repository, tag: &str, at: Oid) {
    let target = repository.find_object(at, None).unwrap();
    repository
        .tag(tag, &target, &someone(), "x", false)
        .unwrap();
}

fn lightly(repository: &Repository, name: &str, at: Oid) {
    repository.reference(name, at, false, "x").unwrap();
}

#[test]
fn a_branch_is_read_with_its_commit_tags_and_origin() {
    let (folder, repository) = repository();
    let first = repository.head().unwrap().target().unwrap();
    lightly(&repository, "refs/tags/v0.9.0", first);
    let second = commit_on(&repository, "HEAD");
    annotate(&repository, "v1.4.0", second);
    lightly(&repository, "refs/tags/nightly", second);
    repository
        .remote("origin", "git@github.com:acme/web.git")
        .unwrap();

    let checkout = checkout(folder.path()).unwrap();
    assert_eq!(checkout.commit.as_str(), second.to_string());
    assert_eq!(checkout.branch.as_deref(), Some("main"));
    assert_eq!(checkout.tags, ["nightly", "v1.4.0"]);
    assert_eq!(checkout.origin.as_deref(), Some("acme/web"));
    assert!(!checkout.shallow);
    let facts = EventFacts::from_checkout(&checkout.to_local());
    assert_eq!(facts.git_ref, Some(GitRef::Branch("main".into())));
    assert_eq!(facts.commit, Some(checkout.commit));
}

#[test]
fn a_detached_head_is_taken_as_its_version_tag() {
    let (folder, repository) = repository();
    let head = repository.head().unwrap().target().unwrap();
    repository.set_head_detached(head).unwrap();
    let git_ref =
        || EventFacts::from_checkout(&checkout(folder.path()).unwrap().to_local()).git_ref;
    assert_eq!(git_ref(), None);
    lightly(&repository, "refs/tags/nightly", head);
    assert_eq!(git_ref(), None);
    annotate(&repository, "v1.4.0", head);
    assert_eq!(git_ref(), Some(GitRef::Tag("v1.4.0".into())));
    lightly(&repository, "refs/tags/v1.4.1", head);
    assert_eq!(git_ref(), None);
}

#[test]
fn refs_are_resolved_to_commits() {
    let (folder, repository) = repository();
    let head = repository.head().unwrap().target().unwrap();
    annotate(&repository, "v1.4.0", head);
    lightly(&repository, "refs/remotes/origin/release/1.4.0", head);
    let blob = repository.blob(b"x").unwrap();
    lightly(&repository, "refs/tags/a-blob", blob);

    let checkout = checkout(folder.path()).unwrap();
    for text in [
        "refs/tags/v1.4.0",
        "refs/heads/main",
        "refs/heads/release/1.4.0",
    ] {
        let commit = checkout.resolve_ref(&GitRef::from(text)).unwrap();
        assert_eq!(commit.as_str(), head.to_string(), "{text}");
    }
    for text in [
        "refs/tags/v9",
        "refs/tags/a-blob",
        "refs/heads/x\n\0",
        "HEAD~9",
    ] {
        let error = checkout.resolve_ref(&GitRef::from(text)).unwrap_err();
        assert!(
            matches!(error, GitError::NoSuchRef { .. }),
            "{text:?}: {error}"
        );
        assert!(!error.to_string().contains('\n'));
    }
    let absent = EventFacts::from_checkout(&checkout.to_local_at(GitRef::from("refs/tags/v9.0.0")));
    assert_eq!((absent.commit, absent.notes.len()), (None, 1));
}

#[test]
fn it_is_known_which_commit_comes_after_which() {
    let (folder, repository) = repository();
    let first = repository.head().unwrap().target().unwrap();
    let only = checkout(folder.path()).unwrap();
    assert!(!only.ancestry().may_know_descendant(&only.commit));
    lightly(&repository, "refs/heads/other", first);
    let second = commit_on(&repository, "HEAD");
    repository.set_head("refs/heads/other").unwrap();
    let aside = commit_on(&repository, "HEAD");

    let ancestry = checkout(folder.path()).unwrap().ancestry();
    let [first, second, aside] = [first, second, aside].map(|id| to_commit_id(id).unwrap());
    let absent: CommitId = "1".repeat(40).parse().unwrap();
    for (one, other, expected) in [
        (&second, &first, CommitOrder::After),
        (&first, &second, CommitOrder::NotAfter),
        (&first, &first, CommitOrder::NotAfter),
        (&aside, &second, CommitOrder::NotAfter),
        (&absent, &first, CommitOrder::Unknown),
        (&first, &absent, CommitOrder::Unknown),
        (
            &"2".repeat(64).parse().unwrap(),
            &first,
            CommitOrder::Unknown,
        ),
    ] {
        assert_eq!(ancestry.compare(one, other), expected, "{one} {other}");
    }
    assert!(ancestry.may_know_descendant(&first) && !ancestry.may_know_descendant(&absent));
    std::fs::write(repository.path().join("shallow"), format!("{second}\n")).unwrap();
    assert_eq!(ancestry.compare(&aside, &second), CommitOrder::Unknown);
}

#[test]
fn a_worktree_has_its_own_head() {
    let (folder, repository) = repository();
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("tree");
    repository.worktree("tree", &path, None).unwrap();
    let (here, there) = (checkout(folder.path()).unwrap(), checkout(&path).unwrap());
    assert_eq!(here.branch.as_deref(), Some("main"));
    assert_eq!(there.branch.as_deref(), Some("tree"));
    assert_eq!(here.commit, there.commit);
}

#[test]
fn a_folder_within_is_enough_and_none_is_an_error() {
    let (folder, _repository) = repository();
    let within = folder.path().join("a/b");
    std::fs::create_dir_all(&within).unwrap();
    assert!(checkout(&within).is_ok());

    let bare = tempfile::tempdir().unwrap();
    let error = checkout(bare.path()).err().unwrap();
    assert!(matches!(error, GitError::NoRepository(_)), "{error}");
    Repository::init(bare.path()).unwrap();
    let error = checkout(bare.path()).err().unwrap();
    assert!(matches!(error, GitError::Unborn(_)), "{error}");
}

#[test]
fn a_shallow_clone_is_known() {
    let (folder, repository) = repository();
    let head = commit_on(&repository, "HEAD");
    std::fs::write(repository.path().join("shallow"), format!("{head}\n")).unwrap();
    let checkout = checkout(folder.path()).unwrap();
    assert!(checkout.shallow);
    let error = checkout
        .resolve_ref(&GitRef::from("refs/tags/v1.4.0"))
        .unwrap_err();
    assert!(error.hint().unwrap().contains("shallow"), "{error}");
}

/// In a runner the workspace belongs to another user than the container's root.
#[test]
fn a_repository_of_another_user_is_refused_with_the_setting_to_make() {
    let (folder, _repository) = repository();
    let given_away = |path: &Path| std::os::unix::fs::chown(path, Some(12_345), None);
    let paths = [folder.path().to_owned(), folder.path().join(".git")];
    // Only root can give files away; elsewhere there is nothing to see.
    if paths.iter().any(|path| given_away(path).is_err()) {
        return;
    }
    let error = checkout(folder.path()).err().unwrap();
    assert!(matches!(error, GitError::ForeignOwner(_)), "{error}");
    assert!(error.hint().unwrap().contains("safe.directory"), "{error}");
}
