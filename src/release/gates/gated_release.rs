//! Release that the gates judge.

use std::sync::Arc;

use super::gate_request::{GateRequest, GateSignerList};
use crate::release::records::timeline_view::TimelineView;
use crate::release::records::trust::RecordTrust;
use crate::release::resolve::image::ResolvedImage;

/// Release that the gates judge.
pub(crate) struct GatedRelease<'a> {
    /// Image, as it is resolved.
    pub(crate) image: &'a ResolvedImage,
    /// Timeline of the environment that it comes from.
    pub(crate) source: Option<&'a TimelineView>,
}

impl<'a> GatedRelease<'a> {
    /// Returns the release of an image, which may come from the environments of these timelines, and does from the first.
    pub(crate) fn new(image: &'a ResolvedImage, sources: &'a [Arc<TimelineView>]) -> Self {
        Self {
            image,
            source: sources.first().map(AsRef::as_ref),
        }
    }

    /// Returns the signers of the environment that the image comes from; `None` if it does not sign.
    pub(super) fn source_trust(&self) -> Option<&RecordTrust> {
        self.source?.location().trust.as_ref()
    }

    /// Returns the names of the signers of whom the scan gate requires attested reports; `None` if it requires none.
    pub(super) fn required_scan_signers(&self, request: &GateRequest) -> Option<String> {
        let signers = match request.scan.as_ref()?.attested? {
            GateSignerList::OfSource => self.source_trust(),
            GateSignerList::Own(at) => request.own_signers.get(at),
        };
        let names = signers.map(RecordTrust::signer_names);
        let none = || format!("a signer of {}, which has none", self.source_environment());
        Some(names.unwrap_or_else(none))
    }

    /// Returns the name of the environment that the image comes from.
    pub(super) fn source_environment(&self) -> &str {
        self.source.map_or("no environment", |view| {
            view.location().environment.as_str()
        })
    }
}
