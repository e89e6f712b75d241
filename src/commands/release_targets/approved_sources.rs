//! The input `sources`: the digests that an earlier `check` gave out, one for each service.

use crate::cli::Input;
use crate::commands::invocation::Invocation;
use crate::image::{Destination, Digest};
use crate::policy::Service;
use crate::release::Failure;

/// Digests that were approved, each of a service; of none, where the environment has one repository.
#[derive(Debug)]
pub(super) struct ApprovedSources(Vec<(Option<Service>, Digest)>);

impl ApprovedSources {
    /// Reads the input; `None` if it is not given.
    ///
    /// # Errors
    /// An entry that is no service with a digest, a service that is there twice, and `source` or `commit` next
    /// to it.
    pub(super) fn read(invocation: &Invocation) -> Result<Option<Self>, Failure> {
        let arguments = &invocation.arguments;
        if !is_given(invocation) {
            return Ok(None);
        }
        for other in [Input::Source, Input::Commit] {
            if !arguments.entries(other).is_empty() {
                return Err(both_failure(other));
            }
        }
        let mut digests: Vec<(Option<Service>, Digest)> = Vec::new();
        for entry in arguments.entries(Input::Sources) {
            let wrong = |reason: &str| {
                Failure::from(arguments.entry_error(Input::Sources, entry, reason.to_owned()))
            };
            let read = parse_entry(&entry.text);
            let (service, digest) =
                read.ok_or_else(|| wrong("is not a service with a digest, such as web=sha256:…"))?;
            if digests.iter().any(|(known, _)| *known == service) {
                return Err(wrong("is of a service that is there twice"));
            }
            digests.push((service, digest));
        }
        Ok(Some(Self(digests)))
    }

    /// Returns the digest of a service.
    ///
    /// # Errors
    /// A service without one.
    pub(super) fn digest_of(
        &self,
        invocation: &Invocation,
        service: Option<&Service>,
    ) -> Result<Digest, Failure> {
        let mut digests = self.0.iter();
        let found = digests.find(|(of, _)| of.as_ref() == service);
        found.map(|(_, digest)| *digest).ok_or_else(|| {
            let reason = match service {
                Some(service) => format!("has no digest of {service}, which is released"),
                None => "is for services, and the environment has one repository".to_owned(),
            };
            let error = invocation.arguments.error(Input::Sources, None, reason);
            Failure::from(error).with_hint(match service {
                Some(service) => format!(
                    "add {service}=sha256:…, or choose the services of sources with services"
                ),
                None => "give the digest alone: sha256:…".to_owned(),
            })
        })
    }

    /// Returns the places whose services have a digest; all places, if none is of a service.
    pub(super) fn chosen_of(
        &self,
        all: Vec<(Option<Service>, Destination)>,
    ) -> Vec<(Option<Service>, Destination)> {
        let has_digest =
            |service: &Option<Service>| self.0.iter().any(|(of, _)| of.is_some() && of == service);
        match all.iter().any(|(service, _)| has_digest(service)) {
            true => all
                .into_iter()
                .filter(|(service, _)| has_digest(service))
                .collect(),
            false => all,
        }
    }

    /// Refuses digests of services that are not released.
    ///
    /// # Errors
    /// The first such service.
    pub(super) fn refuse_others(
        &self,
        invocation: &Invocation,
        chosen: &[(Option<Service>, Destination)],
    ) -> Result<(), Failure> {
        let is_chosen = |service: &Service| {
            let mut chosen = chosen.iter();
            chosen.any(|(of, _)| of.as_ref() == Some(service))
        };
        let mut named = self.0.iter().filter_map(|(service, _)| service.as_ref());
        let is_per_service = chosen.iter().any(|(service, _)| service.is_some());
        match named.find(|service| is_per_service && !is_chosen(service)) {
            None => Ok(()),
            Some(other) => {
                let reason = format!("has a digest of {other}, which is not released");
                let error = invocation.arguments.error(Input::Sources, None, reason);
                Err(Failure::from(error).with_hint(format!(
                    "leave it out, or add {other} to the services of the policy or of the input"
                )))
            }
        }
    }
}

/// Refuses the input where no policy names services.
///
/// # Errors
/// The input, if it is given.
pub(super) fn refuse_without_policy(invocation: &Invocation) -> Result<(), Failure> {
    match is_given(invocation) {
        false => Ok(()),
        true => Err(Failure::input(
            "sources is given, and no environment of a policy is released to",
        )
        .with_reason("sources names the images of the services that a policy has")
        .with_hint("give the image as source")),
    }
}

fn is_given(invocation: &Invocation) -> bool {
    let arguments = &invocation.arguments;
    arguments.is_accepted(Input::Sources) && !arguments.entries(Input::Sources).is_empty()
}

/// Reads `SERVICE=DIGEST`, or a digest alone.
fn parse_entry(text: &str) -> Option<(Option<Service>, Digest)> {
    match text.split_once('=') {
        Some((service, digest)) => {
            let service = service.trim().parse().ok()?;
            Some((Some(service), digest.trim().parse().ok()?))
        }
        None => Some((None, text.trim().parse().ok()?)),
    }
}

fn both_failure(other: Input) -> Failure {
    let name = match other {
        Input::Commit => "commit",
        _ => "source",
    };
    Failure::input(format!("sources and {name} are both given"))
        .with_reason("sources names the image of each service by its digest")
        .with_hint("leave one of them out")
}
