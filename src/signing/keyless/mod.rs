//! Signing without a key of one's own: the job's identity token gets a certificate for a key that
//! lives as long as the run, and a log, a timestamp authority or both say when it was used.
//!
//! One token and one certificate do for all signatures of a run. A certificate is good for ten
//! minutes; a run that takes longer gets a second one.

mod certificate;
mod token;

use std::fmt;
use std::sync::Arc;

use futures_util::future::try_join;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

pub use token::{Conceal, TokenSource};

use super::instance::{FULCIO, Service, Witnesses};
use super::{Claim, Detached, Endpoints, Identity, Instance, Requirement, SigningError};
use crate::notice::Notices;
use crate::registry::Client;
use certificate::Certified;
use token::Token;

/// What a run signs with. The first use opens it; shared, it stays one token and one certificate.
pub struct Keyless {
    tokens: TokenSource,
    instance: Instance<Endpoints>,
    /// Whether what is private about the repository may stand in the public instance's log.
    private: bool,
    opened: OnceCell<Opened>,
    held: Mutex<Held>,
}

/// The services.
struct Opened {
    fulcio: Service,
    witnesses: Witnesses,
}

#[derive(Default)]
struct Held {
    identity: Option<Identity>,
    token: Option<Token>,
    certified: Option<(Instant, Arc<Certified>)>,
}

impl Keyless {
    /// Signing as the job that `tokens` gives the tokens of. `private` says whether what is private
    /// about the repository may stand in the log of the public instance.
    pub fn new(tokens: TokenSource, instance: Instance<Endpoints>, private: bool) -> Self {
        Self {
            tokens,
            instance,
            private,
            opened: OnceCell::new(),
            held: Mutex::default(),
        }
    }

    /// What a signature made here has to pass: the identity is the job's, and a log has it.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn requirement(
        &self,
        client: &Client,
        notices: &Notices,
    ) -> Result<Requirement, SigningError> {
        let (opened, identity) =
            try_join(self.open(client, notices), self.identity(client)).await?;
        Ok(Requirement::Identity {
            identity,
            trust: opened.witnesses.root.clone(),
            logged: true,
        })
    }

    async fn identity(&self, client: &Client) -> Result<Identity, SigningError> {
        let mut held = self.held.lock().await;
        let identity = match held.identity.take() {
            Some(identity) => identity,
            None => {
                let token = self.token(client).await?;
                let identity = token.identity();
                held.token = Some(token);
                identity
            }
        };
        Ok(held.identity.insert(identity).clone())
    }

    async fn open(&self, client: &Client, notices: &Notices) -> Result<&Opened, SigningError> {
        let open = || async {
            let (endpoints, root) = self.instance.resolve(client, notices).await?;
            Ok::<_, SigningError>(Opened {
                fulcio: Service::new(FULCIO, endpoints.fulcio),
                witnesses: Witnesses::new(endpoints.logs, root)?,
            })
        };
        self.opened.get_or_try_init(open).await
    }

    /// Signs an in-toto statement as a bundle.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn sign_statement(
        &self,
        client: &Client,
        notices: &Notices,
        statement: Vec<u8>,
    ) -> Result<Vec<u8>, SigningError> {
        let opened = self.open(client, notices).await?;
        let _turn = opened.witnesses.turn().await;
        let certified = self.certified(client, opened).await?;
        let (key, by) = (&certified.key, certified.signatory());
        let bundle = opened.witnesses.bundle(client, key, statement, &by);
        Ok(bundle.await?)
    }

    /// Signs an in-toto statement in the legacy form of attestations: an envelope by itself.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn sign_envelope(
        &self,
        client: &Client,
        notices: &Notices,
        statement: Vec<u8>,
    ) -> Result<Detached, SigningError> {
        let opened = self.open(client, notices).await?;
        let _turn = opened.witnesses.turn().await;
        let certified = self.certified(client, opened).await?;
        let (key, by) = (&certified.key, certified.signatory());
        let witnesses = &opened.witnesses;
        witnesses.envelope(client, key, statement, &by).await
    }

    /// Signs a claim in the legacy form.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn sign_detached(
        &self,
        client: &Client,
        notices: &Notices,
        claim: &Claim,
    ) -> Result<Detached, SigningError> {
        let opened = self.open(client, notices).await?;
        let _turn = opened.witnesses.turn().await;
        let certified = self.certified(client, opened).await?;
        let (key, by) = (&certified.key, certified.signatory());
        let witnesses = &opened.witnesses;
        witnesses.payload(client, key, claim.payload(), &by).await
    }

    async fn token(&self, client: &Client) -> Result<Token, SigningError> {
        let token = self.tokens.fetch(client).await?;
        match self.instance.is_public() && token.is_private() && !self.private {
            true => Err(SigningError::Private),
            false => Ok(token),
        }
    }

    /// The certificate, as long as half of its life is left: the other half is for what is under
    /// way.
    async fn certified(
        &self,
        client: &Client,
        opened: &Opened,
    ) -> Result<Arc<Certified>, SigningError> {
        let mut held = self.held.lock().await;
        if let Some((since, certified)) = &held.certified
            && since.elapsed() < certified.lifetime / 2
        {
            return Ok(certified.clone());
        }
        let since = Instant::now();
        // A token that was asked for earlier may have died since.
        let issued = match held.token.take() {
            Some(token) => match certificate::issue(&opened.fulcio, client, &token).await {
                Err(error) if error.is_refusal() => None,
                outcome => Some(outcome?),
            },
            None => None,
        };
        let certified = match issued {
            Some(certified) => certified,
            None => {
                let token = self.token(client).await?;
                certificate::issue(&opened.fulcio, client, &token).await?
            }
        };
        let certified = Arc::new(certified);
        held.certified = Some((since, certified.clone()));
        Ok(certified)
    }
}

impl fmt::Debug for Keyless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyless")
            .field("tokens", &self.tokens)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}
