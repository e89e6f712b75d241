//! What the surroundings of a run have to do with its failure: the container that the runner made
//! for the action sees neither the machine's logins nor its `localhost`.

use std::net::Ipv4Addr;

use super::Given;
use super::context::docker_config;
use crate::actions::Mounts;
use crate::image::RegistryName;
use crate::registry::Trouble;
use crate::release::Failure;

/// The facts that decide what to advise in an action's container.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    /// Whether the runner's temporary files are mounted.
    has_temp: bool,
    config: Config,
    /// Where the container's way out leads: to the machine, on docker's networks.
    gateway: Option<Ipv4Addr>,
}

/// Docker's `config.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Config {
    /// It is there.
    Found(String),
    /// `DOCKER_CONFIG` names this folder, and it has none.
    NotIn(String),
    /// There is none, and nothing says where there could be one.
    Absent,
}

/// The failure with what is known here about its reason. Outside of an action's container it speaks
/// for itself.
pub(super) fn advise(failure: Failure, given: &Given) -> Failure {
    let Some(mounts) = Mounts::of(&given.environment) else {
        return failure;
    };
    failure.advised(|trouble| advice(trouble, &Facts::find(given, &mounts)))
}

impl Facts {
    fn find(given: &Given, mounts: &Mounts) -> Self {
        let environment = &given.environment;
        let config = docker_config(environment).filter(|path| path.is_file());
        let said = environment.get("DOCKER_CONFIG");
        Self {
            has_temp: mounts.has_temp(),
            config: match (config, said) {
                (Some(path), _) => Config::Found(path.display().to_string()),
                (None, Some(folder)) => Config::NotIn(folder.to_owned()),
                (None, None) => Config::Absent,
            },
            gateway: std::fs::read_to_string("/proc/net/route")
                .ok()
                .and_then(|routes| gateway(&routes)),
        }
    }
}

fn advice(trouble: &Trouble, facts: &Facts) -> Option<String> {
    match trouble {
        Trouble::NoLogin(registry) => Some(no_login(registry, facts)),
        Trouble::Helper { registry, helper } => Some(helped(registry, helper)),
        Trouble::Unreachable(registry) if registry.is_loopback() => {
            Some(not_here(registry, facts.gateway))
        }
        Trouble::UnknownHost(registry) if is_docker_name(registry) => {
            Some(not_known_here(registry, facts.gateway))
        }
        Trouble::Unreachable(_) | Trouble::UnknownHost(_) => None,
    }
}

fn no_login(registry: &RegistryName, facts: &Facts) -> String {
    let input = input(registry);
    let folder = if facts.has_temp {
        "RUNNER_TEMP/docker"
    } else {
        "GITHUB_WORKSPACE/.docker"
    };
    let set = format!("echo \"DOCKER_CONFIG=${folder}\" >> \"$GITHUB_ENV\"");
    match &facts.config {
        Config::Found(path) => format!(
            "{path} has no login for {registry}: log in to it in an earlier step, or give {input}"
        ),
        Config::NotIn(there) if !there.starts_with("/github/") => format!(
            "DOCKER_CONFIG is {there}, which the runner does not mount into this container: before the login, {set}; or give {input}"
        ),
        Config::NotIn(there) => format!(
            "DOCKER_CONFIG is {there}, where no step has logged in: it must be set before docker/login-action runs; or give {input}"
        ),
        Config::Absent if facts.has_temp => format!(
            "what docker/login-action writes to the machine's home is not seen in this container: in a step before it, {set}; or give {input}"
        ),
        Config::Absent => format!(
            "what docker/login-action writes to the machine's home is not seen in this container. This runner is older than 2.331: after the login, mkdir -p \"$RUNNER_TEMP/_github_home/.docker\" && cp ~/.docker/config.json \"$RUNNER_TEMP/_github_home/.docker/\"; or before it, {set} (and keep that folder out of artifacts); or give {input}"
        ),
    }
}

fn input(registry: &RegistryName) -> String {
    if registry.as_str() == "ghcr.io" {
        "the input credentials: ghcr.io=${{ github.actor }}:${{ github.token }} (the job needs packages: write)".to_owned()
    } else {
        format!("the input credentials: {registry}=USER:PASSWORD")
    }
}

/// What the usual helpers do can be done in a step before.
fn helped(registry: &RegistryName, helper: &str) -> String {
    let way = match helper {
        "ecr-login" => " (AWS and what `aws ecr get-login-password` prints)",
        "gcloud" | "gcr" => " (oauth2accesstoken and what `gcloud auth print-access-token` prints)",
        "acr-env" | "acr" => {
            " (00000000-0000-0000-0000-000000000000 and what `az acr login --expose-token` prints)"
        }
        _ => "",
    };
    format!(
        "the image of this action has no programs of others: let a step before get the login{way}, and give it as the input credentials: {registry}=USER:PASSWORD"
    )
}

/// The first network that docker makes; a job with services has one of its own.
const BRIDGE: Ipv4Addr = Ipv4Addr::new(172, 17, 0, 1);

fn not_here(registry: &RegistryName, gateway: Option<Ipv4Addr>) -> String {
    let port = registry.as_str().rsplit_once(':').map(|(_, port)| port);
    let port = port.unwrap_or("443");
    let service = "a service of the job is reached by its label and the port in its own container, as in LABEL:5000";
    let machine = |at| format!("what listens on every address of the machine is at {at}:{port}");
    let places = match gateway {
        Some(at) if at == BRIDGE => machine(at),
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

fn not_known_here(registry: &RegistryName, gateway: Option<Ipv4Addr>) -> String {
    let machine = gateway.map(|at| format!("; the machine itself is at {at}"));
    format!(
        "{registry} is no name on the network of this container: a label of services: is one where the job has it and its container runs{}",
        machine.unwrap_or_default()
    )
}

/// The gateway of the default route, as the kernel lists it.
fn gateway(routes: &str) -> Option<Ipv4Addr> {
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

    fn facts(has_temp: bool, config: Config) -> Facts {
        Facts {
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
        let said = |folder: &str| Config::NotIn(folder.to_owned());
        let found = Config::Found("/github/runner_temp/docker/config.json".to_owned());
        let temp = "echo \"DOCKER_CONFIG=$RUNNER_TEMP/docker\" >> \"$GITHUB_ENV\"";
        let workspace = "echo \"DOCKER_CONFIG=$GITHUB_WORKSPACE/.docker\" >> \"$GITHUB_ENV\"";
        let copy = "cp ~/.docker/config.json \"$RUNNER_TEMP/_github_home/.docker/\"";
        for (facts, has, has_not) in [
            (
                facts(true, Config::Absent),
                vec!["the machine's home", temp],
                vec!["2.331"],
            ),
            (
                facts(false, Config::Absent),
                vec!["2.331", copy, workspace, "artifacts"],
                vec![temp],
            ),
            (
                facts(true, said("/home/runner/x")),
                vec!["DOCKER_CONFIG is /home/runner/x, which", temp],
                vec!["home is"],
            ),
            (
                facts(false, said("/home/runner/work/_temp/docker")),
                vec!["does not mount", workspace],
                vec![temp],
            ),
            (
                facts(true, said("/github/runner_temp/docker")),
                vec!["no step has logged in"],
                vec!["echo"],
            ),
            (
                facts(true, found),
                vec!["docker/config.json has no login for r.example"],
                vec!["echo"],
            ),
        ] {
            let hint = advice(&Trouble::NoLogin(registry("r.example")), &facts).unwrap();
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
        let ghcr = no_login(&registry("ghcr.io"), &facts(true, Config::Absent));
        assert!(ghcr.contains("ghcr.io=${{ github.actor }}:${{ github.token }}"));
    }

    #[test]
    fn what_a_helper_would_do_is_named() {
        for (helper, part) in [
            ("ecr-login", "aws ecr get-login-password"),
            ("gcloud", "oauth2accesstoken"),
            ("desktop", "r.example=USER:PASSWORD"),
        ] {
            let hint = helped(&registry("r.example"), helper);
            assert!(hint.contains(part), "{hint}");
        }
    }

    #[test]
    fn localhost_is_the_container() {
        for (name, gateway, has) in [
            ("localhost:5000", Some(BRIDGE), Some("at 172.17.0.1:5000.")),
            (
                "127.0.0.1:5000",
                Some(Ipv4Addr::new(172, 18, 0, 1)),
                Some("LABEL:5000; "),
            ),
            ("localhost", None, Some("LABEL:5000. Name it")),
            ("r.example", Some(BRIDGE), None),
        ] {
            let facts = Facts {
                gateway,
                ..facts(true, Config::Absent)
            };
            let hint = advice(&Trouble::Unreachable(registry(name)), &facts);
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
            let facts = Facts {
                gateway: Some(BRIDGE),
                ..facts(true, Config::Absent)
            };
            let hint = advice(&Trouble::UnknownHost(registry(name)), &facts);
            assert_eq!(hint.is_some(), explained, "{name}");
            assert!(hint.is_none_or(|hint| hint.ends_with("is at 172.17.0.1")));
        }
    }

    #[test]
    fn the_gateway_is_read_from_the_routes() {
        let head = "Iface\tDestination\tGateway \tFlags\n";
        for (line, expected) in [
            ("eth0\t00000000\t010011AC\t0003\n", Some(BRIDGE)),
            ("eth0\t000011AC\t00000000\t0001\n", None),
            ("eth0\t00000000\t00000000\t0001\n", None),
            ("", None),
        ] {
            assert_eq!(gateway(&format!("{head}{line}")), expected, "{line}");
        }
    }
}
