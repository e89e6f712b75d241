//! A certificate authority for one test.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
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
        self.sign(params(&["elsewhere.example"]))
    }

    fn sign(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity {
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
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
}

impl Identity {
    /// Speaks HTTP/2 and HTTP/1.1, as the client prefers.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor_with(default_provider())
    }

    /// The same with other cryptography: key exchanges as the provider prefers them.
    pub fn acceptor_with(&self, provider: CryptoProvider) -> TlsAcceptor {
        let key = PrivatePkcs8KeyDer::from(self.key.clone());
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .expect("protocol versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key.into())
            .expect("a server certificate");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}
