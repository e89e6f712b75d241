use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// The process's environment as it was at the start. Unset and empty are the same.
#[derive(Clone, Default)]
pub struct ProcessEnvironment(BTreeMap<String, String>);

impl ProcessEnvironment {
    /// A snapshot of the process's environment, the only place that reads it.
    #[expect(clippy::disallowed_methods, reason = "everybody else is handed this")]
    pub fn capture() -> Self {
        std::env::vars_os()
            .map(|(name, value)| {
                (
                    name.to_string_lossy().into_owned(),
                    value.to_string_lossy().into_owned(),
                )
            })
            .collect()
    }

    /// The value of a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The first of several spellings that is set, as with `HTTPS_PROXY` and `https_proxy`.
    pub fn get_first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The path that a variable holds.
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.get(name).map(Path::new)
    }

    /// Whether this is a step of a workflow: the runner says so, or where a step's outputs go.
    pub fn is_in_runner(&self) -> bool {
        self.get("GITHUB_ACTIONS") == Some("true") || self.get("GITHUB_OUTPUT").is_some()
    }

    /// Returns the address of the run's page, which a re-run has too; `None` outside of a runner.
    pub fn run_uri(&self) -> Option<String> {
        let server = self.get("GITHUB_SERVER_URL")?;
        let repository = self.get("GITHUB_REPOSITORY")?;
        let id = self.get("GITHUB_RUN_ID")?;
        Some(format!("{server}/{repository}/actions/runs/{id}"))
    }

    /// The variables for programs of others: all but the inputs and states of actions, the inputs of a
    /// command line, the tokens that the runner gives an action, and cosign's key and password.
    pub fn inheritable_variables(&self) -> Vec<(String, String)> {
        const OURS: [&str; 5] = ["INPUT_", "SHIPMARK_", "STATE_", "ACTIONS_", "COSIGN_"];
        let others = |name: &str| !OURS.iter().any(|prefix| name.starts_with(prefix));
        let variables = self.0.iter().filter(|(name, _)| others(name));
        variables
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The variables whose names begin with `prefix` and that are not empty, without the prefix.
    pub fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(move |(name, value)| {
            let rest = name.strip_prefix(prefix)?;
            (!value.is_empty()).then_some((rest, value.as_str()))
        })
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for ProcessEnvironment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl fmt::Debug for ProcessEnvironment {
    /// Names alone: values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_unset() {
        let environment = ProcessEnvironment::from_iter([
            ("A", ""),
            ("a", "x"),
            ("INPUT_B-C", "y"),
            ("SHIPMARK_KEY", "z"),
        ]);
        assert_eq!(environment.get("A"), None);
        assert_eq!(environment.get_first(&["A", "a"]), Some("x"));
        assert_eq!(
            environment.with_prefix("INPUT_").collect::<Vec<_>>(),
            [("B-C", "y")]
        );
        let others = [
            ("A".to_owned(), String::new()),
            ("a".to_owned(), "x".to_owned()),
        ];
        assert_eq!(environment.inheritable_variables(), others);
        assert!(!environment.is_in_runner());
    }

    #[test]
    fn values_are_not_shown() {
        let environment = ProcessEnvironment::from_iter([("TOKEN", "made-up-value")]);
        assert_eq!(format!("{environment:?}"), r#"{"TOKEN"}"#);
    }
}
