use std::sync::Arc;

use super::{
    ImageClaim, KeylessSigner, LazyPrivateKey, LegacySignature, LoggedKeySigner, Predicate,
    Requirement, SigningError,
};
use crate::http::HttpClient;
use crate::image::Digest;
use crate::notices::Notices;

/// What signatures are made with.
#[derive(Debug, Clone)]
pub enum Signer {
    /// A key alone.
    Key(LazyPrivateKey),
    /// A key, with a log that holds what it signs.
    LoggedKey(Arc<LoggedKeySigner>),
    /// A certificate for the job that runs.
    Keyless(Arc<KeylessSigner>),
}

/// Something that is attested of an image.
pub struct ImageAttestation<'a> {
    /// The repository that it is made for.
    pub repository: &'a str,
    /// The image.
    pub image: Digest,
    /// What is attested.
    pub predicate: &'a Predicate,
}

impl ImageAttestation<'_> {
    fn to_statement(&self) -> Vec<u8> {
        self.predicate.to_statement(self.repository, self.image)
    }
}

impl Signer {
    /// What a signature made so has to pass.
    ///
    /// # Errors
    /// A key that is not opened, a trusted root or a token that cannot be had.
    pub async fn requirement(
        &self,
        client: &HttpClient,
        notices: &Notices,
    ) -> Result<Requirement, SigningError> {
        match self {
            Self::Key(key) => Ok(Requirement::Key {
                key: key.wait().await?.public().clone(),
                log: None,
            }),
            Self::LoggedKey(key) => key.requirement(client, notices).await,
            Self::Keyless(keyless) => keyless.requirement(client, notices).await,
        }
    }

    /// Returns [`Self::requirement`] with the repository of the job, where its token names one: who this
    /// run is, for [`Requirement::may_accept`].
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn run_requirement(
        &self,
        client: &HttpClient,
        notices: &Notices,
    ) -> Result<Requirement, SigningError> {
        match self {
            Self::Keyless(keyless) => keyless.run_requirement(client, notices).await,
            Self::Key(_) | Self::LoggedKey(_) => self.requirement(client, notices).await,
        }
    }

    /// Signs a claim as a bundle.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn sign_bundle(
        &self,
        client: &HttpClient,
        notices: &Notices,
        claim: &ImageClaim,
    ) -> Result<Vec<u8>, SigningError> {
        self.sign_statement(client, notices, claim.to_statement())
            .await
    }

    /// Signs an attestation of an image as a bundle.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn attest_bundle(
        &self,
        client: &HttpClient,
        notices: &Notices,
        attestation: &ImageAttestation<'_>,
    ) -> Result<Vec<u8>, SigningError> {
        self.sign_record(client, notices, attestation.to_statement())
            .await
    }

    /// Signs the statement of a release record as a bundle.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn sign_record(
        &self,
        client: &HttpClient,
        notices: &Notices,
        statement: Vec<u8>,
    ) -> Result<Vec<u8>, SigningError> {
        match self {
            Self::Key(key) => Ok(key.wait().await?.sign_statement(statement)),
            Self::LoggedKey(key) => key.attest_bundle(client, notices, statement).await,
            Self::Keyless(keyless) => keyless.attest_bundle(client, notices, statement).await,
        }
    }

    /// Signs an attestation of an image in the legacy form.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn attest_legacy(
        &self,
        client: &HttpClient,
        notices: &Notices,
        attestation: &ImageAttestation<'_>,
    ) -> Result<LegacySignature, SigningError> {
        let statement = attestation.to_statement();
        match self {
            Self::Key(key) => Ok(key.wait().await?.sign_envelope(statement)),
            Self::LoggedKey(key) => key.sign_envelope(client, notices, statement).await,
            Self::Keyless(keyless) => keyless.sign_envelope(client, notices, statement).await,
        }
    }

    async fn sign_statement(
        &self,
        client: &HttpClient,
        notices: &Notices,
        statement: Vec<u8>,
    ) -> Result<Vec<u8>, SigningError> {
        match self {
            Self::Key(key) => Ok(key.wait().await?.sign_statement(statement)),
            Self::LoggedKey(key) => key.sign_statement(client, notices, statement).await,
            Self::Keyless(keyless) => keyless.sign_statement(client, notices, statement).await,
        }
    }

    /// Signs a claim in the legacy form.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn sign_legacy(
        &self,
        client: &HttpClient,
        notices: &Notices,
        claim: &ImageClaim,
    ) -> Result<LegacySignature, SigningError> {
        match self {
            Self::Key(key) => Ok(key.wait().await?.sign_legacy(claim)),
            Self::LoggedKey(key) => key.sign_legacy(client, notices, claim).await,
            Self::Keyless(keyless) => keyless.sign_legacy(client, notices, claim).await,
        }
    }
}
