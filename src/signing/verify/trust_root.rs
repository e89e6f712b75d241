use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use sigstore_trust_root::{SigstoreInstance, TrustedRoot};
use sigstore_types::{Artifact, Bundle, MediaType};
use sigstore_verify::{Policy, VerificationPolicy, VerificationResult, Verifier};
use thiserror::Error;

use super::super::VerificationError;
use super::authority::{self, Authority};
use super::bundle_json;
use super::issuer::Purpose;
use super::log_entry::{self, LoggedContent, LoggedSigner};
use super::timestamp::{Stamper, StandInStamper, VerifiedTimes, verified_times};
use super::trusted_log::TrustedLog;

/// Whose word counts: certificate authorities, transparency logs, CT logs and timestamp authorities,
/// each with the time in which it does.
pub struct TrustRoot {
    verifier: Verifier,
    /// Whether it names logs of certificates.
    requires_ct_log: bool,
    logs: Vec<TrustedLog>,
    authorities: Vec<Authority>,
    stampers: Vec<Stamper>,
    stand_in: StandInStamper,
}

/// A trusted root that cannot be used.
#[derive(Debug, Clone, Error)]
#[error("{0}")]
pub struct TrustRootError(String);

const TRUSTED_ROOT_TYPE: &str = "application/vnd.dev.sigstore.trustedroot";

impl TrustRoot {
    /// Reads a `trusted_root.json` (`dev.sigstore.trustroot.v1.TrustedRoot`).
    ///
    /// # Errors
    /// Another format, or a key or certificate that cannot be used: all of it is looked at.
    pub fn parse(json: &[u8]) -> Result<Self, TrustRootError> {
        let wrong = |reason: &dyn fmt::Display| {
            TrustRootError(crate::notices::to_printable(&reason.to_string(), 200))
        };
        let text = bundle_json::check_json(json).map_err(|json_error| wrong(&json_error))?;
        let root = TrustedRoot::from_json(text).map_err(|error| wrong(&error))?;
        if !root.media_type.starts_with(TRUSTED_ROOT_TYPE) {
            return Err(wrong(&format!("its media type is {:?}", root.media_type)));
        }
        Self::from_trusted_root(&root).map_err(|error| wrong(&error))
    }

    /// The public instance's, the keys and services built into this program.
    ///
    /// # Errors
    /// None for a program that was tested.
    pub fn load_embedded() -> Result<Self, TrustRootError> {
        Self::parse(
            SigstoreInstance::PublicGood
                .embedded_trusted_root_json()
                .as_bytes(),
        )
    }

    fn from_trusted_root(root: &TrustedRoot) -> Result<Self, TrustRootError> {
        let wrong = |error: sigstore_verify::Error| {
            TrustRootError(crate::notices::to_printable(&error.to_string(), 200))
        };
        // Its own timestamp authorities are looked at too.
        Verifier::new(root).map_err(wrong)?;
        let stand_in = StandInStamper::generate();
        let verifier = Verifier::new(&stand_in.replace_authorities(root)).map_err(wrong)?;
        Ok(Self {
            verifier,
            requires_ct_log: !root.ctlogs.is_empty(),
            logs: root
                .tlogs
                .iter()
                .filter_map(TrustedLog::from_trust_root)
                .collect(),
            authorities: authorities(root),
            stampers: root
                .timestamp_authorities
                .iter()
                .filter_map(Stamper::new)
                .collect(),
            stand_in,
        })
    }

    /// Checks a bundle against what is signed, and everybody whose word that takes.
    pub(super) fn verify<'a>(
        &self,
        artifact: impl Into<Artifact<'a>>,
        bundle: &Bundle,
        policy: &(impl Policy + ?Sized),
    ) -> Result<VerificationResult, VerificationError> {
        let restamped = self.restamp(bundle)?;
        let result = self.verifier.verify(artifact, &restamped, policy)?;
        self.check_authorities(bundle, &result).map(|()| result)
    }

    /// As [`TrustRoot::verify`], of what is read as a stream.
    pub(super) fn verify_reader(
        &self,
        artifact: impl Read,
        bundle: &Bundle,
        policy: &(impl Policy + ?Sized),
    ) -> Result<VerificationResult, VerificationError> {
        let restamped = self.restamp(bundle)?;
        let result = self.verifier.verify_reader(artifact, &restamped, policy)?;
        self.check_authorities(bundle, &result).map(|()| result)
    }

    /// As [`TrustRoot::verify`] without its log entries, which are verified here, with the times that
    /// logs promised: see `log_entry/`.
    pub(super) fn verify_without_entries<'a>(
        &self,
        artifact: impl Into<Artifact<'a>>,
        bundle: &Bundle,
        content: &LoggedContent<'_>,
    ) -> Result<VerificationResult, VerificationError> {
        let certificate = bundle.signing_certificate();
        let certificate = certificate.ok_or(VerificationError::Key)?;
        let signer = LoggedSigner::Certificate(certificate.as_bytes());
        let verified = self.entry_and_stamp_times(bundle, content, &signer)?;
        let mut restamped = self.stand_in.restamp(bundle, &verified);
        restamped.verification_material.tlog_entries.clear();
        // Version 0.1 does not go without an entry.
        if restamped.media_type == MediaType::Bundle0_1 {
            restamped.media_type = MediaType::Bundle0_2;
        }
        let policy = self.to_policy(false);
        let result = self.verifier.verify(artifact, &restamped, &policy)?;
        let times = result.verified_timestamps();
        authority::check_certificate(&self.authorities, bundle, times)?;
        Ok(result)
    }

    /// Verifies a bundle's log entries and timestamps against a signer, and returns their times.
    pub(super) fn entry_and_stamp_times<'a>(
        &self,
        bundle: &'a Bundle,
        content: &LoggedContent<'_>,
        signer: &LoggedSigner<'_>,
    ) -> Result<VerifiedTimes<'a>, VerificationError> {
        let promised = log_entry::verify_entries(&self.logs, bundle, content, signer)?;
        let stamped = verified_times(&self.stampers, bundle)?;
        let verified = VerifiedTimes::of_bundle(bundle, stamped, promised)?;
        let mut entries = bundle.verification_material.tlog_entries.iter();
        entries
            .try_for_each(|entry| TrustedLog::check_times(&self.logs, entry, &verified.times))?;
        Ok(verified)
    }

    /// Verifies a bundle's timestamps, and returns the bundle with times that `sigstore-verify` can read.
    fn restamp<'a>(&self, bundle: &'a Bundle) -> Result<Cow<'a, Bundle>, VerificationError> {
        Ok(match verified_times(&self.stampers, bundle)? {
            None => Cow::Borrowed(bundle),
            Some(verified) => Cow::Owned(self.stand_in.restamp(bundle, &verified)),
        })
    }

    /// Checks that at every time that is proven of a signature those counted who vouch for it:
    /// certificate authorities and logs.
    fn check_authorities(
        &self,
        bundle: &Bundle,
        result: &VerificationResult,
    ) -> Result<(), VerificationError> {
        let times = result.verified_timestamps();
        authority::check_certificate(&self.authorities, bundle, times)?;
        let entries = bundle.verification_material.tlog_entries.iter();
        // Where no log is asked for, what they say is not looked at.
        let mut entries = entries.filter(|_| result.tlog_verified());
        entries.try_for_each(|entry| TrustedLog::check_times(&self.logs, entry, times))
    }

    /// That somebody signed whom its authorities named; who that is, is for the caller to check. A
    /// certificate has to be in a log of certificates, unless the root names none: then its authorities
    /// have none.
    pub(super) fn to_policy(&self, logged: bool) -> VerificationPolicy {
        let mut policy = VerificationPolicy::any_identity();
        if !logged {
            policy = policy.skip_tlog_unsafe();
        }
        match self.requires_ct_log {
            true => policy,
            false => policy.skip_sct(),
        }
    }

    /// Its transparency logs.
    pub(super) fn logs(&self) -> &[TrustedLog] {
        &self.logs
    }
}

fn authorities(root: &TrustedRoot) -> Vec<Authority> {
    let all = root.certificate_authorities.iter();
    let read = all.filter_map(|authority| {
        let chain = authority.cert_chain.certificates.iter();
        let chain = chain.map(|certificate| &certificate.raw_bytes);
        Authority::new(Purpose::CodeSigning, chain, authority.valid_for)
    });
    read.collect()
}

impl fmt::Debug for TrustRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrustRoot")
    }
}
