//! Commands to go on with: pull the image, verify its signature, promote it further.

use super::shell_word::shell_word;
use super::signing_facts::SignatureState;
use crate::image::Destination;
use crate::policy::Service;
use crate::release::{
    DestinationOutcome, ReleaseOutcome, SignatureFormat, SignerCheck, SignerName,
};
use crate::report::markdown::shell_block;
use crate::report::phrases;

/// Returns a titled block for each command, for the first destination that the command works with.
pub(super) fn follow_up_section(outcome: &ReleaseOutcome, service: Option<&Service>) -> String {
    if outcome.dry_run {
        return String::new();
    }
    let registry = pulled_destination(outcome);
    let reference =
        |place: &Destination| shell_word(&phrases::digest_reference(place, outcome.root));
    let mut section = String::new();
    if let Some(released) = registry {
        let image = reference(&released.place);
        section += &titled_block("Pull", &[format!("docker pull {image}")]);
        if let Some(signer) = SignatureState::of(outcome).signer_here(outcome)
            && let Some(command) = cosign_verify(
                signer,
                std::slice::from_ref(&image),
                is_legacy_only(outcome),
            )
        {
            section += &titled_block("Verify", &command);
        }
    } else if let Some(signer) = SignatureState::of(outcome).signer_here(outcome)
        && let Some(released) = outcome.destinations.first()
        && let Some(command) = shipmark_verify(signer, &reference(&released.place))
    {
        section += &titled_block("Verify", &command);
    }
    if let Some(released) = registry.or_else(|| outcome.destinations.first()) {
        for command in promotions(outcome, &reference(&released.place), service) {
            section += &titled_block("Promote", &command);
        }
    }
    section
}

/// Returns the destination that the command to pull the image names; `None` on a dry run.
pub(super) fn pulled_destination(outcome: &ReleaseOutcome) -> Option<&DestinationOutcome> {
    let mut images = outcome.destinations.iter().filter(|_| !outcome.dry_run);
    images.find(|released| matches!(released.place, Destination::Registry(_)))
}

/// Returns a command, by its parts, in a block below its title.
pub(super) fn titled_block(title: &str, command: &[String]) -> String {
    format!("\n**{title}**\n\n{}", shell_block(command))
}

/// Returns the command that verifies the signatures of images with cosign; `None` if no single command does.
pub(super) fn cosign_verify(
    signer: &SignerName,
    images: &[String],
    is_legacy_only: bool,
) -> Option<Vec<String>> {
    let mut words = vec!["cosign verify".to_owned()];
    match &signer.check {
        SignerCheck::Key { is_logged } => {
            words.push("--key cosign.pub".to_owned());
            if !is_logged {
                words.push("--insecure-ignore-tlog".to_owned());
            }
        }
        SignerCheck::Identity { subject, issuer } => {
            words.push(format!("--certificate-identity {}", shell_word(subject)));
            words.push(format!("--certificate-oidc-issuer {}", shell_word(issuer)));
        }
        SignerCheck::Other => return None,
    }
    if is_legacy_only {
        words.push("--new-bundle-format=false".to_owned());
    }
    words.extend_from_slice(images);
    Some(words)
}

/// Returns the command that verifies the signatures of an image in a layout, which cosign does not read; `None` if no
/// single command does.
pub(super) fn shipmark_verify(signer: &SignerName, image: &str) -> Option<Vec<String>> {
    let mut words = vec![format!("shipmark verify --source {image}")];
    match &signer.check {
        SignerCheck::Key { is_logged } => {
            words.push("--key cosign.pub".to_owned());
            if !is_logged {
                words.push("--transparency-log off".to_owned());
            }
        }
        SignerCheck::Identity { subject, issuer } => {
            words.push(format!("--certificate-identity {}", shell_word(subject)));
            words.push(format!("--certificate-oidc-issuer {}", shell_word(issuer)));
        }
        SignerCheck::Other => return None,
    }
    Some(words)
}

/// Returns whether the run signed in the legacy format alone, of which cosign 3 must be told.
pub(super) fn is_legacy_only(outcome: &ReleaseOutcome) -> bool {
    let signatures = || outcome.destinations.iter().flat_map(|it| &it.signatures);
    signatures().next().is_some() && signatures().all(|it| it.format == SignatureFormat::Legacy)
}

/// Returns the commands that promote the image further: to each environment that the policy names, or
/// without a policy to a repository that the reader names.
fn promotions(
    outcome: &ReleaseOutcome,
    image: &str,
    service: Option<&Service>,
) -> Vec<Vec<String>> {
    let to = |destination: &str| {
        vec![
            format!("shipmark promote {destination}"),
            format!("--source {image}"),
        ]
    };
    if outcome.path.next.is_empty() {
        let is_last = outcome.path.from.is_some()
            || outcome
                .environment
                .as_ref()
                .is_some_and(|it| it.is_production());
        return match is_last {
            true => Vec::new(),
            false => vec![to("--images REGISTRY/REPOSITORY")],
        };
    }
    let service = service.map(|service| format!(" --services {}", shell_word(service.as_str())));
    let service = service.unwrap_or_default();
    let next = outcome.path.next.iter();
    next.map(|next| to(&format!("--environment {next}{service}")))
        .collect()
}
