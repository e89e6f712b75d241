//! The scopes of tokens: `repository:team/app:pull,push`.

use std::collections::BTreeSet;
use std::fmt;

/// What a token may do in one repository.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    pub repository: String,
    pub actions: BTreeSet<String>,
}

impl Scope {
    pub fn new(repository: &str, actions: &[&str]) -> Self {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        Self {
            repository: repository.to_owned(),
            actions,
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (repository, actions) = text.strip_prefix("repository:")?.rsplit_once(':')?;
        let actions: Vec<&str> = actions.split(',').collect();
        Some(Self::new(repository, &actions))
    }

    /// Whether these granted scopes together allow all of this one.
    pub fn within(&self, granted: &[Self]) -> bool {
        let allows = |action| {
            let mut here = granted
                .iter()
                .filter(|scope| scope.repository == self.repository);
            here.any(|scope| scope.actions.contains(action))
        };
        self.actions.iter().all(allows)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actions: Vec<&str> = self.actions.iter().map(String::as_str).collect();
        write!(out, "repository:{}:{}", self.repository, actions.join(","))
    }
}
