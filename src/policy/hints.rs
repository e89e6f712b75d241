//! How to go on after each problem of a policy file.

use super::declared_keys::{
    A_LIST, ENVIRONMENT_KEYS, NAMED_ENVIRONMENTS_MAPPING, POLICY_KEYS, RULES_TEXT,
};
use super::declared_signer_keys::SIGNER_KEYS;
use super::error::{PolicyError, PolicyProblem};
use super::service_name::Service;
use crate::tagging::EnvironmentNameError;

impl PolicyError {
    /// Returns how to correct the file, where the problem alone does not say it.
    pub fn hint(&self) -> Option<String> {
        let hint = match &self.problem {
            PolicyProblem::UnknownKey {
                similar: Some(_), ..
            } => return None,
            PolicyProblem::UnknownKey { known, .. } => {
                return Some(format!("the keys here are {}", known.join(", ")));
            }
            PolicyProblem::KeyOfRetention(key) => {
                return Some(format!("write retention: {{{key}: …}}"));
            }
            PolicyProblem::NoEnvironment {
                similar: Some(_), ..
            } => return None,
            PolicyProblem::NoEnvironment { known, .. } => {
                return Some(format!("the file has {}", known.join(", ")));
            }
            PolicyProblem::Shape { wanted, found } => return shape_hint(wanted, found),
            PolicyProblem::Yaml(reason) => return yaml_hint(reason).map(str::to_owned),
            PolicyProblem::Service { name, .. } => return lower_case_hint(name),
            PolicyProblem::Braces(text) if text.to_lowercase().contains("service") => {
                "write {service}, in one pair of braces and lower case, after the name of the registry"
            }
            problem => {
                let hint = fixed_hint(problem)
                    .or_else(|| records_hint(problem))
                    .or_else(|| production_hint(problem));
                return hint.map(str::to_owned);
            }
        };
        Some(hint.to_owned())
    }
}

fn fixed_hint(problem: &PolicyProblem) -> Option<&'static str> {
    match problem {
        PolicyProblem::TooDeep => Some("the values of a policy are texts and lists of texts"),
        PolicyProblem::SecondDocument => Some("remove the line --- in the middle of the file"),
        PolicyProblem::Missing("repository") => {
            Some("add repository: the repository of the environment's images")
        }
        PolicyProblem::Environment {
            reason: EnvironmentNameError::Reserved(_),
            ..
        } => Some("choose another name for the environment"),
        PolicyProblem::TaggedRepository => Some(
            "write the repository alone; the key tags of the environment decides which tags a release gets",
        ),
        PolicyProblem::NoServices => Some("add services: [NAME, NAME] to the file"),
        PolicyProblem::UnusedServices => {
            Some("put {service} into the repository of each environment, or remove services")
        }
        PolicyProblem::DiffersFromSource(_) => {
            Some("put {service} into both repositories, or into neither")
        }
        PolicyProblem::Circle(_) => {
            Some("leave from out in the first environment, where images are pushed")
        }
        PolicyProblem::WeakerGate { key, .. } if key.starts_with("scan.vex") => Some(
            "the VEX documents and signers of a service are those of the environment: one that is left out could have the newest statement; write exceptions of the service into scan.ignore, which replaces that of the environment",
        ),
        PolicyProblem::WeakerGate { .. } => Some(
            "a service may only tighten the gates of an environment: write a stricter value, or change the environment's own gate",
        ),
        PolicyProblem::GateTurnedOff(_) => Some(
            "a gate is off where neither the environment nor defaults has it: remove the key, and write a gate of defaults into the environments that need it",
        ),
        PolicyProblem::NeedsSign("attach") => {
            Some("set sign: keyless or sign: key, and signers, or remove attach")
        }
        PolicyProblem::NeedsSign(_) => {
            Some("set sign: keyless or sign: key, and signers, or remove the key")
        }
        PolicyProblem::UnsignedEvidence { .. } => Some(
            "set sign and signers in that environment, or write signers of the gate's own, such as {signers: [{key: keys/cosign.pub}]}",
        ),
        PolicyProblem::NoSourceOfGate(_) => Some(
            "add from, or write signers of the gate's own where it takes them, or remove the gate",
        ),
        PolicyProblem::GatesOfNoService(_) => Some("write the gates below the environment"),
        PolicyProblem::SignersOfUnsigned => Some("remove signers, or remove signed: false"),
        PolicyProblem::ReservedTags(_) => Some(
            "remove the rule: evidence goes with its image, records stay, and unhold lifts a hold",
        ),
        PolicyProblem::OrphansOfTags => {
            Some("write orphans: true into a rule with untagged: true, or remove it")
        }
        PolicyProblem::LargeDefaults => {
            Some("write the largest keys into the environments that need them")
        }
        PolicyProblem::Refs(_) => {
            Some("write at least one pattern of refs that may release, such as main or release/**")
        }
        PolicyProblem::SameRepository { .. } => Some(
            "give each environment a repository of its own, such as one with the environment's name in its path",
        ),
        _ => None,
    }
}

/// Returns how to correct what production demands.
fn production_hint(problem: &PolicyProblem) -> Option<&'static str> {
    match problem {
        PolicyProblem::UnsignedProduction => Some("set sign: keyless or sign: key, and signers"),
        PolicyProblem::UngatedProduction => Some(
            "add gates, such as scan: {fail-on: critical} or attestations: ['https://slsa.dev/provenance/v1']",
        ),
        PolicyProblem::NoImmutableTag => Some(
            "add a rule such as type=semver,pattern={{version}} or type=sha, or immutable=true to a rule",
        ),
        PolicyProblem::UnpinnedSigner { .. } | PolicyProblem::UnpinnedSource { .. } => Some(
            "end the identity of one workflow with @refs/heads/NAME, @refs/heads/PREFIX* or @refs/tags/PREFIX*, and protect the branches and tags that match; an edited workflow on any other branch would be accepted",
        ),
        PolicyProblem::UnsignedSource { .. } => Some(
            "set sign and signers in that environment, or give the gates signers of their own and remove soak",
        ),
        _ => None,
    }
}

/// Returns how to correct the keys of signatures and records.
fn records_hint(problem: &PolicyProblem) -> Option<&'static str> {
    match problem {
        PolicyProblem::SignWithoutSigners("key") => Some(
            "name who writes the environment's records, such as signers: [{key: keys/cosign.pub}]",
        ),
        PolicyProblem::SignWithoutSigners(_) | PolicyProblem::NoOwnSigner("keyless") => Some(
            "name who writes the environment's records, such as signers: [{identity: https://github.com/OWNER/NAME/.github/workflows/FILE@refs/heads/main}]",
        ),
        PolicyProblem::NoOwnSigner(_) => {
            Some("add the public key to signers, such as {key: keys/cosign.pub}")
        }
        PolicyProblem::SignersWithoutSign => {
            Some("set sign: keyless or sign: key, or remove signers")
        }
        PolicyProblem::NoneOf(keys) if keys.contains(&"untagged") => {
            Some("write tags: or versions: and patterns, or untagged: true")
        }
        PolicyProblem::NoneOf(_) => Some(
            "write identity: and the workflow that signs, or key: and the path of a public key",
        ),
        PolicyProblem::TwoOf(_) => Some("write two entries of the list"),
        PolicyProblem::CertificateKey(_) => {
            Some("remove the key, or write identity in place of key")
        }
        PolicyProblem::PrivateKey => {
            Some("replace the key pair, and write the public key or the path of its file")
        }
        PolicyProblem::BlankInside(_) => Some("remove it"),
        PolicyProblem::NoSignerRepository(_) => Some(
            "add repository: OWNER/NAME, the repository whose workflow runs; anybody may call a reusable workflow",
        ),
        PolicyProblem::Date {
            wanted: "a date", ..
        } => Some("write the last day, such as 2027-01-31"),
        PolicyProblem::Date { .. } => Some("write 2027-01-31, or 2027-01-31T12:00:00Z for a time"),
        PolicyProblem::Empty(_) => Some("add an entry, or remove the key"),
        PolicyProblem::TaggedRecords => Some("write the repository alone"),
        PolicyProblem::SharedRecords(_) => {
            Some("put {service} into records, so that each service has a timeline of its own")
        }
        PolicyProblem::ServiceOfRecords(_) => Some(
            "give the environment a key records of its own without {service}, or put {service} into its repository",
        ),
        _ => None,
    }
}

/// Returns the name of a service in lower case, where only its capitals are wrong.
fn lower_case_hint(name: &str) -> Option<String> {
    let service: Service = name.to_ascii_lowercase().parse().ok()?;
    Some(format!("write {service}"))
}

/// Returns what is meant in the usual mistakes.
fn shape_hint(wanted: &str, found: &str) -> Option<String> {
    let hint = match (wanted, found) {
        (_, "null") => "null and ~ mean nothing in YAML: put the text in quotes",
        (RULES_TEXT, "a list") => {
            "write | after the key, and each rule on a line of its own below it"
        }
        (RULES_TEXT | "text", "nothing") => "write the value after the colon",
        ("text", "a mapping") => "put text with {service} at its beginning in quotes",
        ("text", "a list") => "write one text, without brackets and dashes",
        (A_LIST, _) => "write the entries in brackets, or each on a line of its own after a dash",
        (NAMED_ENVIRONMENTS_MAPPING, _) => {
            "write each environment as a key, such as dev:, and its own keys below it, indented further"
        }
        (wanted, _) if wanted == ENVIRONMENT_KEYS.shape => {
            "write repository: and the repository below the name of the environment, indented further"
        }
        (wanted, _) if wanted == SIGNER_KEYS.shape => {
            "write each signer after a dash, such as - identity: or - key:, and its other keys below it"
        }
        (wanted, _) if wanted == POLICY_KEYS.shape => "begin the file with environments:",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn yaml_hint(reason: &str) -> Option<&'static str> {
    let hints = [
        ("tab", "indent with spaces"),
        ("quoted scalar", "close the quote"),
        ("unknown anchor", "put text that begins with * in quotes"),
        (
            "unexpected character",
            "put text that begins with this character in quotes",
        ),
        (
            "mapping values are not allowed",
            "put text with a colon and a blank in quotes, or check the indentation",
        ),
        (
            "simple key expect",
            "the line above this one has no colon: write the key, a colon and the value, as in from: stage",
        ),
        ("expected key", "indent keys of one mapping alike"),
        ("flow", "close the bracket or brace"),
    ];
    let hint = hints.iter().find(|(part, _)| reason.contains(part));
    hint.map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use crate::policy::ReleasePolicy;

    /// What a newcomer reads, in the order of the mistakes.
    fn messages(policies: &[&str]) -> String {
        let mut messages = String::new();
        for policy in policies {
            let errors = ReleasePolicy::parse(policy.as_bytes()).unwrap_err();
            for error in errors.iter() {
                let hint = error.hint().map(|hint| format!("\n  hint: {hint}"));
                messages += &format!("{error}{}\n", hint.unwrap_or_default());
            }
        }
        messages
    }

    #[test]
    fn a_line_without_a_colon_is_named() {
        let policy =
            "environments:\n  prod:\n    repository: a/b\n    from stage\n    unbound: allow\n";
        let errors = ReleasePolicy::parse(policy.as_bytes()).unwrap_err();
        let error = errors.first();
        assert_eq!(error.at.line, 5, "{error}");
        let hint = error.hint().unwrap();
        assert!(hint.starts_with("the line above"), "{error}: {hint}");
    }

    #[test]
    fn mistakes_in_keys_and_shapes_are_explained() {
        insta::assert_snapshot!(messages(&[
            "- dev",
            "version: 1",
            "sevices: [a]",
            "environments: [dev]",
            "environments: {dev: ghcr.io/acme/web}",
            "environments:\n  dev:\n  repository: a/b\n",
            "environments: {dev: {repo: a/b}}",
            "environments: {dev: {image: a/b}}",
            "environments: {dev: {repository: a/b, from: [x]}}",
            "services: {web: , api: }",
        ]), @"
    line 1, column 1: expected a mapping with the key environments, got a list
      hint: begin the file with environments:
    line 1, column 1: the key version is not known here
      hint: the keys here are environments, services, defaults, exclude-versions, records, lines, trusted-root, transparency-log, retention
    line 1, column 1: the key sevices is not known here; did you mean services?
    line 1, column 15: expected a mapping from names to environments, got a list
      hint: write each environment as a key, such as dev:, and its own keys below it, indented further
    line 1, column 21: expected a mapping with the key repository, got text
      hint: write repository: and the repository below the name of the environment, indented further
    line 2, column 6: expected a mapping with the key repository, got nothing
      hint: write repository: and the repository below the name of the environment, indented further
    line 3, column 15: expected a mapping with the key repository, got text
      hint: write repository: and the repository below the name of the environment, indented further
    line 1, column 22: the key repo is not known here; did you mean repository?
    line 1, column 21: the key repository is missing
      hint: add repository: the repository of the environment's images
    line 1, column 22: the key image is not known here
      hint: the keys here are repository, production, from, refs, tags, immutable, lines, unbound, existing, exclude-versions, gates, sign, signers, vsa, records, adopt-until, github-environment, retention
    line 1, column 46: there is no environment x
      hint: the file has dev
    line 1, column 1: services has no effect: no repository contains {service}
      hint: put {service} into the repository of each environment, or remove services
    ");
    }

    #[test]
    fn mistakes_in_values_are_explained() {
        insta::assert_snapshot!(messages(&[
            "environments: {latest: {repository: a}}",
            "environments: {dev: {repository: 'ghcr.io/acme/${{ service }}'}}",
            "environments: {a: {repository: x}, b: {repository: x}}",
            "environments: {a: {repository: x}, prod: {repository: y, from: b}}",
            "environments: {dev: {repository: x}, prod: {repository: y, from: develop}}",
            "environments: {dev: {repository: @x}}",
            "environments: {dev: {repository: 'x}}",
            "environments: {dev: {repository: x",
            "environments:\n  dev:\n    repository: x\n   from: y\n",
            "environments:\n  dev:\n    repository: x: y\n",
        ]), @r#"
        line 1, column 16: "latest" is not a valid environment name: as a tag it means the line of all releases
          hint: choose another name for the environment
        line 1, column 34: "ghcr.io/acme/${{ service }}" may contain {service} once, in its path, and no other braces
          hint: write {service}, in one pair of braces and lower case, after the name of the registry
        line 1, column 52: docker.io/library/x belongs to the environment a already
          hint: give each environment a repository of its own, such as one with the environment's name in its path
        line 1, column 64: there is no environment b
          hint: the file has a, prod
        line 1, column 66: there is no environment develop; did you mean dev?
        line 1, column 34: invalid YAML: unexpected character: `@'
          hint: put text that begins with this character in quotes
        line 1, column 34: invalid YAML: while scanning a quoted scalar, found unexpected end of stream
          hint: close the quote
        line 2, column 1: invalid YAML: while parsing a flow mapping, did not find expected ',' or '}'
          hint: close the bracket or brace
        line 4, column 4: invalid YAML: while parsing a block mapping, did not find expected key
          hint: indent keys of one mapping alike
        line 3, column 18: invalid YAML: mapping values are not allowed in this context
          hint: put text with a colon and a blank in quotes, or check the indentation
        "#);
    }
}
