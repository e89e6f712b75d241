//! The command lines that make the report of a platform, for the hints of refusals.

use super::scan_facts::ScanFacts;
use crate::gate::judged_image::{JudgedImage, JudgedPlatform};
use crate::gate::scan_report::ScanReport;
use crate::image::ImageSource;
use crate::notices::to_printable;

/// Limit on a command line in a message, in characters.
const COMMAND_LIMIT: usize = 1_000;

/// Command lines that make a report of an image: those of the scanner which made the other reports.
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

    /// Returns how to make the report of one platform of the image.
    pub fn for_platform(&self, platform: &JudgedPlatform) -> ScanStep {
        let name = file_stem(platform);
        let report = format!("{name}.json");
        let command = match self.place {
            ImageSource::Registry(reference) => {
                let repository = reference.repository.to_string();
                self.repository_command(&repository, platform, &report)
            }
            ImageSource::Layout(folder, _) => {
                let layout = format!("oci:{}", folder.display());
                self.layout_command(&layout, platform, &name)
            }
            ImageSource::Archive(file, _) => {
                let archive = format!("oci-archive:{}", file.display());
                self.layout_command(&archive, platform, &name)
            }
            ImageSource::DockerArchive(file, _) => match self.scanner {
                Scanner::Trivy => trivy(&format!("--input {}", file.display()), &report),
                Scanner::Grype => grype(&format!("docker-archive:{}", file.display()), &report),
            },
            ImageSource::Daemon(image) => match self.scanner {
                Scanner::Trivy => trivy(&image.to_string(), &report),
                Scanner::Grype => grype(&format!("docker:{image}"), &report),
            },
        };
        ScanStep {
            platform: platform.name(),
            command: to_printable(&command, COMMAND_LIMIT),
            report,
        }
    }

    /// Returns the command line for an image of a layout, or of a tar of one. Scanners take the first image of it,
    /// or none of several, so that the platform is copied to a layout of its own before.
    fn layout_command(&self, layout: &str, platform: &JudgedPlatform, name: &str) -> String {
        let digest = platform.manifest;
        let copy = format!(
            "shipmark push --source {layout}@{digest} --images oci:{name} --tags type=raw,value=scan"
        );
        let report = format!("{name}.json");
        let scan = match self.scanner {
            Scanner::Trivy => trivy(&format!("--input {name}"), &report),
            Scanner::Grype => grype(&format!("oci-dir:{name}"), &report),
        };
        format!("{copy} && {scan}")
    }

    fn repository_command(
        &self,
        repository: &str,
        platform: &JudgedPlatform,
        report: &str,
    ) -> String {
        let root = self.image.root;
        let subject = match &platform.platform {
            Some(name) if platform.manifest != root => {
                format!("--platform {name} {repository}@{root}")
            }
            _ => format!("{repository}@{}", platform.manifest),
        };
        match self.scanner {
            Scanner::Trivy => trivy(&subject, report),
            Scanner::Grype => grype(&subject, report),
        }
    }
}

/// How to make the report of one platform.
pub(super) struct ScanStep {
    platform: String,
    command: String,
    report: String,
}

impl ScanStep {
    /// Returns the hint for a report that the run is given as a file.
    pub fn to_file_hint(&self) -> String {
        format!(
            "{}, and give {} as scan-report",
            self.to_scan_hint(),
            self.report
        )
    }

    /// Returns the hint for a report that is attested after the scan.
    pub fn to_scan_hint(&self) -> String {
        format!("scan {}: {}", self.platform, self.command)
    }
}

/// Returns the name of a file or directory for a platform: `scan-linux-arm64`.
fn file_stem(platform: &JudgedPlatform) -> String {
    let name = match &platform.platform {
        Some(platform) => platform.to_string(),
        None => platform.manifest.to_hex()[..12].to_owned(),
    };
    let safe = |it: char| match it.is_ascii_alphanumeric() || it == '.' {
        true => it,
        false => '-',
    };
    format!("scan-{}", name.chars().map(safe).collect::<String>())
}

fn trivy(subject: &str, report: &str) -> String {
    format!("trivy image --format json --output {report} {subject}")
}

fn grype(subject: &str, report: &str) -> String {
    format!("grype --output json --file {report} {subject}")
}
