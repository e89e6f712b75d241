//! Signers of an environment: who may write its records.

use std::sync::Arc;

use super::deadline::Deadline;
use super::declared_gate_keys::EVIDENCE_SIGNER_LIST;
use super::declared_signer_keys::{
    ACTION_LIST, ACTION_WORDS, EVIDENCE_SIGNER_KEYS, SIGNER_KEYS, SIGNER_LIST,
};
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::key_shapes::KeySet;
use super::problem_list::ProblemList;
use super::yaml_fields::YamlFields;
use super::yaml_node::{YamlNode, YamlText, printable_text};
use crate::record::RecordAction;

/// Somebody who may write records of an environment, or sign evidence for it.
#[derive(Debug, Clone)]
pub struct SignerRule {
    /// Who.
    pub signer: PolicySigner,
    /// Where the entry stands in the file.
    pub(super) position: FilePosition,
    /// What the signer may record; `None`: everything.
    pub actions: Option<Vec<RecordAction>>,
    /// Time up to which records of the signer count; `None`: without end.
    pub until: Option<Deadline>,
}

/// Signer that a policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySigner {
    /// Somebody whom a certificate names.
    Identity(PolicyIdentity),
    /// The holder of the key whose public half is this PEM text, or in the file of this path.
    Key(String),
}

/// What the certificate of a signer must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyIdentity {
    /// Subject; each `*` stands for any characters.
    pub subject: String,
    /// OIDC issuer.
    pub issuer: String,
    /// Repository of the run, `owner/name`. Of a workflow on GitHub it is always known, because whoever may
    /// call a reusable workflow has its subject in a certificate.
    pub repository: Option<String>,
}

impl PartialEq for SignerRule {
    /// Compares all but the positions.
    fn eq(&self, other: &Self) -> bool {
        let content = |rule: &Self| {
            (
                rule.signer.clone(),
                rule.actions.clone(),
                rule.until.clone(),
            )
        };
        content(self) == content(other)
    }
}

impl Eq for SignerRule {}

impl SignerRule {
    /// Returns where the entry stands in its file.
    pub fn position(&self) -> FilePosition {
        self.position
    }

    /// Returns whether the signer may record an action.
    pub fn may_record(&self, action: &RecordAction) -> bool {
        let actions = self.actions.as_ref();
        actions.is_none_or(|actions| actions.contains(action))
    }
}

/// Issuer of the identities of GitHub's jobs.
const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
/// Folder of workflows in a repository, as subjects of certificates have it.
const WORKFLOW_FOLDER: &str = "/.github/workflows/";

/// Parses the key `signers` of an environment.
pub(super) fn parse_signers(list: YamlNode, problems: &mut ProblemList) -> Vec<SignerRule> {
    let entries = problems.keep(list.into_entries(SIGNER_LIST));
    let entries = entries.into_iter().flatten();
    entries
        .filter_map(|entry| parse_signer(entry, &SIGNER_KEYS, problems))
        .collect()
}

/// Parses signers of evidence, who record nothing.
pub(super) fn parse_evidence_signers(
    list: YamlNode,
    problems: &mut ProblemList,
) -> Arc<[SignerRule]> {
    let entries = problems.keep(list.into_entries(EVIDENCE_SIGNER_LIST));
    let entries = entries.into_iter().flatten();
    entries
        .filter_map(|entry| parse_signer(entry, &EVIDENCE_SIGNER_KEYS, problems))
        .collect()
}

fn parse_signer(entry: YamlNode, keys: &KeySet, problems: &mut ProblemList) -> Option<SignerRule> {
    let at = entry.position;
    let mut fields = entry.into_fields(keys, problems)?;
    let actions = fields.read("actions", problems, parse_actions);
    let until = fields.read("until", problems, Deadline::parse);
    let signer = match fields.take("key") {
        Some((_, key)) => {
            problems.keep(refuse_certificate_keys(&mut fields));
            problems.keep(parse_key(key)).map(PolicySigner::Key)
        }
        None => parse_identity(at, &mut fields, problems).map(PolicySigner::Identity),
    };
    Some(SignerRule {
        signer: signer?,
        position: at,
        actions,
        until,
    })
}

/// A key says nothing of an issuer or a repository.
fn refuse_certificate_keys(fields: &mut YamlFields) -> Result<(), PolicyError> {
    for name in ["issuer", "repository"] {
        if let Some((at, _)) = fields.take(name) {
            return Err(at.to_error(PolicyProblem::CertificateKey(name)));
        }
    }
    Ok(())
}

fn parse_key(node: YamlNode) -> Result<String, PolicyError> {
    let YamlText { text, position: at } = node.into_text()?;
    match text.contains("PRIVATE KEY") {
        true => Err(at.to_error(PolicyProblem::PrivateKey)),
        false => Ok(text.trim().to_owned()),
    }
}

fn parse_identity(
    at: FilePosition,
    fields: &mut YamlFields,
    problems: &mut ProblemList,
) -> Option<PolicyIdentity> {
    let subject = fields.read("identity", problems, parse_word);
    let issuer = match fields.take("issuer") {
        Some((_, node)) => problems.keep(parse_issuer(node)),
        None => Some(GITHUB_ISSUER.to_owned()),
    };
    let stated = fields.take("repository");
    let is_stated = stated.is_some();
    let stated = stated.and_then(|(_, node)| problems.keep(parse_repository(node)));
    let (subject, issuer) = (subject?, issuer?);
    let is_own_needed = !is_stated && is_of_github(&subject, &issuer);
    let own = repository_in(&subject).filter(|_| is_own_needed);
    if is_own_needed && own.is_none() {
        let missing = PolicyProblem::NoSignerRepository(printable_text(&subject));
        problems.add(at.to_error(missing));
    }
    Some(PolicyIdentity {
        repository: stated.or_else(|| own.map(str::to_owned)),
        subject,
        issuer,
    })
}

/// Returns a text without blanks and characters that nobody sees, which would match nothing.
fn parse_word(node: YamlNode) -> Result<String, PolicyError> {
    let YamlText { text, position: at } = node.into_text()?;
    let text = text.trim();
    let is_hidden =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}' | '\u{feff}');
    match text.contains(is_hidden) {
        true => Err(at.to_error(PolicyProblem::BlankInside(printable_text(text)))),
        false => Ok(text.to_owned()),
    }
}

fn parse_issuer(node: YamlNode) -> Result<String, PolicyError> {
    let at = node.position;
    let issuer = parse_word(node)?;
    let secure = issuer.strip_prefix("https://");
    let host = secure.or_else(|| issuer.strip_prefix("http://"));
    match host.is_some_and(|host| !host.is_empty()) {
        true => Ok(issuer),
        false => Err(at.to_error(PolicyProblem::Issuer(printable_text(&issuer)))),
    }
}

fn parse_repository(node: YamlNode) -> Result<String, PolicyError> {
    let at = node.position;
    let name = parse_word(node)?;
    let is_name = |part: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        !part.is_empty() && part.bytes().all(allowed)
    };
    let parts: Vec<&str> = name.split('/').collect();
    match parts.len() == 2 && parts.iter().all(|part| is_name(part)) {
        true => Ok(name),
        false => Err(at.to_error(PolicyProblem::SignerRepository(printable_text(&name)))),
    }
}

/// Returns whether certificates of the identity are those of workflows on GitHub.
fn is_of_github(subject: &str, issuer: &str) -> bool {
    let enterprise = issuer.strip_prefix(GITHUB_ISSUER);
    enterprise.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        || subject.contains(WORKFLOW_FOLDER)
}

/// Returns `owner/name` in the subject of a workflow; `None` where `*` could stand for a part of it.
fn repository_in(subject: &str) -> Option<&str> {
    let (host, path) = subject.strip_prefix("https://")?.split_once('/')?;
    let end = path.match_indices('/').nth(1)?.0;
    let repository = &path[..end];
    let is_exact = !host.contains('*') && !repository.contains('*');
    let (owner, name) = repository.split_once('/')?;
    (is_exact && !owner.is_empty() && !name.is_empty()).then_some(repository)
}

fn parse_actions(list: YamlNode) -> Result<Vec<RecordAction>, PolicyError> {
    let mut actions = Vec::new();
    for YamlText { text, position: at } in list.into_texts(ACTION_LIST)? {
        let word = text.trim();
        let named = ACTION_WORDS.contains(&word).then(|| word.parse().ok());
        let action: RecordAction = named.flatten().ok_or_else(|| {
            at.to_error(PolicyProblem::NotOneOf {
                text: printable_text(word),
                words: &ACTION_WORDS,
            })
        })?;
        if let Some((_, first)) = actions.iter().find(|(known, _)| *known == action) {
            let FilePosition { line: first, .. } = *first;
            let what = action.to_string();
            return Err(at.to_error(PolicyProblem::Duplicate { what, first }));
        }
        actions.push((action, at));
    }
    Ok(actions.into_iter().map(|(action, _)| action).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_of_a_signer_is_one_of_records() {
        for word in ACTION_WORDS {
            let action: RecordAction = word.parse().unwrap();
            assert!(!matches!(action, RecordAction::Other(_)), "{word}");
            assert_eq!(action.as_str(), word);
        }
    }

    #[test]
    fn the_repository_of_a_workflow_is_read_from_its_subject() {
        for (subject, repository) in [
            (
                "https://github.com/acme/web/.github/workflows/a.yml@refs/heads/main",
                Some("acme/web"),
            ),
            (
                "https://ghes.example.com/acme/web/.github/workflows/*",
                Some("acme/web"),
            ),
            ("https://github.com/acme/web/*", Some("acme/web")),
            ("https://github.com/acme/web*", None),
            (
                "https://github.com/acme/*/.github/workflows/a.yml@refs/heads/main",
                None,
            ),
            ("https://*/acme/web/.github/workflows/a.yml@*", None),
            ("https://github.com//web/.github/workflows/a.yml@*", None),
            ("*/acme/web/.github/workflows/a.yml@*", None),
            ("*", None),
        ] {
            assert_eq!(repository_in(subject), repository, "{subject}");
        }
    }
}
