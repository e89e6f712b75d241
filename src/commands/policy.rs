use super::invocation::Invocation;
use super::load_policy::{LoadedPolicy, load_policy};
use super::{policy_environment, record_inputs, release_targets};
use crate::cli::Input;
use crate::notices::{FileLocation, to_printable};
use crate::policy::file::PATH;
use crate::policy::{PolicyIdentity, PolicySigner, ReleasePolicy, SignerRule};
use crate::release::Failure;
use crate::report::{PolicyReport, VerbResult};
use crate::tagging::{CompatMode, EnvironmentName, unknown_words};

/// Shows the policy that a release of this run would have. Speaks to no registry.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let loaded = load_policy(invocation).await?.ok_or_else(no_policy)?;
    release_targets::check_repositories(invocation, &loaded)?;
    let environment: Option<EnvironmentName> = invocation.arguments.value(Input::Environment)?;
    if let Some(name) = &environment {
        policy_environment::find_environment(&loaded, name)?;
    }
    for stage in loaded.policy.environments() {
        record_inputs::check_keys(invocation, stage, &loaded).await?;
    }
    write_findings(invocation, &loaded);
    Ok(VerbResult::ShownPolicy(Box::new(PolicyReport {
        policy: loaded.policy,
        file: loaded.file,
        environment,
    })))
}

/// Logs what the author of the policy should know, at its position in the file if it has one.
pub(super) fn write_findings(invocation: &Invocation, loaded: &LoadedPolicy) {
    for warning in policy_warnings(&loaded.policy) {
        invocation.log.warning(&warning);
    }
    for finding in loaded.policy.findings() {
        let text = finding.to_string();
        match finding.at {
            _ if finding.is_note => invocation.log.info(&format!("note: {text}")),
            Some(at) => {
                let location = FileLocation {
                    position: Some((at.line, at.column)),
                    ..loaded.location.clone()
                };
                invocation.log.notices().file_warning(location, text);
            }
            None => invocation.log.warning(&text),
        }
    }
}

/// Returns what is probably not meant: expressions of rules that mean nothing, signers on any branch, and a
/// production that takes images from anywhere.
fn policy_warnings(policy: &ReleasePolicy) -> Vec<String> {
    let mut warnings = Vec::new();
    for environment in policy.environments() {
        let name = environment.name();
        let rules = environment.rules(CompatMode::Compatible).ok().flatten();
        for text in rules.iter().flat_map(unknown_words) {
            warnings.push(format!("the environment {name}: {text}"));
        }
        for subject in environment.signers().iter().filter_map(unpinned_subject) {
            warnings.push(format!(
                "the environment {name}: {} in signers accepts an edited workflow on any branch: pin the ref, as in @refs/heads/main",
                to_printable(subject, SUBJECT_LIMIT)
            ));
        }
        let has_others = policy.environments().len() > 1;
        if has_others && name.is_production() && environment.from().is_empty() {
            warnings.push(format!(
                "the environment {name} has no from: a release to it can be of any image, also of one that no other environment has"
            ));
        }
    }
    warnings
}

/// The most characters of a subject that a warning names.
const SUBJECT_LIMIT: usize = 200;

/// Returns the subject of an identity that leaves the ref of the workflow open.
fn unpinned_subject(rule: &SignerRule) -> Option<&str> {
    match &rule.signer {
        PolicySigner::Identity(PolicyIdentity {
            subject,
            repository: Some(_),
            ..
        }) if subject.ends_with('*') && !subject.contains("@refs/") => Some(subject),
        _ => None,
    }
}

/// Returns the failure of a run that needs a policy and finds none.
pub(super) fn no_policy() -> Failure {
    Failure::input(format!("there is no policy file {PATH}"))
        .with_reason("without one, push and promote release to the repositories in images, by the default table of tags")
        .with_hint(format!(
            "add {PATH}, run in the root of the repository, or name another file in the input policy"
        ))
}
