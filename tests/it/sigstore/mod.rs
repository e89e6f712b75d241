//! Sigstore's services in this process, over real HTTP: a token endpoint like the runner's, Fulcio,
//! Rekor of both versions and a timestamp authority. What they give stands up to the trusted root
//! that goes with them. [`crate::registry::Fault`]s break any request.

mod authority;
mod clock;
mod der;
mod extensions;
pub mod forge;
mod key;
mod leaf;
mod ledger;
mod stamper;
pub mod tuf;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use shipmark::signing::{
    IdTokenSource, InstanceEndpoints, InstanceSource, KeylessSigner, LogEndpoints, LoggedKeySigner,
    PrivateKey, SecretMasker, TrustRoot,
};
use url::Url;

use crate::registry::{Answer, Bound, Call, Fault, Handler, Host, Issuer};
use authority::Fulcio;
use clock::Clock;
pub use leaf::{Kind, Leaf};
use ledger::Ledger;
use stamper::Stamper;

/// What is shown for a token.
pub const REQUEST_TOKEN: &str = "request-token-of-this-job";
/// The workflow that tokens are of.
pub const WORKFLOW: &str = "acme/web/.github/workflows/release.yml@refs/heads/main";
/// The commit that tokens are of.
pub const SHA: &str = "9f3c2a1e4b5d6c7f8091a2b3c4d5e6f708192a3b";
pub const ISSUER: &str = "https://token.example";

/// The services, until this is dropped.
pub struct Sigstore {
    host: Host,
    services: Arc<Services>,
}

/// Which log an instance has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rekor {
    V1,
    V2,
}

struct Services {
    fulcio: Fulcio,
    ledger: Ledger,
    stamper: Stamper,
    url: String,
    /// What tokens say beside the usual.
    claims: Mutex<Value>,
}

impl Sigstore {
    pub async fn start() -> Self {
        Self::with(Duration::from_secs(600), json!({})).await
    }

    /// With certificates that live so long, and more claims in tokens.
    pub async fn with(lifetime: Duration, claims: Value) -> Self {
        Self::at(Clock::default(), lifetime, claims, Stamper::new()).await
    }

    /// Whose clocks go so many seconds before this machine's.
    pub async fn ahead(seconds: i64) -> Self {
        let clock = Clock { ahead: seconds };
        let lifetime = Duration::from_secs(600);
        Self::at(clock, lifetime, json!({}), Stamper::new()).await
    }

    /// With a timestamp authority that has a key of RSA.
    pub async fn with_rsa_timestamps() -> Self {
        let (clock, lifetime) = (Clock::default(), Duration::from_secs(600));
        Self::at(clock, lifetime, json!({}), Stamper::rsa()).await
    }

    async fn at(clock: Clock, lifetime: Duration, claims: Value, mut stamper: Stamper) -> Self {
        let mut fulcio = Fulcio::new(lifetime);
        let mut ledger = Ledger::new();
        (fulcio.clock, ledger.clock, stamper.clock) = (clock, clock, clock);
        let bound = Bound::new(None).await;
        let services = Arc::new(Services {
            fulcio,
            ledger,
            stamper,
            url: bound.url(),
            claims: Mutex::new(claims),
        });
        let host = bound.serve(services.clone());
        Self { host, services }
    }

    /// A signer of its own: another run.
    pub fn signer(&self, rekor: Rekor) -> KeylessSigner {
        self.signer_with(rekor, |_, _| ())
    }

    /// A signer that trusts another instance than it uses.
    pub fn signer_trusting(&self, rekor: Rekor, other: &Self) -> KeylessSigner {
        let services = InstanceEndpoints {
            fulcio: self.url("/fulcio"),
            logs: self.logs(rekor),
        };
        let root = other.root();
        KeylessSigner::new(
            self.tokens(),
            InstanceSource::Private { services, root },
            false,
        )
    }

    /// A signer whose services are changed.
    pub fn signer_with(
        &self,
        rekor: Rekor,
        change: impl FnOnce(&mut IdTokenSource, &mut InstanceEndpoints),
    ) -> KeylessSigner {
        let mut tokens = self.tokens();
        let mut services = InstanceEndpoints {
            fulcio: self.url("/fulcio"),
            logs: self.logs(rekor),
        };
        change(&mut tokens, &mut services);
        let root = self.root();
        KeylessSigner::new(tokens, InstanceSource::Private { services, root }, false)
    }

    /// A key whose signatures are logged.
    pub fn logged(&self, key: PrivateKey, rekor: Rekor) -> LoggedKeySigner {
        let (services, root) = (self.logs(rekor), self.root());
        LoggedKeySigner::new(key.into(), InstanceSource::Private { services, root })
    }

    pub fn root(&self) -> Arc<TrustRoot> {
        Arc::new(TrustRoot::parse(self.trusted_root().as_bytes()).unwrap())
    }

    /// What later tokens say beside the usual, or otherwise.
    pub fn claim(&self, claims: Value) {
        *self.services.claims.lock().unwrap() = claims;
    }

    pub fn tokens(&self) -> IdTokenSource {
        IdTokenSource {
            url: self.url("/token?api-version=2.0"),
            request_token: REQUEST_TOKEN.into(),
            audience: "sigstore".to_owned(),
            issuer: None,
            masker: SecretMasker::new(|_| ()),
        }
    }

    fn logs(&self, rekor: Rekor) -> LogEndpoints {
        let log = |version| (rekor == version).then(|| self.url("/rekor"));
        LogEndpoints {
            v1: log(Rekor::V1),
            v2: log(Rekor::V2),
            authority: (rekor == Rekor::V2).then(|| self.url("/stamp")),
        }
    }

    pub fn url(&self, path: &str) -> Url {
        format!("{}{path}", self.host.url).parse().unwrap()
    }

    pub fn trusted_root(&self) -> String {
        let (authority, ct) = self.services.fulcio.trusted();
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.services.ledger.trusted()],
            "certificateAuthorities": [authority],
            "ctlogs": [ct],
            "timestampAuthorities": [self.services.stamper.trusted()],
        })
        .to_string()
    }

    pub fn fault(&self, fault: Fault) {
        self.host.front.fault(fault);
    }

    /// How often each service was asked: tokens, Fulcio, Rekor, the timestamp authority.
    pub fn counts(&self) -> [usize; 4] {
        let log = self.host.front.log();
        ["/token", "/fulcio", "/rekor", "/stamp"].map(|service| {
            let lines = log.iter().map(|exchange| exchange.line());
            lines
                .filter(|line| line.contains(&format!(" {service}")))
                .count()
        })
    }

    /// How many entries the log has.
    pub fn entries(&self) -> usize {
        self.services.ledger.len()
    }
}

impl Handler for Services {
    fn handle<'a>(&'a self, call: &'a mut Call) -> BoxFuture<'a, Answer> {
        async move {
            let body = call.read(1 << 20).await.unwrap_or_default();
            let json: Value = serde_json::from_slice(&body).unwrap_or_default();
            match call.path.as_str() {
                "/token" => self.token(call),
                "/fulcio/api/v2/signingCert" => self.certificate(&json),
                "/rekor/api/v1/log/entries" => self.entry(&json),
                "/rekor/api/v2/log/entries" => self.entry_v2(&json),
                "/stamp" => Answer::new(201).bytes(self.stamper.stamp(&body)),
                path => self.named(path),
            }
        }
        .boxed()
    }

    fn issuer(&self) -> Option<&Issuer> {
        None
    }
}

impl Services {
    fn token(&self, call: &Call) -> Answer {
        if call.header("authorization") != Some(&format!("Bearer {REQUEST_TOKEN}")) {
            return Answer::new(401);
        }
        let mut claims = json!({
            "iss": ISSUER,
            "aud": call.query("audience"),
            "sub": "repo:acme/web:ref:refs/heads/main",
            "job_workflow_ref": WORKFLOW,
            "repository_visibility": "public",
            "repository": "acme/web",
            "ref": "refs/heads/main",
            "sha": SHA,
            "event_name": "push",
            "workflow": "Release it",
            "workflow_ref": "acme/web/.github/workflows/ci.yml@refs/heads/main",
            "runner_environment": "github-hosted",
        });
        for (name, value) in self.claims.lock().unwrap().as_object().unwrap() {
            claims[name] = value.clone();
        }
        let part = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
        let head = part(&json!({"alg": "none"}));
        let token = format!("{head}.{}.signature-of-the-token", part(&claims));
        Answer::new(200).json(&json!({"count": token.len(), "value": token}))
    }

    /// Like Fulcio's: the token is looked at, and the proof that the key is the caller's.
    fn certificate(&self, request: &Value) -> Answer {
        let refused = || {
            let message = "There was an error processing the identity token";
            Answer::new(400).json(&json!({"code": 3, "message": message}))
        };
        let token = request["credentials"]["oidcIdentityToken"].as_str();
        let claims = token.and_then(|token| token.split('.').nth(1));
        let claims = claims.and_then(|claims| BASE64_URL_SAFE_NO_PAD.decode(claims).ok());
        let claims: Value = serde_json::from_slice(&claims.unwrap_or_default()).unwrap_or_default();
        if claims["aud"] != "sigstore" {
            return refused();
        }
        let wanted = &request["publicKeyRequest"];
        let pem = wanted["publicKey"]["content"].as_str().unwrap_or_default();
        let point = key::point_of(pem);
        let proof = bytes(wanted["proofOfPossession"].as_str().unwrap_or_default());
        let subject = claims["sub"].as_str().unwrap_or_default();
        let is_proven = aws_lc_rs::signature::UnparsedPublicKey::new(
            &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1,
            &point,
        )
        .verify(subject.as_bytes(), &proof);
        if is_proven.is_err() {
            return refused();
        }
        let workflow = claims["job_workflow_ref"].as_str().unwrap_or_default();
        let identity = format!("https://github.com/{workflow}");
        let issuer = claims["iss"].as_str().unwrap_or_default();
        let run = extensions::of_run(&claims);
        let chain = self.fulcio.issue(&point, &identity, issuer, run);
        Answer::new(200)
            .json(&json!({"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}))
    }

    /// Like Rekor v1's, which says 409 and where it is to what it has already.
    fn entry(&self, proposed: &Value) -> Answer {
        match self.ledger.add_v1(proposed) {
            Ok((name, entry)) => Answer::new(201).json(&json!({name: entry})),
            Err(name) => Answer::new(409)
                .header("location", format!("/rekor/api/v1/log/entries/{name}"))
                .json(&json!({"code": 409, "message": "an equivalent entry already exists"})),
        }
    }

    /// Like Rekor v2's, which says 409 to what it has already, and nothing else of it
    /// (sigstore/rekor-tiles#620).
    fn entry_v2(&self, request: &Value) -> Answer {
        match self.ledger.add_v2(request) {
            Some(entry) => Answer::new(201).json(&entry),
            None => Answer::new(409).json(&json!({
                "code": 6,
                "message": "an equivalent entry already exists in the transparency log with index 0",
            })),
        }
    }

    fn named(&self, path: &str) -> Answer {
        let name = path.strip_prefix("/rekor/api/v1/log/entries/");
        match name.and_then(|name| Some((name, self.ledger.named(name)?))) {
            Some((name, entry)) => Answer::new(200).json(&json!({name: entry})),
            None => {
                Answer::new(404).json(&json!({"message": format!("{} has no such path", self.url)}))
            }
        }
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().try_into().unwrap()
}

pub fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

pub fn bytes(base64: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(base64).unwrap()
}
