//! Credential helpers: programs of others that keep logins (docker-credential-helpers' protocol).
//!
//! `docker-credential-NAME get` reads the registry's address and answers with a user name and a
//! secret. What it says otherwise is never shown, since it may hold either.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::registry_credential::RegistryCredential;
use crate::image::RegistryName;
use crate::notices::Notices;

/// How long a helper may take: some ask a cloud, one keeps waiting for a person.
const HELPER_TIMEOUT: Duration = Duration::from_secs(30);
/// The most that is read of an answer, in bytes. Tokens of clouds have a few thousand.
const ANSWER_LIMIT: u64 = 64 << 10;
/// The user name that says that the secret is an identity token.
const IDENTITY_TOKEN: &str = "<token>";
/// How Docker Hub is called in the stores of helpers.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// What helpers are run with.
#[derive(Clone, Debug, Default)]
pub struct HelperEnvironment {
    /// The folders to look for them in (`PATH`).
    pub folders: Vec<PathBuf>,
    /// Their environment.
    pub variables: Vec<(String, String)>,
}

/// The helpers of a run. Each is asked once for a registry, however many wait for the answer.
#[derive(Debug)]
pub(super) struct CredentialHelpers {
    surroundings: HelperEnvironment,
    notices: Notices,
    answers: Mutex<HashMap<(String, RegistryName), HelperAnswer>>,
}

type HelperAnswer = Arc<OnceCell<Result<Option<RegistryCredential>, HelperFault>>>;

/// Why a helper gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HelperFault {
    /// There is no such program.
    Absent,
    /// It did not do its work.
    Failed(String),
}

impl CredentialHelpers {
    pub(super) fn new(surroundings: HelperEnvironment, notices: Notices) -> Self {
        Self {
            surroundings,
            notices,
            answers: Mutex::default(),
        }
    }

    /// The credential that a helper keeps for a registry; `None` where it has none.
    pub(super) async fn get_credential(
        &self,
        helper: &str,
        registry: &RegistryName,
    ) -> Result<Option<RegistryCredential>, HelperFault> {
        let answer = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (helper.to_owned(), registry.clone());
            answers.entry(key).or_default().clone()
        };
        answer
            .get_or_init(|| self.run_helper(helper, registry))
            .await
            .clone()
    }

    /// Whether a helper has answered that it keeps nothing for a registry.
    pub(super) fn has_none(&self, helper: &str, registry: &RegistryName) -> bool {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.get(&(helper.to_owned(), registry.clone()));
        matches!(answer.and_then(|answer| answer.get()), Some(Ok(None)))
    }

    async fn run_helper(
        &self,
        helper: &str,
        registry: &RegistryName,
    ) -> Result<Option<RegistryCredential>, HelperFault> {
        let program = self.find_program(helper).ok_or(HelperFault::Absent)?;
        let answer = tokio::time::timeout(
            HELPER_TIMEOUT,
            self.run_program(&program, server_name(registry)),
        );
        let credential = match answer.await {
            Ok(answer) => answer?,
            Err(_) => {
                return Err(HelperFault::Failed(format!(
                    "did not answer within {} s",
                    HELPER_TIMEOUT.as_secs()
                )));
            }
        };
        // Before anybody can use them.
        let secrets = credential.iter().flat_map(RegistryCredential::secrets);
        secrets.for_each(|secret| self.notices.secret(secret));
        Ok(credential)
    }

    /// The program, where there is one. The name is from a file, and must not lead elsewhere.
    fn find_program(&self, helper: &str) -> Option<PathBuf> {
        if helper.is_empty() || helper.contains(['/', '\0']) {
            return None;
        }
        let program = format!("docker-credential-{helper}");
        let folders = self.surroundings.folders.iter();
        folders
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(&program))
            .find(|path| is_program(path))
    }

    async fn run_program(
        &self,
        program: &Path,
        server: &str,
    ) -> Result<Option<RegistryCredential>, HelperFault> {
        let failed = |reason: String| HelperFault::Failed(reason);
        let mut child = Command::new(program)
            .arg("get")
            .env_clear()
            .envs(self.surroundings.variables.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(format!("cannot be started: {error}")))?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that knows its answer need not read the question.
            let _ = stdin.write_all(server.as_bytes()).await;
        }
        let mut answer = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let mut limited = stdout.take(ANSWER_LIMIT + 1);
            let read = limited.read_to_end(&mut answer).await;
            read.map_err(|error| failed(format!("cannot be read: {error}")))?;
        }
        if answer.len() as u64 > ANSWER_LIMIT {
            return Err(failed(format!("answered more than {ANSWER_LIMIT} bytes")));
        }
        let status = child.wait().await;
        let status = status.map_err(|error| failed(format!("cannot be waited for: {error}")))?;
        match status.success() {
            true => parse_answer(&answer)
                .ok_or_else(|| failed("answered something that is not a login".into())),
            // The protocol's own words for it.
            false if answer.starts_with(b"credentials not found") => Ok(None),
            false => Err(failed(format!("failed ({status})"))),
        }
    }
}

/// What the helpers' stores have a registry under.
fn server_name(registry: &RegistryName) -> &str {
    match registry.is_docker_hub() {
        true => DOCKER_HUB,
        false => registry.as_str(),
    }
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// The answer of a helper; the inner `None` where it is that there is no login.
fn parse_answer(answer: &[u8]) -> Option<Option<RegistryCredential>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct HelperAnswerJson {
        username: String,
        secret: SecretString,
    }
    let wire: HelperAnswerJson = serde_json::from_slice(answer).ok()?;
    Some(
        match (wire.username.as_str(), wire.secret.expose_secret()) {
            (_, "") => None,
            (IDENTITY_TOKEN, _) => Some(RegistryCredential::RefreshToken(wire.secret)),
            _ => Some(RegistryCredential::Password {
                user: wire.username,
                password: wire.secret,
            }),
        },
    )
}
