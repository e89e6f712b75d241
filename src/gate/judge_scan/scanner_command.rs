use super::scan_facts::ScanFacts;
use crate::gate::judged_image::{JudgedImage, JudgedPlatform};
use crate::gate::scan_report::ScanReport;
use crate::image::ImageSource;
use crate::notices::to_printable;

/// Limit on a command line in a message, in characters.
const COMMAND_LIMIT: usize = 1_000;

/// Command line that makes a report of an image: that of the scanner which made the other reports.
pub(super) struct ScannerCommand<'a> {
    scanner: Scanner,
    place: &'a ImageSource,
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
            place: facts.place,
            image: facts.image,
        }
    }

    /// Returns the command line for one platform of the image.
    pub fn for_platform(&self, platform: &JudgedPlatform) -> String {
        let command = match self.place {
            ImageSource::Registry(reference) => {
                let repository = reference.repository.to_string();
                self.in_registry(&repository, platform)
            }
            ImageSource::Layout(folder, _) => format!(
                "trivy image --format json --input {}@{}",
                folder.display(),
                platform.manifest
            ),
            // Of archives and engines scanners take the whole image.
            ImageSource::Archive(file, _) => {
                format!("grype --output json oci-archive:{}", file.display())
            }
            ImageSource::DockerArchive(file, _) => {
                format!("grype --output json docker-archive:{}", file.display())
            }
            ImageSource::Daemon(name) => format!("grype --output json docker:{name}"),
        };
        to_printable(&command, COMMAND_LIMIT)
    }

    fn in_registry(&self, repository: &str, platform: &JudgedPlatform) -> String {
        let is_root = platform.manifest == self.image.root;
        match &platform.platform {
            Some(name) if !is_root => {
                let option = format!("--platform {name} ");
                self.command(&option, &format!("{repository}@{}", self.image.root))
            }
            _ => self.command("", &format!("{repository}@{}", platform.manifest)),
        }
    }

    fn command(&self, platform: &str, image: &str) -> String {
        match self.scanner {
            Scanner::Trivy => format!("trivy image {platform}--format json {image}"),
            Scanner::Grype => format!("grype {platform}--output json {image}"),
        }
    }
}
