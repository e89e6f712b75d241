//! Which image of a release a scan report is about.

use std::collections::BTreeSet;

use crate::gate::judged_image::JudgedImage;
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
        let others = subject.repo_digests.iter().copied();
        others
            .chain(subject.config_digest)
            .for_each(|digest| named.add(digest));
        let child = subject.manifest_digest;
        let counts = |digest: &Digest| named.is_empty() || named.is_known(*digest);
        if let Some(digest) = child.filter(counts) {
            named.add(digest);
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

    fn is_empty(&self) -> bool {
        self.known.is_empty() && self.foreign.is_empty()
    }

    /// Returns whether the image has this digest.
    fn is_known(&self, digest: Digest) -> bool {
        digest == self.image.root || !self.platforms_of(digest).is_empty()
    }

    /// Returns the platforms whose manifest or config has this digest. Docker with containerd's store names an image
    /// by its manifest where it names it by its config without.
    fn platforms_of(&self, digest: Digest) -> BTreeSet<usize> {
        let platforms = self.image.platforms.iter().enumerate();
        let found = platforms.filter(|(_, it)| it.manifest == digest || it.config == digest);
        found.map(|(number, _)| number).collect()
    }

    fn add(&mut self, digest: Digest) {
        let found = self.platforms_of(digest);
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
