//! A certificate authority for one test.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// A certificate authority, and the server certificates it signs.
pub struct TestCa {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

impl TestCa {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// The authority's own certificate, for the client's trust store.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A good certificate for 127.0.0.1 and localhost.
    pub fn valid(&self) -> Identity {
        self.sign(params(&["127.0.0.1", "localhost"]))
    }

    pub fn expired(&self) -> Identity {
        let mut params = params(&["127.0.0.1", "localhost"]);
        params.not_after = date_time_ymd(2001, 1, 1);
        self.sign(params)
    }

    pub fn wrong_name(&self) -> Identity {
        self.named("elsewhere.example")
    }

    pub fn named(&self, name: &str) -> Identity {
        self.sign(params(&[name]))
    }

    /// A certificate for 127.0.0.1 and 0.0.0.0 that signs itself, as an authority or not, and its PEM.
    pub fn self_signed(is_ca: bool, names: &[&str], not_after: i32) -> (Identity, String) {
        let mut params = params(names);
        if is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params.not_after = date_time_ymd(not_after, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let identity = Identity {
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
            clients: None,
        };
        (identity, certificate.pem())
    }

    /// A certificate for a client, and its key, as PEM.
    pub fn client(&self) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let signed = params(&["client.example"]).signed_by(&key, &self.issuer);
        (signed.expect("a certificate").pem(), key.serialize_pem())
    }

    fn sign(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity {
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
            clients: None,
        }
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).expect("names")
}

/// What a server shows of itself over TLS.
#[derive(Clone)]
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
    /// Authority of the certificates that clients must show.
    clients: Option<CertificateDer<'static>>,
}

impl Identity {
    /// The same for a server that wants a client certificate of this authority.
    pub fn wanting_clients_of(self, ca: &TestCa) -> Self {
        let clients = Some(ca.certificate.der().clone());
        Self { clients, ..self }
    }

    /// Speaks HTTP/2 and HTTP/1.1, as the client prefers.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor_with(default_provider())
    }

    /// The same with other cryptography: key exchanges as the provider prefers them.
    pub fn acceptor_with(&self, provider: CryptoProvider) -> TlsAcceptor {
        let key = PrivatePkcs8KeyDer::from(self.key.clone());
        let provider = Arc::new(provider);
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("protocol versions");
        let config = match &self.clients {
            None => config.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.clone()).expect("an authority");
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
        };
        let mut config = config
            .with_single_cert(vec![self.certificate.clone()], key.into())
            .expect("a server certificate");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}
