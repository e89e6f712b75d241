//! Trust in the keyless signers of the policy: the policy says from which root and with which log, and a job can name
//! no others.

use std::path::Path;
use std::sync::Arc;

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::trust_inputs;
use crate::cli::Input;
use crate::notices::to_printable;
use crate::release::Failure;
use crate::signing::TrustRoot;

/// Limit on a path in a message, in characters.
const PATH_LIMIT: usize = 200;

/// Loads the trusted roots that certificates of the policy's signers must lead to.
///
/// # Errors
/// An input that names other roots or less of a log, and roots that cannot be read.
pub(super) async fn load_policy_roots(
    invocation: &Invocation,
    loaded: &LoadedPolicy,
) -> Result<Vec<Arc<TrustRoot>>, Failure> {
    refuse_other_log(invocation, loaded)?;
    let given = invocation.arguments.entries(Input::TrustedRoot).first();
    let stated = loaded.policy.trusted_root();
    if let Some(entry) = given
        && stated.is_none_or(|path| !is_same(&entry.text, path))
    {
        return Err(fixed_failure(invocation, loaded, Input::TrustedRoot));
    }
    let Some(path) = stated else {
        return Ok(vec![Arc::new(
            trust_inputs::load_public_root(invocation).await?,
        )]);
    };
    let wrong = |reason: String| {
        Failure::input(format!(
            "{}: the trusted root {} {reason}",
            loaded.file,
            to_printable(path, PATH_LIMIT)
        ))
        .with_hint("write the path of the file from the root of the repository")
        .at_file(loaded.location.clone())
    };
    let content = loaded.read_named_file(invocation, path).await?;
    let content = content.ok_or_else(|| wrong("is not there".to_owned()))?;
    trust_inputs::parse_roots(&content).map_err(wrong)
}

/// Returns whether two paths in the repository are the same.
fn is_same(given: &str, stated: &str) -> bool {
    let plain = |path: &str| Path::new(path).components().collect::<std::path::PathBuf>();
    plain(given.trim_start_matches("./")) == plain(stated)
}

/// Refuses a log that takes less than the policy.
fn refuse_other_log(invocation: &Invocation, loaded: &LoadedPolicy) -> Result<(), Failure> {
    let arguments = &invocation.arguments;
    let input = Input::TransparencyLog;
    let is_given = arguments.is_accepted(input) && !arguments.entries(input).is_empty();
    let choice = match is_given {
        true => arguments.choice(input)?,
        false => None,
    };
    match choice {
        None | Some("on") => Ok(()),
        Some("attestations") if !loaded.policy.logs_attestations() => Ok(()),
        Some(_) => Err(fixed_failure(invocation, loaded, input)),
    }
}

fn fixed_failure(invocation: &Invocation, loaded: &LoadedPolicy, input: Input) -> Failure {
    let name = input.name();
    Failure::refused(format!(
        "the input {} with keyless signers of a policy",
        invocation.arguments.given_name(input)
    ))
    .with_reason(format!(
        "{} says whose certificates and logs count: the key {name}, else Sigstore's public instance",
        loaded.file
    ))
    .with_hint(format!("leave it out, or set {name} in the policy"))
}
