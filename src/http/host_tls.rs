//! TLS of one host: authorities of its own, a client certificate, or no verification.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::settings::{ClientCertificateFiles, HttpSettings, HttpSettingsError};
use crate::notices::{FileLocation, Notices};

/// Certificate that the client shows where a server wants one, with its chain and key.
#[derive(Debug)]
pub(super) struct ClientIdentity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// TLS of one host.
#[derive(Debug, Default)]
pub(super) struct HostTls {
    /// Authorities in addition to those of all hosts.
    pub(super) authorities: Vec<CertificateDer<'static>>,
    /// Certificate for this host, instead of the one for all hosts.
    pub(super) identity: Option<ClientIdentity>,
    /// Whether any certificate of the server is accepted.
    pub(super) is_unverified: bool,
}

/// Loads the TLS settings of hosts, by `host` or `host:port`: the folders of Docker's `certs.d`, and the hosts
/// that are not verified.
pub(super) fn load_hosts(settings: &HttpSettings, notices: &Notices) -> BTreeMap<String, HostTls> {
    let mut hosts: BTreeMap<String, HostTls> = BTreeMap::new();
    for folder in &settings.certs_folders {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            match load_folder(&entry.path()) {
                Ok(Some(tls)) => drop(hosts.entry(name).or_insert(tls)),
                Ok(None) => {}
                // It may be about a host that this run does not use.
                Err(error) => warn(notices, &error, &format!("{error}: not used for {name}")),
            }
        }
    }
    for host in &settings.unverified_hosts {
        hosts.entry(host.clone()).or_default().is_unverified = true;
    }
    hosts
}

/// Warns of an error, at the file that it is about.
fn warn(notices: &Notices, error: &HttpSettingsError, text: &str) {
    match error {
        HttpSettingsError::Certificates { path, .. } => {
            let location = FileLocation::new(path.display().to_string());
            notices.file_warning(location, text);
        }
        _ => notices.warning(text),
    }
}

/// Loads the folder of one host: authorities in `*.crt`, client certificates in `*.cert` with the key in
/// `*.key` (Docker's "Verify repository client with certificates"). `None` if it has none of them.
fn load_folder(folder: &Path) -> Result<Option<HostTls>, HttpSettingsError> {
    let files = std::fs::read_dir(folder).map(|files| files.flatten().map(|file| file.path()));
    let mut files: Vec<PathBuf> = files.map(Iterator::collect).unwrap_or_default();
    files.sort();
    let mut tls = HostTls::default();
    for file in &files {
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("crt") => tls.authorities.extend(read_certificates(file)?),
            Some("cert") if tls.identity.is_none() => {
                tls.identity = Some(load_identity(&ClientCertificateFiles {
                    certificate: file.clone(),
                    key: file.with_extension("key"),
                })?);
            }
            _ => {}
        }
    }
    let is_empty = tls.authorities.is_empty() && tls.identity.is_none();
    Ok((!is_empty).then_some(tls))
}

/// Loads a client certificate and its key.
///
/// # Errors
/// Files that cannot be read, or are no PEM files of a certificate and a key.
pub(super) fn load_identity(
    files: &ClientCertificateFiles,
) -> Result<ClientIdentity, HttpSettingsError> {
    let chain = read_certificates(&files.certificate)?;
    let wrong = |reason: String| HttpSettingsError::Certificates {
        path: files.key.clone(),
        reason,
    };
    let bytes = std::fs::read(&files.key);
    let bytes = bytes.map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if bytes.windows(9).any(|window| window == b"ENCRYPTED") {
        let text = "is encrypted: expected a private key without a password";
        return Err(wrong(text.to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(&bytes);
    // The parser's reason could quote the key.
    let key = key.map_err(|_| wrong("is not a PEM file of a private key".to_owned()))?;
    Ok(ClientIdentity { chain, key })
}

/// Reads a PEM file of certificates.
///
/// # Errors
/// A file that cannot be read, or contains no certificate.
pub(super) fn read_certificates(
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, HttpSettingsError> {
    let wrong = |reason: String| HttpSettingsError::Certificates {
        path: path.to_owned(),
        reason,
    };
    let bytes = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(format!("is not a PEM file of certificates: {error}")))?;
    if certificates.is_empty() {
        return Err(wrong("holds no certificate (BEGIN CERTIFICATE)".to_owned()));
    }
    Ok(certificates)
}
