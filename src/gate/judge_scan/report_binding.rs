//! Which image of a release a scan report is about.

use std::collections::BTreeSet;

use crate::gate::judged_image::{JudgedImage, JudgedPlatform};
use crate::gate::scan_report::ScanReport;
use crate::image::{Digest, Platform, PlatformName};

/// Relation of a scan report to an image. The numbers are those of [`JudgedImage::platforms`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportBinding {
    /// It names this image, and was made of these platforms; none are known if it does not say which.
    Image(BTreeSet<usize>),
    /// It names no digest. Its platform, or the only one that is released, could be meant.
    Unbound(BTreeSet<usize>),
    /// It names other images only, with these digests.
    Foreign(Vec<Digest>),
    /// Its digests contradict each other, so that it is about no image. The text says how.
    Contradicting(String),
}

impl ReportBinding {
    /// Returns the relation of `report` to `image`.
    ///
    /// A root binds, but only the digest of a child or of a config, else the platform, says what was scanned.
    /// Every digest must be one of the image. Only the child that Grype computes may be foreign where others bind.
    pub fn find(report: &ScanReport, image: &JudgedImage) -> Self {
        if report.is_unbound() {
            let released = image.platforms.iter().map(|it| it.is_released);
            return Self::Unbound(meant_platforms(
                report,
                image,
                &released.collect::<Vec<_>>(),
            ));
        }
        let mut named = NamedImages::new(image);
        let subject = &report.subject;
        for digest in &subject.repo_digests {
            named.add(*digest, |platform| platform.manifest == *digest);
        }
        if let Some(digest) = subject.config_digest {
            named.add(digest, |platform| platform.config == digest);
        }
        let has_others = !subject.repo_digests.is_empty() || subject.config_digest.is_some();
        if let Some(digest) = subject.manifest_digest {
            let is_known = image.has_manifest(digest);
            if is_known || !has_others {
                named.add(digest, |platform| platform.manifest == digest);
            }
        }
        named.into_binding(report, image)
    }
}

/// Digests of a report, compared with an image.
struct NamedImages<'a> {
    image: &'a JudgedImage,
    known: Vec<Digest>,
    foreign: Vec<Digest>,
    /// Platforms that all known digests allow.
    platforms: BTreeSet<usize>,
    /// Whether a digest chose the platforms.
    is_chosen: bool,
}

impl<'a> NamedImages<'a> {
    fn new(image: &'a JudgedImage) -> Self {
        Self {
            image,
            known: Vec::new(),
            foreign: Vec::new(),
            platforms: (0..image.platforms.len()).collect(),
            is_chosen: false,
        }
    }

    fn add(&mut self, digest: Digest, is_of: impl Fn(&JudgedPlatform) -> bool) {
        let platforms = self.image.platforms.iter().enumerate();
        let found = platforms.filter(|(_, platform)| is_of(platform));
        let found: BTreeSet<usize> = found.map(|(number, _)| number).collect();
        if !found.is_empty() {
            self.known.push(digest);
            self.platforms.retain(|number| found.contains(number));
            self.is_chosen = true;
        } else if digest == self.image.root {
            self.known.push(digest);
        } else {
            self.foreign.push(digest);
        }
    }

    fn into_binding(self, report: &ScanReport, image: &JudgedImage) -> ReportBinding {
        match (self.known.first(), self.foreign.first()) {
            (None, _) => ReportBinding::Foreign(self.foreign),
            (Some(known), Some(foreign)) => ReportBinding::Contradicting(format!(
                "{} is of this image, {} is not",
                known.short(),
                foreign.short()
            )),
            (Some(_), None) if self.platforms.is_empty() => {
                let known: Vec<String> = self.known.iter().map(Digest::short).collect();
                ReportBinding::Contradicting(format!(
                    "{} are of different platforms",
                    known.join(" and ")
                ))
            }
            (Some(_), None) if self.is_chosen => ReportBinding::Image(self.platforms),
            (Some(_), None) => {
                let all = vec![true; image.platforms.len()];
                ReportBinding::Image(meant_platforms(report, image, &all))
            }
        }
    }
}

impl JudgedImage {
    fn has_manifest(&self, digest: Digest) -> bool {
        let mut platforms = self.platforms.iter();
        self.root == digest || platforms.any(|platform| platform.manifest == digest)
    }
}

/// Returns the platform, of the possible ones, that a report means without naming its digest.
fn meant_platforms(
    report: &ScanReport,
    image: &JudgedImage,
    is_possible: &[bool],
) -> BTreeSet<usize> {
    let numbers = (0..image.platforms.len()).filter(|number| is_possible[*number]);
    let possible: BTreeSet<usize> = numbers.collect();
    let Some(scanned) = &report.platform else {
        return one_or_none(possible);
    };
    let is_scanned = |number: &usize| {
        let platform = &image.platforms[*number].platform;
        platform
            .as_ref()
            .is_some_and(|platform| is_same_platform(platform, scanned))
    };
    one_or_none(possible.into_iter().filter(is_scanned).collect())
}

fn one_or_none(numbers: BTreeSet<usize>) -> BTreeSet<usize> {
    match numbers.len() {
        1 => numbers,
        _ => BTreeSet::new(),
    }
}

fn is_same_platform(platform: &Platform, scanned: &Platform) -> bool {
    let name: Option<PlatformName> = platform.to_string().parse().ok();
    name.is_some_and(|name| name.matches(scanned))
}
