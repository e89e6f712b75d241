//! Whether the identity of a signer pins the ref of its workflow.

use super::signer_rule::{PolicySigner, SignerRule};

/// What a signer pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefPin {
    /// The ref of a workflow: a branch or tag, or all that begin with some text.
    Ref,
    /// No ref, and one signer: a key, or an identity of other issuers than GitHub.
    Holder,
    /// Neither: workflows on more refs, or more workflows.
    Nothing,
}

impl RefPin {
    /// Returns what a signer pins.
    pub(super) fn of(rule: &SignerRule) -> Self {
        let PolicySigner::Identity(identity) = &rule.signer else {
            return Self::Holder;
        };
        let is_workflow = identity.subject.contains("/.github/workflows/");
        match identity.subject.rsplit_once('@') {
            Some((workflow, git_ref)) if is_workflow => {
                match !workflow.contains('*') && is_pinned(git_ref) {
                    true => Self::Ref,
                    false => Self::Nothing,
                }
            }
            _ if is_workflow || identity.subject.contains('*') => Self::Nothing,
            _ => Self::Holder,
        }
    }
}

/// Returns whether the ref of a workflow is one branch, tag or commit, or all branches or tags with a beginning.
fn is_pinned(git_ref: &str) -> bool {
    let is_commit = git_ref.len() == 40 && git_ref.bytes().all(|byte| byte.is_ascii_hexdigit());
    let folders = ["refs/heads/", "refs/tags/"].into_iter();
    let mut names = folders.filter_map(|folder| git_ref.strip_prefix(folder));
    let is_name = names.next().is_some_and(|name| {
        let beginning = name.strip_suffix('*').unwrap_or(name);
        !beginning.is_empty() && !beginning.contains('*')
    });
    is_commit || is_name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{FilePosition, PolicyIdentity};

    fn pin(subject: &str) -> RefPin {
        RefPin::of(&SignerRule {
            signer: PolicySigner::Identity(PolicyIdentity {
                subject: subject.to_owned(),
                issuer: "https://token.actions.githubusercontent.com".to_owned(),
                repository: None,
            }),
            position: FilePosition { line: 1, column: 1 },
            actions: None,
            until: None,
        })
    }

    #[test]
    fn a_ref_is_pinned_by_its_name_or_a_beginning() {
        let workflow = "https://github.com/acme/web/.github/workflows/promote.yml";
        for (git_ref, expected) in [
            ("refs/heads/main", RefPin::Ref),
            ("refs/heads/release/*", RefPin::Ref),
            ("refs/heads/r*", RefPin::Ref),
            ("refs/tags/v*", RefPin::Ref),
            ("refs/tags/v1.4.0", RefPin::Ref),
            ("0123456789abcdef0123456789abcdef01234567", RefPin::Ref),
            ("refs/heads/*", RefPin::Nothing),
            ("refs/tags/*", RefPin::Nothing),
            ("refs/heads/", RefPin::Nothing),
            ("refs/heads/*/main", RefPin::Nothing),
            ("refs/heads/r*e*", RefPin::Nothing),
            ("refs/*", RefPin::Nothing),
            ("refs/pull/1/merge", RefPin::Nothing),
            ("*", RefPin::Nothing),
            ("main", RefPin::Nothing),
            ("", RefPin::Nothing),
        ] {
            assert_eq!(pin(&format!("{workflow}@{git_ref}")), expected, "{git_ref}");
        }
    }

    #[test]
    fn one_workflow_is_pinned_and_other_identities_are_holders() {
        for (subject, expected) in [
            (
                "https://github.com/acme/web/.github/workflows/*@refs/heads/main",
                RefPin::Nothing,
            ),
            (
                "https://github.com/*/web/.github/workflows/a.yml@refs/heads/main",
                RefPin::Nothing,
            ),
            (
                "https://github.com/acme/web/.github/workflows/a.yml",
                RefPin::Nothing,
            ),
            ("https://github.com/acme/web/*", RefPin::Nothing),
            ("*", RefPin::Nothing),
            ("*@example.com", RefPin::Nothing),
            ("ops@example.com", RefPin::Holder),
        ] {
            assert_eq!(pin(subject), expected, "{subject}");
        }
    }
}
