//! Lists the names of a timeline's entries: those near its end where that is enough, else all.

use std::time::Duration;

use super::history_request::HistoryRequest;
use crate::record::{EntryName, RecordTime};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::timeline_view::TimelineView;
use crate::release::resolve::image_store::open_to_read;
use crate::transfer::{ImageStore, Side};

/// Names of entries that were listed.
pub(super) struct ListedNames {
    pub(super) view: TimelineView,
    /// Whether there are no others.
    pub(super) is_complete: bool,
    /// Time from which entries are listed; `None`: all.
    pub(super) begin: Option<RecordTime>,
}

/// Lists more with each call, and all at last.
pub(super) struct NameLister<'a> {
    request: &'a HistoryRequest,
    store: ImageStore,
    /// Times from which entries are listed, the latest last.
    begins: Vec<RecordTime>,
}

/// How far before the clock a list begins; the second where the first has too few entries.
const SPANS: [Duration; 2] = [
    Duration::from_secs(2 * 24 * 3600),
    Duration::from_secs(60 * 24 * 3600),
];
/// Most entries that are sought near the end.
const NEAR_END_LIMIT: usize = 200;

impl<'a> NameLister<'a> {
    pub(super) fn new(request: &'a HistoryRequest, context: &ReleaseContext) -> Self {
        let store = open_to_read(context, request.location.entries());
        let is_registry = matches!(store, ImageStore::Registry(_));
        let begins = match (request.limit, request.filter.since) {
            _ if !is_registry || request.tag.is_some() => Vec::new(),
            (_, Some(since)) => vec![since],
            (Some(limit), None) if limit <= NEAR_END_LIMIT && request.filter.is_empty() => {
                let begins = SPANS.iter().rev();
                begins
                    .filter_map(|span| request.clock.before(*span))
                    .collect()
            }
            _ => Vec::new(),
        };
        Self {
            request,
            store,
            begins,
        }
    }

    /// Lists more than before.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(super) async fn list(&mut self) -> Result<ListedNames, Failure> {
        while let Some(begin) = self.begins.pop() {
            match self.list_from(begin).await {
                Some(view) if !view.names().is_empty() => {
                    return Ok(ListedNames {
                        view,
                        is_complete: false,
                        begin: Some(begin),
                    });
                }
                Some(_) => {}
                None => break,
            }
        }
        self.begins.clear();
        let location = &self.request.location;
        let tags =
            self.store.tags().await.map_err(|error| {
                Failure::from_store_error(Side::Source, location.entries(), error)
            })?;
        Ok(ListedNames {
            view: TimelineView::new(location.clone(), &self.store, &tags),
            is_complete: true,
            begin: None,
        })
    }

    async fn list_from(&self, begin: RecordTime) -> Option<TimelineView> {
        let ImageStore::Registry(remote) = &self.store else {
            return None;
        };
        let location = &self.request.location;
        let prefix = EntryName::environment_prefix(&location.environment);
        let start = format!("{prefix}{}", begin.to_tag_part());
        let tags = remote.tags_from(&start, &prefix).await?;
        Some(TimelineView::new(location.clone(), &self.store, &tags))
    }
}
