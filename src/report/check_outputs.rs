//! Outputs of the step of `check`.

use super::check_json::check_json;
use super::check_report::CheckReport;
use super::summary::SummaryContext;
use super::{check_phrases, image_matrix, phrases};
use crate::image::{Destination, ImageSource};
use crate::release::TagChange;

impl CheckReport {
    /// Returns the outputs of the step. Those that a later job releases by are given only if nothing stands against
    /// a promotion.
    pub(super) fn to_outputs(&self, context: &SummaryContext) -> Vec<(&'static str, String)> {
        let outcome = &self.outcome;
        let mut outputs = vec![
            ("json", check_json(self, context).to_string()),
            ("outcome", check_phrases::outcome_word(outcome).to_owned()),
        ];
        if outcome.failures().next().is_some() {
            return outputs;
        }
        if let [(_, release)] = outcome.releases().collect::<Vec<_>>().as_slice() {
            outputs.push(("digest", release.root.to_string()));
        }
        let plan = outcome.plan.as_ref().map(|plan| plan.digest().to_string());
        outputs.extend([
            ("tags", self.tag_references().join("\n")),
            ("version", self.common_version()),
            ("matrix", self.matrix()),
            ("sources", self.source_lines().join("\n")),
            ("plan", plan.unwrap_or_default()),
        ]);
        outputs
    }

    /// Returns the references of the tags that would name the images.
    fn tag_references(&self) -> Vec<String> {
        let destinations = self.outcome.releases().flat_map(|(_, it)| &it.destinations);
        let references = destinations.flat_map(|destination| {
            let naming = destination.tags.iter().filter(|tag| {
                let change = tag.change.as_ref();
                change.is_some_and(|it| it.writes_root() || *it == TagChange::Unchanged)
            });
            naming.map(|checked| phrases::tag_reference(&destination.place, &checked.tag))
        });
        references.collect()
    }

    fn common_version(&self) -> String {
        let mut versions = self.outcome.releases().map(|(_, it)| it.version.as_deref());
        match versions.next() {
            Some(Some(first)) if versions.all(|it| it == Some(first)) => first.to_owned(),
            _ => String::new(),
        }
    }

    /// Returns the images that would be promoted, where they are now.
    fn matrix(&self) -> String {
        let places: Vec<_> = self
            .outcome
            .releases()
            .map(|(service, release)| {
                (
                    service,
                    source_place(&release.source),
                    release.source_digest,
                )
            })
            .collect();
        image_matrix::image_matrix(
            places
                .iter()
                .filter_map(|(service, place, digest)| Some((*service, place.as_ref()?, *digest))),
        )
    }
}

/// Returns the repository or layout of an image; `None` of an archive.
fn source_place(source: &ImageSource) -> Option<Destination> {
    match source {
        ImageSource::Registry(reference) => {
            Some(Destination::Registry(reference.repository.clone()))
        }
        ImageSource::Layout(path, _) => Some(Destination::Layout(path.clone())),
        _ => None,
    }
}
