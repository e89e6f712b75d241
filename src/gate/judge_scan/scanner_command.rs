use super::scan_facts::ScanFacts;
use crate::gate::judged_image::{JudgedImage, JudgedPlatform};
use crate::gate::scan_report::ScanReport;
use crate::image::Digest;

/// Command line that makes a report of an image: that of the scanner which made the other reports.
pub(super) struct ScannerCommand<'a> {
    scanner: Scanner,
    repository: &'a str,
    image: &'a JudgedImage,
}

#[derive(Clone, Copy)]
enum Scanner {
    Trivy,
    Grype,
}

impl<'a> ScannerCommand<'a> {
    pub fn new(facts: ScanFacts<'a>) -> Self {
        let usable = facts.reports.iter();
        let mut usable = usable.filter_map(|report| report.content.as_deref().ok());
        let is_grype = |report: &ScanReport| report.tool.as_deref() == Some("grype");
        Self {
            scanner: match usable.next().is_some_and(is_grype) {
                true => Scanner::Grype,
                false => Scanner::Trivy,
            },
            repository: facts.repository,
            image: facts.image,
        }
    }

    /// Returns the command line for one platform of the image.
    pub fn for_platform(&self, platform: &JudgedPlatform) -> String {
        let is_root = platform.manifest == self.image.root;
        match &platform.platform {
            Some(name) if !is_root => self.command(&format!("--platform {name} "), self.image.root),
            _ => self.command("", platform.manifest),
        }
    }

    fn command(&self, platform: &str, digest: Digest) -> String {
        let repository = self.repository;
        match self.scanner {
            Scanner::Trivy => {
                format!("trivy image {platform}--format json {repository}@{digest}")
            }
            Scanner::Grype => format!("grype {platform}--output json {repository}@{digest}"),
        }
    }
}
