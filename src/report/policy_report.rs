//! Report of `policy`: every environment with its repositories and rules, defaults filled in.

use serde_json::{Value, json};

use super::policy_places::{TEXT_LIMIT, place_lines, places_json};
use super::{policy_diagram, policy_gates, policy_records, policy_retention};
use crate::notices::to_printable;
use crate::policy::{EnvironmentRules, ReleasePolicy};
use crate::tagging::{EnvironmentName, TagPattern};

/// The policy of a run.
pub struct PolicyReport {
    /// Policy, joined with that of the input `policy`.
    pub policy: ReleasePolicy,
    /// Its file, or files, as messages name them.
    pub file: String,
    /// Environment to show; all without it.
    pub environment: Option<EnvironmentName>,
}

impl PolicyReport {
    /// Returns the environments to show.
    pub(super) fn environments(&self) -> impl Iterator<Item = &EnvironmentRules> {
        let is_shown =
            |name: &EnvironmentName| self.environment.as_ref().is_none_or(|shown| shown == name);
        let environments = self.policy.environments().iter();
        environments.filter(move |environment| is_shown(environment.name()))
    }

    fn service_line(&self) -> Vec<String> {
        match self.services().as_slice() {
            [] => Vec::new(),
            services => vec![services.join(", ")],
        }
    }

    /// Returns how the services are built, by their names, as far as the file says it.
    fn builds_json(&self) -> Value {
        let services = self.policy.services().iter();
        let builds = services.filter_map(|service| {
            let build = self.policy.build(service)?;
            let build = json!({"dockerfile": build.dockerfile, "target": build.target});
            Some((service.to_string(), build))
        });
        Value::Object(builds.collect())
    }

    fn services(&self) -> Vec<&str> {
        let services = self.policy.services().iter();
        services.map(|service| service.as_str()).collect()
    }

    /// Returns the names in the policy, which are not secret.
    pub(super) fn names(&self) -> Vec<String> {
        let environments = self.policy.environments().iter();
        let names = environments.flat_map(|environment| {
            let own = [environment.repository()];
            let records = policy_records::names(environment);
            own.into_iter().chain(records).collect::<Vec<_>>()
        });
        names.chain([self.file.clone()]).collect()
    }

    /// Returns the report as plain text.
    pub(super) fn to_text(&self) -> String {
        let mut text = format!("policy {}\n", self.file);
        text += &rows("services", &self.service_line());
        text += &rows("promotions", &policy_diagram::promotion_paths(&self.policy));
        for environment in self.environments() {
            text += &format!("\n{}\n", environment.name());
            text += &rows("repository", &place_lines(environment.destinations()));
            text += &rows("from", &[from_phrase(environment)]);
            text += &rows(
                "production",
                &[flag_phrase(
                    environment,
                    "production",
                    environment.is_production(),
                )],
            );
            text += &rows("refs", &[refs_phrase(environment)]);
            text += &rows("tags", &tag_lines(environment));
            text += &rows("immutable", &[immutable_phrase(environment)]);
            text += &rows("lines", &[lines_phrase(environment)]);
            text += &rows("unbound", &[unbound_phrase(environment)]);
            text += &rows("exclude-versions", &[self.excluded_phrase(environment)]);
            text += &rows("gates", &policy_gates::gate_lines(environment));
            text += &rows("sign", &[policy_records::sign_phrase(environment)]);
            text += &rows("signers", &policy_records::signer_lines(environment));
            text += &rows(
                "vsa",
                &[flag_phrase(environment, "vsa", environment.adds_vsa())],
            );
            text += &rows("records", &policy_records::records_lines(environment));
            let adopt_until = policy_records::adopt_until_phrase(environment);
            text += &rows("adopt-until", &[adopt_until]);
            if environment.states("github-environment") {
                let name = to_printable(environment.github_environment(), TEXT_LIMIT);
                text += &rows("github-environment", &[name]);
            }
            let retention = policy_retention::retention_lines(environment);
            text += &rows("retention", &retention);
        }
        if self.policy.environments().is_empty() {
            text += "\nno environment: the policy has no effect\n";
        }
        text.trim_end().to_owned()
    }

    /// Returns the outputs of the step.
    pub(super) fn to_outputs(&self) -> Vec<(&'static str, String)> {
        let environments: Vec<Value> = self
            .environments()
            .map(|it| self.environment_json(it))
            .collect();
        let json = json!({
            "verb": "policy",
            "file": self.file,
            "services": self.services(),
            "builds": self.builds_json(),
            "environments": environments,
            "diagram": policy_diagram::flowchart(&self.policy),
        });
        vec![("json", json.to_string())]
    }

    fn environment_json(&self, environment: &EnvironmentRules) -> Value {
        json!({
            "name": environment.name().as_str(),
            "from": source_names(environment),
            "repositories": places_json(environment.destinations()),
            "production": environment.is_production(),
            "refs": environment.refs().map(|refs| {
                refs.patterns().iter().map(|pattern| pattern.as_str()).collect::<Vec<_>>()
            }),
            "immutable": immutable_patterns(environment),
            "lines": environment.gives_lines(),
            "gates": policy_gates::gates_json(environment.gates(None)),
            "serviceGates": policy_gates::service_gates_json(environment),
            "vsa": environment.adds_vsa(),
            "tags": environment.has_rules().then(|| environment.rule_lines()),
            "unbound": unbound_word(environment),
            "excludeVersions": self.policy.excluded_versions(environment).patterns(),
            "sign": environment.signing().as_str(),
            "signers": policy_records::signers_json(environment),
            "records": places_json(policy_records::records_places(environment)),
            "adoptUntil": environment.adopt_until().map(ToString::to_string),
            "githubEnvironment": environment.github_environment(),
            "retention": policy_retention::retention_json(environment),
            "stated": environment.stated_keys(),
        })
    }

    /// Returns the versions that never count in an environment.
    pub(super) fn excluded_phrase(&self, environment: &EnvironmentRules) -> String {
        let excluded = self.policy.excluded_versions(environment);
        match excluded.patterns() {
            [] => "none (default)".to_owned(),
            patterns => patterns.join(", "),
        }
    }
}

/// Returns lines with a name before the first.
fn rows(name: &str, lines: &[String]) -> String {
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let name = if number == 0 { name } else { "" };
        text += &format!("  {name:<16}  {line}\n");
    }
    text
}

fn printable<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let texts = texts.into_iter();
    texts.map(|text| to_printable(text, TEXT_LIMIT)).collect()
}

fn from_phrase(environment: &EnvironmentRules) -> String {
    match source_names(environment).as_slice() {
        [] => "push, or promote without source or with a complete reference (default)".to_owned(),
        names => format!("{} (by promote)", names.join(", ")),
    }
}

/// Returns the value of a key that is off where it is not there.
fn flag_phrase(environment: &EnvironmentRules, key: &str, is_on: bool) -> String {
    match environment.states(key) {
        true => is_on.to_string(),
        false => "false (default)".to_owned(),
    }
}

/// Returns the value of the key `refs`.
pub(super) fn refs_phrase(environment: &EnvironmentRules) -> String {
    match environment.refs() {
        Some(refs) => to_printable(&refs.to_string(), TEXT_LIMIT),
        None => "every ref (default)".to_owned(),
    }
}

fn immutable_patterns(environment: &EnvironmentRules) -> Vec<&str> {
    let patterns = environment.immutable_tags().patterns().iter();
    patterns.map(TagPattern::as_str).collect()
}

fn immutable_phrase(environment: &EnvironmentRules) -> String {
    match immutable_patterns(environment).as_slice() {
        [] => "as the rules say (default)".to_owned(),
        patterns => patterns.join(", "),
    }
}

fn lines_phrase(environment: &EnvironmentRules) -> String {
    match (environment.gives_lines(), environment.states("lines")) {
        (true, false) => "on (default)".to_owned(),
        (true, true) => "on".to_owned(),
        (false, _) => "off".to_owned(),
    }
}

/// Returns the names of the environments that images come from.
fn source_names(environment: &EnvironmentRules) -> Vec<&str> {
    let from = environment.from().iter();
    from.map(EnvironmentName::as_str).collect()
}

fn tag_lines(environment: &EnvironmentRules) -> Vec<String> {
    match environment.rule_lines() {
        rules if rules.is_empty() => vec![default_tags(environment).to_owned()],
        rules => printable(rules),
    }
}

/// Returns the tags of an environment without rules.
pub(super) fn default_tags(environment: &EnvironmentRules) -> &'static str {
    match environment.from() {
        [_, ..] => "version, version lines, SHA tag and environment (default)",
        [] => {
            "push: version, version lines, SHA tag and branch; promote: version, version lines, SHA tag and environment (default)"
        }
    }
}

/// Returns the value of the key `unbound`.
pub(super) fn unbound_phrase(environment: &EnvironmentRules) -> String {
    let word = unbound_word(environment);
    match environment.states("unbound") {
        true => word.to_owned(),
        false => format!("{word} (default)"),
    }
}

fn unbound_word(environment: &EnvironmentRules) -> &'static str {
    match environment.allows_unbound() {
        true => "allow",
        false => "refuse",
    }
}
