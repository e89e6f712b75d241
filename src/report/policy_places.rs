//! Repositories of an environment, as `policy` shows them.

use serde_json::{Value, json};

use crate::image::Destination;
use crate::notices::to_printable;
use crate::policy::Service;

/// The most characters of a text from the policy that are shown.
pub(super) const TEXT_LIMIT: usize = 1_000;

/// Returns a line for each repository, after the name of its service.
pub(super) fn place_lines(places: &[(Option<Service>, Destination)]) -> Vec<String> {
    let services = places.iter().filter_map(|(service, _)| service.as_ref());
    let width = services.map(|service| service.as_str().len()).max();
    let width = width.unwrap_or_default();
    let line = |(service, place): &(Option<Service>, Destination)| {
        let place = to_printable(&place.to_string(), TEXT_LIMIT);
        match service {
            Some(service) => format!("{:<width$}  {place}", service.as_str()),
            None => place,
        }
    };
    places.iter().map(line).collect()
}

/// Returns the repositories, each with the name of its service, as JSON.
pub(super) fn places_json(places: &[(Option<Service>, Destination)]) -> Vec<Value> {
    let place_json = |(service, place): &(Option<Service>, Destination)| {
        json!({
            "service": service.as_ref().map(|service| service.as_str()),
            "repository": place.to_string(),
        })
    };
    places.iter().map(place_json).collect()
}
