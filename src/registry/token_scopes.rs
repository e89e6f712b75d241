//! Scopes of a token: repositories with the access to each, and the scopes that logins of a run
//! share.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::repository_access::RepositoryAccess;
use crate::image::Repository;

/// The scopes of a token, in docker's grammar (`repository:team/web:pull,push`). Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct TokenScopes(Arc<[(String, RepositoryAccess)]>);

/// The most repositories that share a token. A token names all of them, and a server in front of a
/// registry takes so and so much in a header (nginx: 8 KiB).
const REPOSITORIES_PER_LOGIN: usize = 32;

impl TokenScopes {
    /// Returns the scopes of a repository and of those that it mounts from, if they are on the same
    /// registry.
    pub(super) fn for_repository(
        repository: &Repository,
        access: RepositoryAccess,
        mount_from: &[&Repository],
    ) -> Self {
        let own = (repository.path().to_owned(), access);
        let mut others: Vec<&str> = mount_from
            .iter()
            .filter(|from| from.registry() == repository.registry() && *from != &repository)
            .map(|from| from.path())
            .collect();
        others.sort_unstable();
        others.dedup();
        let others = others
            .into_iter()
            .map(|path| (path.to_owned(), RepositoryAccess::Pull));
        Self(std::iter::once(own).chain(others).collect())
    }

    /// The scope of the first repository, without those that it mounts from.
    pub(super) fn first_only(&self) -> Self {
        Self(self.0.iter().take(1).cloned().collect())
    }

    /// Repositories that share logins, in as many as it takes.
    pub(super) fn shared_logins(
        repositories: &[(String, RepositoryAccess)],
    ) -> impl Iterator<Item = Self> {
        repositories
            .chunks(REPOSITORIES_PER_LOGIN)
            .map(|some| Self(some.into()))
    }

    /// Returns whether the scopes allow `access` to a repository.
    pub(super) fn allows(&self, path: &str, access: RepositoryAccess) -> bool {
        let mut scopes = self.0.iter();
        scopes.any(|(own, granted)| own == path && granted.covers(access))
    }

    /// Returns the paths of the repositories.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(|(path, _)| path.as_str())
    }

    /// Returns whether the scopes allow everything that `others` allow.
    pub(super) fn covers(&self, others: &Self) -> bool {
        let mut others = others.0.iter();
        others.all(|(path, access)| self.allows(path, *access))
    }

    /// Returns the scopes with read access to another repository added.
    pub(super) fn with_read_access(&self, path: &str) -> Self {
        let more = (!self.allows(path, RepositoryAccess::Pull))
            .then(|| (path.to_owned(), RepositoryAccess::Pull));
        Self(self.0.iter().cloned().chain(more).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = String> {
        self.0
            .iter()
            .map(|(path, access)| format!("repository:{path}:{}", access.scope_actions()))
    }

    pub(super) fn joined(&self) -> String {
        self.iter().collect::<Vec<_>>().join(" ")
    }
}

/// The logins that a run shares at one registry: what was announced, each repository once with each
/// access. Found by the repository, since a run may have thousands of them.
#[derive(Default)]
pub(super) struct SharedLogins(HashMap<String, Vec<TokenScopes>>);

impl SharedLogins {
    pub(super) fn announce(
        &mut self,
        announced: impl IntoIterator<Item = (String, RepositoryAccess)>,
    ) {
        let mut new: BTreeMap<String, RepositoryAccess> = BTreeMap::new();
        let mut order = Vec::new();
        for (path, access) in announced {
            if self
                .logins_for(&path)
                .any(|shared| shared.allows(&path, access))
            {
                continue;
            }
            if !new.contains_key(&path) {
                order.push(path.clone());
            }
            let most = new.entry(path).or_insert(access);
            *most = access.union(*most);
        }
        let new: Vec<(String, RepositoryAccess)> = order
            .into_iter()
            .map(|path| {
                let access = new[&path];
                (path, access)
            })
            .collect();
        for shared in TokenScopes::shared_logins(&new) {
            for path in shared.paths() {
                let of_path = self.0.entry(path.to_owned()).or_default();
                of_path.push(shared.clone());
            }
        }
    }

    /// Returns the shared login that covers these scopes, if any.
    pub(super) fn find_covering(&self, scopes: &TokenScopes) -> Option<TokenScopes> {
        let path = scopes.paths().next()?;
        self.logins_for(path)
            .find(|shared| shared.covers(scopes))
            .cloned()
    }

    fn logins_for(&self, path: &str) -> impl Iterator<Item = &TokenScopes> {
        self.0.get(path).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_7_a_sources_token_asks_for_pull_alone() {
        let web: Repository = "ghcr.io/acme/web".parse().unwrap();
        assert_eq!(
            TokenScopes::for_repository(&web, RepositoryAccess::Pull, &[]).joined(),
            "repository:acme/web:pull"
        );
    }

    #[test]
    fn a_mount_asks_to_read_where_it_mounts_from() {
        let [web, dev, other]: [Repository; 3] =
            ["ghcr.io/acme/web", "ghcr.io/acme/dev", "quay.io/acme/x"]
                .map(|name| name.parse().unwrap());
        let scopes = TokenScopes::for_repository(
            &web,
            RepositoryAccess::PullPush,
            &[&dev, &other, &web, &dev],
        );
        assert_eq!(
            scopes.joined(),
            "repository:acme/web:pull,push repository:acme/dev:pull"
        );
        assert_eq!(scopes.with_read_access("acme/dev"), scopes);
        assert_eq!(
            scopes.with_read_access("acme/base").joined(),
            "repository:acme/web:pull,push repository:acme/dev:pull repository:acme/base:pull"
        );
    }

    #[test]
    fn what_is_announced_shares_logins() {
        let one = |path: &str, access| (path.to_owned(), access);
        let repository = |path: &str| format!("ghcr.io/{path}").parse::<Repository>().unwrap();
        let mut expected = SharedLogins::default();
        expected.announce([
            one("a", RepositoryAccess::Pull),
            one("b", RepositoryAccess::PullPush),
            one("a", RepositoryAccess::Pull),
        ]);
        let web = TokenScopes::for_repository(
            &repository("b"),
            RepositoryAccess::PullPush,
            &[&repository("a")],
        );
        let shared = expected.find_covering(&web).unwrap();
        assert_eq!(shared.joined(), "repository:a:pull repository:b:pull,push");
        // Nobody gets more rights than were announced for the repository.
        let a = TokenScopes::for_repository(&repository("a"), RepositoryAccess::PullPush, &[]);
        assert_eq!(expected.find_covering(&a), None);
        expected.announce([
            one("a", RepositoryAccess::Pull),
            one("a", RepositoryAccess::PullPush),
        ]);
        assert_eq!(
            expected.find_covering(&a).unwrap().joined(),
            "repository:a:pull,push"
        );
        let many = (0..100).map(|n| one(&format!("r{n}"), RepositoryAccess::Pull));
        expected.announce(many);
        let last = TokenScopes::for_repository(&repository("r99"), RepositoryAccess::Pull, &[]);
        assert_eq!(expected.find_covering(&last).unwrap().iter().count(), 4);
    }
}
