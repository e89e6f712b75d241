//! Gates of an environment, as `policy` shows them.

use serde_json::{Map, Value, json};

use super::policy_places::TEXT_LIMIT;
use super::policy_records::{signer_json, signer_name};
use crate::gate::{
    ApprovalsRule, GITHUB_ACTIONS_APP, GateName, ImageRule, RequiredCheck, ScanException, SoakRule,
};
use crate::notices::to_printable;
use crate::policy::{EnvironmentGates, EnvironmentRules, GateSigners, ScanGate, SignerRule};

/// Value of `gates` without one.
const NO_GATES: &str = "none (default)";

/// Returns the lines of the key `gates`: one for each gate, and one for each gate of a service that differs.
pub(super) fn gate_lines(environment: &EnvironmentRules) -> Vec<String> {
    let own = environment.gates(None);
    let line = |gate: GateName, gates| {
        let text = format!("{:<12}  {}", gate.as_str(), gate_phrase(gate, gates));
        to_printable(&text, TEXT_LIMIT)
    };
    let mut lines: Vec<String> = own
        .names()
        .into_iter()
        .map(|gate| line(gate, own))
        .collect();
    for (service, gates) in environment.service_gates() {
        let changed = gates.names().into_iter();
        let changed = changed.filter(|gate| gate_phrase(*gate, gates) != gate_phrase(*gate, own));
        lines.extend(changed.map(|gate| format!("of {service}: {}", line(gate, gates))));
    }
    match lines.is_empty() {
        true => vec![NO_GATES.to_owned()],
        false => lines,
    }
}

/// Returns the parameters of a gate, as far as they are stated.
fn gate_phrase(gate: GateName, gates: &EnvironmentGates) -> String {
    match gate {
        GateName::Scan => gates.scan().map(scan_phrase).unwrap_or_default(),
        GateName::Signature => gates.signature().map(signers_phrase).unwrap_or_default(),
        GateName::Attestations => attestations_phrase(gates),
        GateName::Soak => gates.soak().map(soak_phrase).unwrap_or_default(),
        GateName::Freeze => freeze_phrase(gates),
        GateName::Image => gates.image().map(image_phrase).unwrap_or_default(),
        GateName::Checks => checks_phrase(gates.checks()),
        GateName::Approvals => gates.approvals().map(approvals_phrase).unwrap_or_default(),
    }
}

fn scan_phrase(scan: &ScanGate) -> String {
    let rule = &scan.rule;
    let flags = [
        (rule.ignore_unfixed, "ignore-unfixed"),
        (rule.denies_suppressed, "suppressed deny"),
        (rule.allows_unbound, "unbound allow"),
        (scan.attaches_reports, "attach"),
    ];
    let mut parts = vec![format!("fail-on {}", rule.fail_on)];
    parts.extend(rule.max_age.as_ref().map(|age| format!("max-age {age}")));
    let flags = flags.into_iter().filter(|(is_set, _)| *is_set);
    parts.extend(flags.map(|(_, word)| word.to_owned()));
    parts.extend(rule.ignore.iter().map(exception_phrase));
    parts.extend(scan.vex_files.iter().map(|path| format!("vex {path}")));
    let vex_signers = scan.vex_signers.iter();
    parts.extend(vex_signers.map(|it| format!("vex by {}", signer_name(&it.signer))));
    let attested = scan.attested.as_ref();
    parts.extend(attested.map(|signers| format!("attested {}", signers_phrase(signers))));
    parts.join(", ")
}

/// Returns `ignore CVE-2026-1234 (pkg:deb/*, linux/amd64, until 2027-01-31T00:00:00Z)`.
fn exception_phrase(exception: &ScanException) -> String {
    let package = exception.package.as_ref().map(ToString::to_string);
    let platform = exception.platform.as_ref().map(ToString::to_string);
    let until = exception.until.map(|until| format!("until {until}"));
    let limits: Vec<String> = [package, platform, until].into_iter().flatten().collect();
    match limits.as_slice() {
        [] => format!("ignore {}", exception.id),
        limits => format!("ignore {} ({})", exception.id, limits.join(", ")),
    }
}

fn signers_phrase(signers: &GateSigners) -> String {
    let names = signers.own().iter().map(|it| signer_name(&it.signer));
    match names.collect::<Vec<_>>().as_slice() {
        [] => "by the signers of from".to_owned(),
        names => format!("by {}", names.join(" or ")),
    }
}

fn attestations_phrase(gates: &EnvironmentGates) -> String {
    let entries = gates.attestations().iter().map(|entry| {
        let by = match entry.required.is_signed {
            true => signers_phrase(&entry.signers),
            false => "unsigned".to_owned(),
        };
        format!("{} {by}", entry.required.rule)
    });
    entries.collect::<Vec<_>>().join("; ")
}

fn soak_phrase(soak: &SoakRule) -> String {
    match soak.is_still_current {
        true => format!("{}, still-current", soak.duration),
        false => soak.duration.to_string(),
    }
}

fn freeze_phrase(gates: &EnvironmentGates) -> String {
    let windows = gates.freeze().iter();
    let windows = windows.map(|window| match window.allows_override() {
        true => format!("{window}, override"),
        false => window.to_string(),
    });
    windows.collect::<Vec<_>>().join("; ")
}

fn image_phrase(image: &ImageRule) -> String {
    let mut parts: Vec<String> = image.platforms.iter().map(ToString::to_string).collect();
    parts.extend(image.user.as_ref().map(|user| format!("user {user}")));
    let max_size = image.max_size.as_ref();
    parts.extend(max_size.map(|size| format!("max-size {size}")));
    parts.extend(image.max_age.as_ref().map(|age| format!("max-age {age}")));
    parts.extend(image.labels.iter().map(|label| format!("label {label}")));
    parts.join(", ")
}

/// Returns `test of ci.yml on main, develop; scan by sonarcloud`.
fn checks_phrase(checks: &[RequiredCheck]) -> String {
    let phrases = checks
        .iter()
        .map(|check| match branches_of(check).as_slice() {
            [] => check.to_string(),
            branches => format!("{check} on {}", branches.join(", ")),
        });
    phrases.collect::<Vec<_>>().join("; ")
}

/// Returns the branches that a check states.
fn branches_of(check: &RequiredCheck) -> Vec<String> {
    match check {
        RequiredCheck::Job(job) => {
            let patterns = job.branches.iter().flat_map(|filter| filter.patterns());
            patterns
                .map(|pattern| pattern.as_str().to_owned())
                .collect()
        }
        RequiredCheck::CheckRun { .. } | RequiredCheck::Status { .. } => Vec::new(),
    }
}

fn approvals_phrase(rule: &ApprovalsRule) -> String {
    let mut phrase = format!("{} for {}", rule.min, rule.environment);
    let excluded = excluded_roles(rule);
    if !excluded.is_empty() {
        phrase += &format!(", not by {}", excluded.join(" or "));
    }
    phrase
}

fn excluded_roles(rule: &ApprovalsRule) -> Vec<&'static str> {
    let roles = [
        (rule.excludes_author, "author"),
        (rule.excludes_actor, "actor"),
    ];
    let excluded = roles.into_iter().filter(|(is_excluded, _)| *is_excluded);
    excluded.map(|(_, role)| role).collect()
}

/// Returns the gates of an environment as JSON, by their names.
pub(super) fn gates_json(gates: &EnvironmentGates) -> Value {
    let gates = gates
        .names()
        .into_iter()
        .map(|gate| (gate.as_str().to_owned(), gate_json(gate, gates)));
    Value::Object(gates.collect())
}

/// Returns the gates of the services that differ, by the services.
pub(super) fn service_gates_json(environment: &EnvironmentRules) -> Value {
    let gates = environment.service_gates();
    let gates: Map<String, Value> = gates
        .map(|(service, gates)| (service.to_string(), gates_json(gates)))
        .collect();
    Value::Object(gates)
}

fn gate_json(gate: GateName, gates: &EnvironmentGates) -> Value {
    match gate {
        GateName::Scan => gates.scan().map_or(Value::Null, scan_json),
        GateName::Signature => {
            json!({"signers": gates.signature().and_then(own_signers_json)})
        }
        GateName::Attestations => gates
            .attestations()
            .iter()
            .map(|entry| {
                json!({
                    "rule": entry.required.rule.to_string(),
                    "signed": entry.required.is_signed,
                    "signers": own_signers_json(&entry.signers),
                })
            })
            .collect(),
        GateName::Soak => gates.soak().map_or(Value::Null, |soak| {
            json!({"for": soak.duration.to_string(), "stillCurrent": soak.is_still_current})
        }),
        GateName::Freeze => gates
            .freeze()
            .iter()
            .map(|window| {
                json!({"window": window.to_string(), "override": window.allows_override()})
            })
            .collect(),
        GateName::Image => gates.image().map_or(Value::Null, image_json),
        GateName::Checks => gates.checks().iter().map(check_json).collect(),
        GateName::Approvals => gates.approvals().map_or(Value::Null, |rule| {
            json!({"environment": rule.environment, "min": rule.min, "not": excluded_roles(rule)})
        }),
    }
}

fn check_json(check: &RequiredCheck) -> Value {
    match check {
        RequiredCheck::Job(job) => json!({
            "name": job.name,
            "app": GITHUB_ACTIONS_APP,
            "workflow": job.workflow,
            "branches": job.branches.as_ref().map(|_| branches_of(check)),
        }),
        RequiredCheck::CheckRun { name, app } => json!({"name": name, "app": app}),
        RequiredCheck::Status { context, creator } => {
            json!({"status": context, "creator": creator})
        }
    }
}

fn scan_json(scan: &ScanGate) -> Value {
    let rule = &scan.rule;
    json!({
        "failOn": rule.fail_on.to_string(),
        "ignoreUnfixed": rule.ignore_unfixed,
        "maxAge": rule.max_age.as_ref().map(ToString::to_string),
        "suppressed": if rule.denies_suppressed { "deny" } else { "show" },
        "ignore": rule.ignore.iter().map(exception_json).collect::<Value>(),
        "vex": scan.vex_files,
        "vexSigners": signers_json(&scan.vex_signers),
        "attested": scan.attested.is_some(),
        "attestedSigners": scan.attested.as_ref().and_then(own_signers_json),
        "attach": scan.attaches_reports,
    })
}

fn exception_json(exception: &ScanException) -> Value {
    json!({
        "id": exception.id,
        "package": exception.package.as_ref().map(ToString::to_string),
        "platform": exception.platform.as_ref().map(ToString::to_string),
        "until": exception.until.map(|until| until.to_string()),
        "reason": exception.reason,
    })
}

fn image_json(image: &ImageRule) -> Value {
    json!({
        "platforms": image.platforms.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "user": image.user.as_ref().map(ToString::to_string),
        "maxSize": image.max_size.as_ref().map(|size| size.bytes()),
        "maxAge": image.max_age.as_ref().map(ToString::to_string),
        "labels": image.labels.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// Returns the gate's own signers; `None` where those of `from` count.
fn own_signers_json(signers: &GateSigners) -> Option<Value> {
    match signers {
        GateSigners::OfSource => None,
        GateSigners::Own(signers) => Some(signers_json(signers)),
    }
}

fn signers_json(signers: &[SignerRule]) -> Value {
    let signers = signers.iter();
    signers.map(signer_json).collect()
}
