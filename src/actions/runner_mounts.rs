use super::ProcessEnvironment;

/// The runner's folders as the host names them and as an action's container does. The runner puts
/// the container's name in the host's place only where a variable's whole value begins with it: not
/// in a later line of a list, not after `oci:`, and not in arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunnerMounts {
    /// The host's name and the container's, the longest first.
    pairs: Vec<(String, &'static str)>,
    /// Whether the runner's folder for temporary files is there.
    has_temp: bool,
}

/// Where the runner mounts the checkout of the job.
const WORKSPACE_MOUNT: &str = "/github/workspace";
/// Where it mounts its folder for temporary files, from version 2.331 on.
const TEMP_MOUNT: &str = "/github/runner_temp";
/// Where GitHub's own machines have the work of a job, and where a job's container has it.
const USUAL_ROOTS: [&str; 2] = ["/home/runner/work", "/__w"];
/// Folders of the container itself in which there is something to read.
const CONTAINER_FOLDERS: [&str; 4] = ["/github", "/etc", "/proc", "/dev"];

impl RunnerMounts {
    /// The folders; none where this is no container that the runner made for an action.
    pub fn from_environment(environment: &ProcessEnvironment) -> Option<Self> {
        if !environment.is_in_runner()
            || environment.get("GITHUB_WORKSPACE") != Some(WORKSPACE_MOUNT)
        {
            return None;
        }
        let has_temp = environment.get("RUNNER_TEMP") == Some(TEMP_MOUNT);
        let mut pairs: Vec<_> = checkout_paths(environment)
            .into_iter()
            .map(|checkout| (checkout, WORKSPACE_MOUNT))
            .chain(runner_folders(environment, has_temp))
            .collect();
        pairs.sort_by_key(|(host, _)| std::cmp::Reverse(host.len()));
        pairs.dedup();
        Some(Self { pairs, has_temp })
    }

    /// What the container calls a path of the host, with whatever follows it; none where it is not
    /// among what is mounted.
    pub fn to_container_path(&self, path: &str) -> Option<String> {
        self.pairs
            .iter()
            .find_map(|(host, here)| Some(format!("{here}{}", path_below(path, host)?)))
    }

    /// Why a path is no place of the container that others share: nothing outside of what is mounted
    /// comes in or stays.
    pub fn reason_not_shared(&self, path: &str) -> Option<String> {
        if !path.starts_with('/')
            || CONTAINER_FOLDERS
                .iter()
                .any(|own| path_below(path, own).is_some())
        {
            return None;
        }
        let temp = if self.has_temp {
            " or below RUNNER_TEMP"
        } else {
            " (RUNNER_TEMP is mounted from runner 2.331 on)"
        };
        Some(format!(
            "keep it in the workspace, as a path relative to it{temp}"
        ))
    }

    /// Whether the runner's folder for temporary files is there.
    pub fn has_temp(&self) -> bool {
        self.has_temp
    }
}

/// What the host may call the checkout. `RUNNER_WORKSPACE` is the folder above it, and is handed
/// over as the host has it.
fn checkout_paths(environment: &ProcessEnvironment) -> Vec<String> {
    let repository = environment.get("GITHUB_REPOSITORY").unwrap_or_default();
    let name = repository.rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        return Vec::new();
    }
    let usual = USUAL_ROOTS.map(|root| format!("{root}/{name}"));
    let runner_workspace = environment.get("RUNNER_WORKSPACE").map(str::to_owned);
    runner_workspace
        .into_iter()
        .chain(usual)
        .map(|above| format!("{}/{name}", above.trim_end_matches('/')))
        .collect()
}

/// What the host calls the runner's own folders.
fn runner_folders(environment: &ProcessEnvironment, has_temp: bool) -> Vec<(String, &'static str)> {
    let runner_workspace = environment.get("RUNNER_WORKSPACE");
    let runner_workspace =
        runner_workspace.and_then(|above| Some(above.trim_end_matches('/').rsplit_once('/')?.0));
    let mut pairs = Vec::new();
    for root in runner_workspace.into_iter().chain(USUAL_ROOTS) {
        let temp = format!("{root}/_temp");
        pairs.extend([
            (format!("{temp}/_github_home"), "/github/home"),
            (format!("{temp}/_github_workflow"), "/github/workflow"),
            (
                format!("{temp}/_runner_file_commands"),
                "/github/file_commands",
            ),
        ]);
        if has_temp {
            pairs.push((temp, TEMP_MOUNT));
        }
    }
    pairs
}

/// What follows `folder` in a path that is the folder or below it; a name or digest may follow.
fn path_below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder)?;
    (rest.is_empty() || rest.starts_with(['/', ':', '@'])).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounts(more: &[(&str, &str)]) -> Option<RunnerMounts> {
        let usual = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_WORKSPACE", WORKSPACE_MOUNT),
            ("GITHUB_REPOSITORY", "acme/web"),
            ("RUNNER_TEMP", TEMP_MOUNT),
        ];
        RunnerMounts::from_environment(&usual.into_iter().chain(more.iter().copied()).collect())
    }

    #[test]
    fn paths_of_the_host_are_found_in_the_container() {
        let mounts = mounts(&[("RUNNER_WORKSPACE", "/srv/runner/_work/web")]).unwrap();
        for (host, here) in [
            ("/home/runner/work/web/web", Some("/github/workspace")),
            (
                "/home/runner/work/web/web/out:v1",
                Some("/github/workspace/out:v1"),
            ),
            (
                "/srv/runner/_work/web/web/a b",
                Some("/github/workspace/a b"),
            ),
            ("/__w/web/web@sha256:0", Some("/github/workspace@sha256:0")),
            (
                "/__w/_temp/image.tar",
                Some("/github/runner_temp/image.tar"),
            ),
            ("/srv/runner/_work/_temp/x", Some("/github/runner_temp/x")),
            (
                "/home/runner/work/_temp/_github_home/.docker",
                Some("/github/home/.docker"),
            ),
            (
                "/home/runner/work/_temp/_github_workflow/event.json",
                Some("/github/workflow/event.json"),
            ),
            ("/home/runner/work/web/website", None),
            ("/home/runner/work/web", None),
            ("/home/runner/work/api/api", None),
            ("/home/runner/.docker", None),
            ("/tmp/x.tar", None),
            ("/github/workspace/x", None),
            ("home/runner/work/web/web", None),
        ] {
            assert_eq!(mounts.to_container_path(host).as_deref(), here, "{host}");
        }
    }

    #[test]
    fn an_older_runner_does_not_mount_its_temporary_files() {
        let mounts = mounts(&[("RUNNER_TEMP", "/home/runner/work/_temp")]).unwrap();
        assert_eq!(
            mounts.to_container_path("/home/runner/work/_temp/image.tar"),
            None
        );
        let home = mounts.to_container_path("/home/runner/work/_temp/_github_home/x");
        assert_eq!(home.as_deref(), Some("/github/home/x"));
        let hint = mounts.reason_not_shared("/home/runner/work/_temp/image.tar");
        assert!(hint.unwrap().contains("2.331"));
    }

    #[test]
    fn what_is_not_mounted_is_known() {
        let mounts = mounts(&[]).unwrap();
        for (path, unshared) in [
            ("/tmp/x.tar", true),
            ("/home/runner/x", true),
            ("/githubx", true),
            ("/github/workspace/x", false),
            ("/etc/ssl/certs/ca-certificates.crt", false),
            ("x.tar", false),
        ] {
            assert_eq!(mounts.reason_not_shared(path).is_some(), unshared, "{path}");
        }
    }

    #[test]
    fn only_the_container_of_an_action_has_other_names() {
        assert_eq!(
            RunnerMounts::from_environment(&ProcessEnvironment::default()),
            None
        );
        let folder = [("GITHUB_WORKSPACE", "/home/runner/work/web/web")];
        assert_eq!(mounts(&folder), None, "a step with `run`, or act");
        let nameless = mounts(&[("GITHUB_REPOSITORY", "")]).unwrap();
        assert_eq!(nameless.to_container_path("/home/runner/work//x"), None);
    }
}
