//! Reads the moving tags of a release again, after the list of tags.

use std::collections::BTreeSet;

use futures_util::future::try_join;

use crate::image::Tag;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::plan::destination_state::DestinationState;
use crate::release::plan::line_correction::{LineCorrection, TrackedLine};
use crate::release::plan::line_question::LineQuestions;
use crate::release::plan::tracked_tag::TrackedTag;
use crate::release::plan::{line_facts, observe};
use crate::transfer::{ImageStore, Side, StoreError};

/// Lists in a row.
const LISTS: usize = 2;
/// How often a list that lacks our own tag is asked for again.
const STALE_LIST_RETRIES: u32 = 5;

/// Tags that are read again: those that this run has moved, or has found at its image.
pub(crate) struct TrackedTags {
    pub(crate) lines: Vec<TrackedLine>,
    /// Other moving tags, where records are kept.
    pub(crate) others: Vec<TrackedTag>,
}

/// What reads the tags of a destination.
pub(crate) struct TagReader<'a> {
    pub(crate) context: &'a ReleaseContext,
    pub(crate) destination: &'a OpenDestination,
    pub(crate) correction: &'a LineCorrection<'a>,
}

impl TagReader<'_> {
    fn to_failure(&self, error: StoreError) -> Failure {
        Failure::from_store_error(Side::Destination, &self.destination.name, error)
    }

    /// Reads the list of tags, and then the tags, our version's tag and the higher releases.
    pub(crate) async fn read_state(
        &self,
        tracked: &TrackedTags,
    ) -> Result<DestinationState, Failure> {
        let failed = |error| self.to_failure(error);
        let lines = &tracked.lines;
        let mut now = self.read_list(tracked).await?;
        let environments = tracked.others.iter().filter(|tag| tag.is_environment());
        let mut read = self.correction.tags_to_read(lines);
        read.extend(environments.map(|tag| tag.planned.tag.clone()));
        let newer = self.correction.newer_tags(lines, &now);
        let (named, newer) = try_join(
            observe::resolve_tags(self.destination, &read),
            observe::resolve_tags(self.destination, &newer),
        )
        .await
        .map_err(failed)?;
        now.tag_digests.extend(named);
        now.record_digests(newer);
        // What a line names that does not name what it should is found among the higher releases.
        let unknown = self.correction.explaining_tags(lines, &now);
        let digests = observe::resolve_tags(self.destination, &unknown).await;
        now.record_digests(digests.map_err(failed)?);
        self.read_records(tracked, &mut now).await?;
        Ok(now)
    }

    /// Reads the list of tags and the names of the timeline. What the tags named is not known any more.
    async fn read_list(&self, tracked: &TrackedTags) -> Result<DestinationState, Failure> {
        let mut tags = BTreeSet::new();
        for _ in 0..LISTS {
            let listed = self.list_tags().await;
            let (list, is_behind) = listed.map_err(|error| self.to_failure(error))?;
            tags.extend(list);
            if is_behind {
                break;
            }
        }
        let mut now = self.correction.seen.with_tags(tags);
        now.records = self.destination.records.read_names(&now.tags).await?;
        now.tag_digests.retain(|_, digest| digest.is_some());
        for tag in &tracked.others {
            now.tag_digests.remove(&tag.planned.tag);
        }
        Ok(now)
    }

    /// Reads what the records say, as far as decisions on the tags depend on it.
    async fn read_records(
        &self,
        tracked: &TrackedTags,
        now: &mut DestinationState,
    ) -> Result<(), Failure> {
        let root = self.correction.root;
        while now.records.is_some() {
            let lines = tracked.lines.iter();
            let lines = lines.filter_map(|line| self.correction.choose_action(line, now).err());
            let others = tracked.others.iter();
            let others = others.filter_map(|tag| tag.choose_action(now, root).err());
            let mut questions = LineQuestions::default();
            lines
                .chain(others)
                .for_each(|question| questions.add(question));
            if questions.is_empty() {
                break;
            }
            line_facts::answer_questions(self.destination, &questions, now).await?;
        }
        Ok(())
    }

    /// The list of tags, and whether it is known to be behind, since it still lacks what this run wrote.
    async fn list_tags(&self) -> Result<(BTreeSet<Tag>, bool), StoreError> {
        let mut attempts = 0;
        loop {
            let mut tags = self.destination.store.tags().await?;
            let own = self.correction.own_version.as_ref();
            let Some(own) = own.filter(|own| !tags.contains(&own.tag)) else {
                return Ok((tags, false));
            };
            attempts += 1;
            if attempts > STALE_LIST_RETRIES {
                self.context.notices.warning(format!(
                    "{}: the list of tags does not contain {} yet, so a release at the same time cannot be excluded; \
                     repeat the run to check the version lines",
                    self.destination.name, own.tag
                ));
                tags.insert(own.tag.clone());
                return Ok((tags, true));
            }
            // At once the first time: another of the registry's servers may answer.
            if let ImageStore::Registry(remote) = &self.destination.store
                && attempts > 1
            {
                tokio::time::sleep(remote.timing().retry * 2u32.pow(attempts - 2)).await;
            }
        }
    }
}
