//! Finds the releases of a commit in a timeline.

use std::collections::HashMap;

use super::timeline_view::TimelineView;
use crate::image::{CommitId, Digest, NamedCommit};
use crate::record::EntryName;
use crate::release::Failure;

/// Newest entries that are searched.
const SEARCHED_ENTRIES: usize = 320;
/// Most counted entries that are read: each summarizes the 32 before it.
const READ_LIMIT: usize = 10;

/// Root that was released from a commit, by a counted record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommitRelease {
    pub(crate) root: Digest,
    pub(crate) commit: CommitId,
}

impl TimelineView {
    /// Returns the roots that were released from a commit, newest first, each once. Summaries find them; the
    /// record of each is read, and must count and name the commit.
    ///
    /// # Errors
    /// A store that cannot tell, or too many entries that do not count.
    pub(crate) async fn find_commit(
        &self,
        commit: &NamedCommit,
    ) -> Result<Vec<CommitRelease>, Failure> {
        let mut releases = Vec::new();
        for root in self.roots_of_commit(commit).await? {
            let reading = self.read_newest_release(root).await?;
            let record = reading.as_ref().and_then(|reading| reading.counted());
            let built = record.and_then(|record| record.commit());
            if let Some(built) = built.filter(|built| commit.may_be(built)) {
                releases.push(CommitRelease {
                    root,
                    commit: built,
                });
            }
        }
        Ok(releases)
    }

    /// Returns the roots that entries or summaries of them say were released from a commit.
    async fn roots_of_commit(&self, commit: &NamedCommit) -> Result<Vec<Digest>, Failure> {
        let mut summaries: HashMap<EntryName, (Digest, Option<String>)> = HashMap::new();
        let mut roots = Vec::new();
        let mut count = 0;
        for name in self.names().iter().rev().take(SEARCHED_ENTRIES) {
            let known = match summaries.remove(name) {
                Some(known) => Some(known),
                None if count == READ_LIMIT => continue,
                None => {
                    let reading = self.read(name).await?;
                    let Some(record) = reading.counted() else {
                        self.check_strays()?;
                        continue;
                    };
                    count += 1;
                    for past in &record.record().predicate.past {
                        let known = (past.root, past.commit.clone());
                        summaries.insert(self.name_of(past), known);
                    }
                    Some((record.entry.root, record.entry.commit.clone()))
                }
            };
            let Some((root, Some(sha))) = known.filter(|_| name.action.is_release()) else {
                continue;
            };
            let is_sought = sha.parse().is_ok_and(|built| commit.may_be(&built));
            if is_sought && !roots.contains(&root) {
                roots.push(root);
            }
        }
        Ok(roots)
    }
}
