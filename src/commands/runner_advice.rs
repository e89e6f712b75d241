//! What the surroundings of a run have to do with its failure: the container that the runner made
//! for the action sees neither the machine's logins nor its `localhost`.

use std::net::Ipv4Addr;

use super::context_inputs::docker_config;
use super::invocation::Invocation;
use super::secretless_run::SecretlessRun;
use crate::actions::RunnerMounts;
use crate::image::RegistryName;
use crate::registry::AccessProblem;
use crate::release::Failure;
use crate::report::VerbResult;

/// The facts that decide what to advise in an action's container.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RunnerFacts {
    /// Whether the runner's temporary files are mounted.
    has_temp: bool,
    config: DockerConfigLocation,
    /// Where the container's way out leads: to the machine, on docker's networks.
    gateway: Option<Ipv4Addr>,
}

/// Docker's `config.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum DockerConfigLocation {
    /// It is there.
    Found(String),
    /// `DOCKER_CONFIG` names this folder, and it has none.
    MissingFrom(String),
    /// There is none, and nothing says where there could be one.
    Absent,
}

/// Adds hints about the runner to the failure of any verb, and to each failure of a batch.
pub(super) fn advise(
    result: Result<VerbResult, Failure>,
    invocation: &Invocation,
) -> Result<VerbResult, Failure> {
    let mut result = result.map_err(|failure| add_advice(failure, invocation))?;
    match &mut result {
        VerbResult::Batch(batch) => {
            for failure in batch.failures_mut() {
                *failure = add_advice(failure.clone(), invocation);
            }
        }
        VerbResult::Checked(report) => {
            for failure in report.outcome.failures_mut() {
                *failure = add_advice(failure.clone(), invocation);
            }
        }
        VerbResult::VerifiedEnvironment(verified) => {
            for failure in verified.failures_mut() {
                *failure = add_advice(failure.clone(), invocation);
            }
        }
        VerbResult::RolledBackServices(batch) => {
            batch.map_failures(|failure| add_advice(failure, invocation));
        }
        VerbResult::History(shown) => {
            shown.map_failures(|failure| add_advice(failure, invocation));
        }
        VerbResult::MarkedServices(batch) => {
            batch.map_failures(|failure| add_advice(failure, invocation));
        }
        _ => {}
    }
    Ok(result)
}

/// Returns the failure with hints from facts about the runner, unchanged outside of an action's container.
fn add_advice(failure: Failure, invocation: &Invocation) -> Failure {
    let environment = &invocation.environment;
    if let Some(kind) = SecretlessRun::of(environment) {
        let advice = |problem: &AccessProblem| kind.advice(problem);
        if failure
            .diagnostic()
            .and_then(|it| advice(it.access_problem.as_deref()?))
            .is_some()
        {
            return failure.with_advice(advice);
        }
    }
    let Some(mounts) = RunnerMounts::from_environment(&invocation.environment) else {
        return failure;
    };
    failure.with_advice(|problem| advice_for(problem, &RunnerFacts::collect(invocation, &mounts)))
}

impl RunnerFacts {
    fn collect(invocation: &Invocation, mounts: &RunnerMounts) -> Self {
        let environment = &invocation.environment;
        let config = docker_config(environment).filter(|path| path.is_file());
        let docker_config = environment.get("DOCKER_CONFIG");
        Self {
            has_temp: mounts.has_temp(),
            config: match (config, docker_config) {
                (Some(path), _) => DockerConfigLocation::Found(path.display().to_string()),
                (None, Some(folder)) => DockerConfigLocation::MissingFrom(folder.to_owned()),
                (None, None) => DockerConfigLocation::Absent,
            },
            gateway: std::fs::read_to_string("/proc/net/route")
                .ok()
                .and_then(|routes| default_gateway(&routes)),
        }
    }
}

fn advice_for(problem: &AccessProblem, facts: &RunnerFacts) -> Option<String> {
    match problem {
        AccessProblem::NoLogin(registry) => Some(no_login_advice(registry, facts)),
        AccessProblem::CredentialHelper { registry, helper } => {
            Some(helper_advice(registry, helper))
        }
        AccessProblem::Unreachable(registry) if registry.is_loopback() => {
            Some(unreachable_advice(registry, facts.gateway))
        }
        AccessProblem::UnknownHost(registry) if is_docker_name(registry) => {
            Some(unknown_host_advice(registry, facts.gateway))
        }
        AccessProblem::EmptyLogin(_)
        | AccessProblem::Denied(_)
        | AccessProblem::Unreachable(_)
        | AccessProblem::UnknownHost(_) => None,
    }
}

fn no_login_advice(registry: &RegistryName, facts: &RunnerFacts) -> String {
    let input = credentials_advice(registry);
    let folder = if facts.has_temp {
        "RUNNER_TEMP/docker"
    } else {
        "GITHUB_WORKSPACE/.docker"
    };
    let set = format!("echo \"DOCKER_CONFIG=${folder}\" >> \"$GITHUB_ENV\"");
    match &facts.config {
        DockerConfigLocation::Found(path) => format!(
            "{path} has no login for {registry}: log in to it in an earlier step, or give {input}"
        ),
        DockerConfigLocation::MissingFrom(there) if !there.starts_with("/github/") => format!(
            "DOCKER_CONFIG is {there}, which the runner does not mount into this container: before the login, {set}; or give {input}"
        ),
        DockerConfigLocation::MissingFrom(there) => format!(
            "DOCKER_CONFIG is {there}, where no step has logged in: it must be set before docker/login-action runs; or give {input}"
        ),
        DockerConfigLocation::Absent if facts.has_temp => format!(
            "what docker/login-action writes to the machine's home is not seen in this container: in a step before it, {set}; or give {input}"
        ),
        DockerConfigLocation::Absent => format!(
            "what docker/login-action writes to the machine's home is not seen in this container. This runner is older than 2.331: after the login, mkdir -p \"$RUNNER_TEMP/_github_home/.docker\" && cp ~/.docker/config.json \"$RUNNER_TEMP/_github_home/.docker/\"; or before it, {set} (and keep that folder out of artifacts); or give {input}"
        ),
    }
}

fn credentials_advice(registry: &RegistryName) -> String {
    if registry.as_str() == "ghcr.io" {
        "the input credentials: ghcr.io=${{ github.actor }}:${{ github.token }} (the job needs packages: write)".to_owned()
    } else {
        format!("the input credentials: {registry}=USER:PASSWORD")
    }
}

/// What the usual helpers do can be done in a step before.
fn helper_advice(registry: &RegistryName, helper: &str) -> String {
    let way = match helper {
        "ecr-login" => " (AWS and what `aws ecr get-login-password` prints)",
        "gcloud" | "gcr" => " (oauth2accesstoken and what `gcloud auth print-access-token` prints)",
        "acr-env" | "acr" => {
            " (00000000-0000-0000-0000-000000000000 and what `az acr login --expose-token` prints)"
        }
        _ => "",
    };
    format!(
        "the image of this action does not contain credential helpers: get the login in an earlier step{way}, and give it as the input credentials: {registry}=USER:PASSWORD"
    )
}

/// The first network that docker makes; a job with services has one of its own.
const DEFAULT_BRIDGE_GATEWAY: Ipv4Addr = Ipv4Addr::new(172, 17, 0, 1);

fn unreachable_advice(registry: &RegistryName, gateway: Option<Ipv4Addr>) -> String {
    let port = registry.as_str().rsplit_once(':').map(|(_, port)| port);
    let port = port.unwrap_or("443");
    let service = "a service of the job is reached by its label and the port in its own container, as in LABEL:5000";
    let machine = |at| format!("what listens on every address of the machine is at {at}:{port}");
    let places = match gateway {
        Some(at) if at == DEFAULT_BRIDGE_GATEWAY => machine(at),
        Some(at) => format!("{service}; {}", machine(at)),
        None => service.to_owned(),
    };
    format!(
        "{registry} is this container itself: {places}. Name it in insecure-registries where it speaks plain HTTP"
    )
}

/// A service's label, or the name by which Docker Desktop has the machine.
fn is_docker_name(registry: &RegistryName) -> bool {
    let host = registry.as_str().split(':').next().unwrap_or_default();
    host == "host.docker.internal" || !host.contains('.')
}

fn unknown_host_advice(registry: &RegistryName, gateway: Option<Ipv4Addr>) -> String {
    let machine = gateway.map(|at| format!("; the machine itself is at {at}"));
    format!(
        "{registry} is not a name on the network of this container: a label of services: is one where the job has it and its container runs{}",
        machine.unwrap_or_default()
    )
}

/// The gateway of the default route, as the kernel lists it.
fn default_gateway(routes: &str) -> Option<Ipv4Addr> {
    let fields = routes
        .lines()
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let default = fields
        .into_iter()
        .find(|fields| fields.get(1) == Some(&"00000000"))?;
    let address = u32::from_str_radix(default.get(2)?, 16).ok()?;
    (address != 0).then(|| Ipv4Addr::from(address.swap_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(has_temp: bool, config: DockerConfigLocation) -> RunnerFacts {
        RunnerFacts {
            has_temp,
            config,
            gateway: None,
        }
    }

    fn registry(name: &str) -> RegistryName {
        name.parse().unwrap()
    }

    #[test]
    fn the_way_to_a_login_that_applies_here_is_named() {
        let missing_from = |folder: &str| DockerConfigLocation::MissingFrom(folder.to_owned());
        let found =
            DockerConfigLocation::Found("/github/runner_temp/docker/config.json".to_owned());
        let temp = "echo \"DOCKER_CONFIG=$RUNNER_TEMP/docker\" >> \"$GITHUB_ENV\"";
        let workspace = "echo \"DOCKER_CONFIG=$GITHUB_WORKSPACE/.docker\" >> \"$GITHUB_ENV\"";
        let copy = "cp ~/.docker/config.json \"$RUNNER_TEMP/_github_home/.docker/\"";
        for (facts, has, has_not) in [
            (
                facts(true, DockerConfigLocation::Absent),
                vec!["the machine's home", temp],
                vec!["2.331"],
            ),
            (
                facts(false, DockerConfigLocation::Absent),
                vec!["2.331", copy, workspace, "artifacts"],
                vec![temp],
            ),
            (
                facts(true, missing_from("/home/runner/x")),
                vec!["DOCKER_CONFIG is /home/runner/x, which", temp],
                vec!["home is"],
            ),
            (
                facts(false, missing_from("/home/runner/work/_temp/docker")),
                vec!["does not mount", workspace],
                vec![temp],
            ),
            (
                facts(true, missing_from("/github/runner_temp/docker")),
                vec!["no step has logged in"],
                vec!["echo"],
            ),
            (
                facts(true, found),
                vec!["docker/config.json has no login for r.example"],
                vec!["echo"],
            ),
        ] {
            let hint = advice_for(&AccessProblem::NoLogin(registry("r.example")), &facts).unwrap();
            for part in has {
                assert!(hint.contains(part), "{part}: {hint}");
            }
            for part in has_not {
                assert!(!hint.contains(part), "{part}: {hint}");
            }
            assert!(
                hint.contains("credentials: r.example=USER:PASSWORD"),
                "{hint}"
            );
        }
        let ghcr = no_login_advice(
            &registry("ghcr.io"),
            &facts(true, DockerConfigLocation::Absent),
        );
        assert!(ghcr.contains("ghcr.io=${{ github.actor }}:${{ github.token }}"));
    }

    #[test]
    fn what_a_helper_would_do_is_named() {
        for (helper, part) in [
            ("ecr-login", "aws ecr get-login-password"),
            ("gcloud", "oauth2accesstoken"),
            ("desktop", "r.example=USER:PASSWORD"),
        ] {
            let hint = helper_advice(&registry("r.example"), helper);
            assert!(hint.contains(part), "{hint}");
        }
    }

    #[test]
    fn localhost_is_the_container() {
        for (name, gateway, has) in [
            (
                "localhost:5000",
                Some(DEFAULT_BRIDGE_GATEWAY),
                Some("at 172.17.0.1:5000."),
            ),
            (
                "127.0.0.1:5000",
                Some(Ipv4Addr::new(172, 18, 0, 1)),
                Some("LABEL:5000; "),
            ),
            ("localhost", None, Some("LABEL:5000. Name it")),
            ("r.example", Some(DEFAULT_BRIDGE_GATEWAY), None),
        ] {
            let facts = RunnerFacts {
                gateway,
                ..facts(true, DockerConfigLocation::Absent)
            };
            let hint = advice_for(&AccessProblem::Unreachable(registry(name)), &facts);
            assert_eq!(hint.is_some(), has.is_some(), "{name}");
            let hint = hint.unwrap_or_default();
            assert!(hint.contains(has.unwrap_or_default()), "{hint}");
        }
    }

    #[test]
    fn names_that_only_docker_knows_are_explained() {
        for (name, explained) in [
            ("registry:5000", true),
            ("host.docker.internal:5000", true),
            ("nosuch.example", false),
        ] {
            let facts = RunnerFacts {
                gateway: Some(DEFAULT_BRIDGE_GATEWAY),
                ..facts(true, DockerConfigLocation::Absent)
            };
            let hint = advice_for(&AccessProblem::UnknownHost(registry(name)), &facts);
            assert_eq!(hint.is_some(), explained, "{name}");
            assert!(hint.is_none_or(|hint| hint.ends_with("is at 172.17.0.1")));
        }
    }

    #[test]
    fn the_gateway_is_read_from_the_routes() {
        let head = "Iface\tDestination\tGateway \tFlags\n";
        for (line, expected) in [
            (
                "eth0\t00000000\t010011AC\t0003\n",
                Some(DEFAULT_BRIDGE_GATEWAY),
            ),
            ("eth0\t000011AC\t00000000\t0001\n", None),
            ("eth0\t00000000\t00000000\t0001\n", None),
            ("", None),
        ] {
            assert_eq!(
                default_gateway(&format!("{head}{line}")),
                expected,
                "{line}"
            );
        }
    }
}
