//! Paths of files as annotations name them: from the root of the checkout.

use std::path::{Component, Path, PathBuf};

use super::ProcessEnvironment;

/// Folder of the job's checkout, and the folder that relative paths begin at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutPaths {
    workspace: PathBuf,
    current: PathBuf,
}

impl CheckoutPaths {
    /// Returns the folders of a job; `None` outside of a runner. `current` is the folder of the process.
    pub fn from_environment(environment: &ProcessEnvironment, current: &Path) -> Option<Self> {
        if !environment.is_in_runner() {
            return None;
        }
        let workspace = environment.path("GITHUB_WORKSPACE").unwrap_or(current);
        Some(Self {
            workspace: workspace.to_owned(),
            current: current.to_owned(),
        })
    }

    /// Returns a path from the root of the checkout, as GitHub expects it; `None` for a file that is
    /// not below it, to which GitHub cannot link.
    pub fn relative_path(&self, path: &Path) -> Option<String> {
        let absolute = normal_path(&self.current.join(path))?;
        let below = absolute.strip_prefix(normal_path(&self.workspace)?).ok()?;
        let text = below.to_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// Returns a path without `.` and `..`; `None` if it leads above its root.
fn normal_path(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => normal.pop().then_some(())?,
            other => normal.push(other),
        }
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_from_the_root_of_the_checkout() {
        let variables = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_WORKSPACE", "/github/workspace/"),
        ];
        let environment = ProcessEnvironment::from_iter(variables);
        let paths = |current: &str| {
            CheckoutPaths::from_environment(&environment, Path::new(current)).unwrap()
        };
        for (current, path, expected) in [
            ("/github/workspace", "scan.json", Some("scan.json")),
            (
                "/github/workspace",
                "./a/../b/scan.json",
                Some("b/scan.json"),
            ),
            ("/github/workspace/sub", "scan.json", Some("sub/scan.json")),
            ("/github/workspace/sub", "../scan.json", Some("scan.json")),
            ("/", "/github/workspace/key.pem", Some("key.pem")),
            ("/github/workspace", "../key.pem", None),
            ("/github/workspace", "/github/workflow/event.json", None),
            ("/github/workspace", "/../x", None),
            ("/github/workspace", ".", None),
        ] {
            let relative = paths(current).relative_path(Path::new(path));
            assert_eq!(relative.as_deref(), expected, "{path} in {current}");
        }
        let outside = ProcessEnvironment::default();
        assert_eq!(
            CheckoutPaths::from_environment(&outside, Path::new("/")),
            None
        );
    }
}
