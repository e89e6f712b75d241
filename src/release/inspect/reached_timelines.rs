//! Timelines that may know of an image, and that a run may read.

use super::inspect_request::{InspectRequest, InspectSubject};
use super::open_image::OpenImage;
use crate::image::Destination;
use crate::record::EntryName;
use crate::release::context::ReleaseContext;
use crate::release::records::intent::intent_environment;
use crate::release::records::location::TimelineLocation;
use crate::release::records::trust::RecordTrust;
use crate::tagging::EnvironmentName;

/// Returns the timelines that may know of the image; without a network those in its own registry and in layouts.
pub(super) fn reached_timelines(
    request: &InspectRequest,
    image: &OpenImage,
    context: &ReleaseContext,
) -> Vec<TimelineLocation> {
    let mut timelines = timelines(request, image);
    if request.is_offline {
        let is_near = |location: &TimelineLocation| image.is_near(location.entries());
        for location in timelines.iter().filter(|it| !is_near(it)) {
            context.notices.info(format!(
                "the records of {} in {} are not read: offline is true",
                location.environment,
                location.entries()
            ));
        }
        timelines.retain(is_near);
    }
    timelines
}

fn timelines(request: &InspectRequest, image: &OpenImage) -> Vec<TimelineLocation> {
    let mut timelines = request.timelines.clone();
    if let InspectSubject::Environment(location) = &request.subject {
        let is_there = timelines.iter().any(|it| is_same(it, location));
        if !is_there {
            timelines.insert(0, location.clone());
        }
    }
    if !request.finds_environments {
        return timelines;
    }
    for environment in image.environments_named() {
        let location = TimelineLocation {
            environment,
            destination: image.place.clone(),
            entries_at: None,
            trust: request.signer.clone().map(RecordTrust::from_signer),
        };
        if !timelines.iter().any(|it| is_same(it, &location)) {
            timelines.push(location);
        }
    }
    timelines
}

fn is_same(one: &TimelineLocation, other: &TimelineLocation) -> bool {
    one.environment == other.environment && one.destination == other.destination
}

impl OpenImage {
    /// Returns the environments that entries and intents about the image name, in order; of an image that is named
    /// by a tag those of all entries, because the tag may have been another image's.
    fn environments_named(&self) -> Vec<EnvironmentName> {
        let names = self.tags.iter();
        let names = names.filter_map(|tag| tag.as_str().parse::<EntryName>().ok());
        let has_tag = self.named_tag().is_some();
        let of_root = names.filter(|name| has_tag || name.root.is_of(self.root.digest));
        let intents = self.referrers.entries.iter().filter_map(intent_environment);
        let intents = intents.filter_map(|name| name.parse().ok());
        let mut environments: Vec<EnvironmentName> = Vec::new();
        for environment in of_root.map(|name| name.environment).chain(intents) {
            if !environments.contains(&environment) {
                environments.push(environment);
            }
        }
        environments
    }

    /// Returns whether a place is a layout, or in the registry of the image.
    fn is_near(&self, place: &Destination) -> bool {
        match (place, &self.place) {
            (Destination::Registry(place), Destination::Registry(own)) => {
                place.registry() == own.registry()
            }
            (Destination::Registry(_), Destination::Layout(_)) => false,
            (Destination::Layout(_), _) => true,
        }
    }
}
