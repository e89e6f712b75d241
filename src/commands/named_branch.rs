//! The head of a branch whose name names a commit: what it has since then would not be released.

use crate::git::{BranchChanges, GitCheckout};
use crate::image::{CommitId, NamedCommit};
use crate::notices::to_printable;
use crate::release::Failure;
use crate::report::RunLog;

/// Longest name of a file that is shown, in characters.
const SHOWN_LENGTH: usize = 80;

/// Branch whose name names a commit.
pub(super) struct NamedBranch<'a> {
    /// Name for people: `the branch release/v1.2.0-sha-2b2e927`. Printable.
    pub(super) named_by: &'a str,
    pub(super) commit: &'a NamedCommit,
}

impl NamedBranch<'_> {
    /// Refuses a branch whose head has other files than the commit that its name names. Warns if that cannot
    /// be told.
    ///
    /// # Errors
    /// Such a head.
    pub(super) fn refuse_changed_head(
        &self,
        checkout: Option<&GitCheckout>,
        head: Option<&CommitId>,
        log: &RunLog,
    ) -> Result<(), Failure> {
        let Self { named_by, commit } = self;
        let changes = match (commit, head) {
            (NamedCommit::Abbreviated(_), Some(head)) if commit.may_be(head) => {
                BranchChanges::Unchanged
            }
            (NamedCommit::Whole(commit), Some(head)) if commit == head => BranchChanges::Unchanged,
            (NamedCommit::Whole(commit), Some(head)) => checkout
                .map_or(BranchChanges::Unknown, |checkout| {
                    checkout.changes_since(commit, head)
                }),
            _ => BranchChanges::Unknown,
        };
        match changes {
            BranchChanges::Unchanged => Ok(()),
            BranchChanges::Unknown => {
                log.warning(&format!(
                    "whether {named_by} has changed since the commit {commit} is not known here: check the repository out before this step, with fetch-depth: 0"
                ));
                Ok(())
            }
            BranchChanges::Changed { files, count } => {
                let shown = files.iter().map(|file| to_printable(file, SHOWN_LENGTH));
                let mut shown: Vec<_> = shown.collect();
                match count - shown.len() {
                    0 => {}
                    more => shown.push(format!("{more} more")),
                }
                let head = head.map_or_else(String::new, |head| format!(" ({head})"));
                let branch = format!("{named_by}{head}");
                Err(Failure::refused(format!(
                    "the head of {branch} has changes since the commit {commit}: {}",
                    shown.join(", ")
                ))
                .with_reason("the branch names the commit whose image is released, and the changes are not in it")
                .with_hint("build and push the head first, and name the branch after it; or give source"))
            }
        }
    }
}
