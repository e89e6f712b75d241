//! Documents that a run is given for its gates: scan reports, and the OpenVEX documents of the policy.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::gate::{
    ConsideredReport, ConsideredVex, JudgedImage, ReportBinding, ScanReport, VexDocument,
};
use crate::image::{Digest, DigestHasher};

/// Scan report of the input `scan-report`.
#[derive(Debug, Clone)]
pub struct GivenReport {
    /// Path, as given, and content.
    pub report: ConsideredReport,
    /// Digest and size of the file.
    pub file: FileIdentity,
}

/// Scan reports of a run, which releases one image or several.
#[derive(Debug)]
pub struct GivenReports {
    reports: Vec<GivenReport>,
    /// Whether each report is about an image of the run, as far as images were judged.
    claims: Vec<AtomicBool>,
    is_of_several: bool,
}

impl GivenReports {
    /// Returns the reports of a run, and whether it releases several images.
    pub fn new(reports: Vec<GivenReport>, is_of_several: bool) -> Self {
        Self {
            claims: reports.iter().map(|_| AtomicBool::new(false)).collect(),
            reports,
            is_of_several,
        }
    }

    /// Returns whether the run releases several images, of which a report without a digest would be about all.
    pub(super) fn are_of_several(&self) -> bool {
        self.is_of_several
    }

    /// Returns the reports that are judged for an image. In a run of several images those are left out that name
    /// another one.
    pub(super) fn of(&self, image: &JudgedImage) -> Vec<&GivenReport> {
        let each = self.reports.iter().zip(&self.claims);
        let own = each.filter(|(given, claim)| {
            let Ok(report) = &given.report.content else {
                return true;
            };
            let is_own = match ReportBinding::find(report, image) {
                // One of the digests that contradict each other is of this image.
                ReportBinding::Image(_)
                | ReportBinding::Unbound(_)
                | ReportBinding::Contradicting(_) => true,
                ReportBinding::Foreign(_) => false,
            };
            claim.fetch_or(is_own, Ordering::Relaxed);
            is_own || !self.is_of_several
        });
        own.map(|(given, _)| given).collect()
    }

    /// Returns whether there is no report.
    pub(crate) fn is_empty(&self) -> bool {
        self.reports.is_empty()
    }

    /// Notes which reports are about an image whose reports no gate judges.
    pub(super) fn claim(&self, image: &JudgedImage) {
        self.of(image);
    }

    /// Returns the names of usable reports that are about no image that was judged.
    pub(crate) fn unclaimed(&self) -> Vec<&str> {
        let each = self.reports.iter().zip(&self.claims);
        let unclaimed = each.filter(|(given, claim)| {
            given.report.content.is_ok() && !claim.load(Ordering::Relaxed)
        });
        unclaimed
            .map(|(given, _)| given.report.name.as_str())
            .collect()
    }
}

/// OpenVEX document of the policy.
#[derive(Debug, Clone)]
pub struct GivenVex {
    /// Path in the repository, and content.
    pub document: ConsideredVex,
    /// Digest and size of the file.
    pub file: FileIdentity,
}

/// Digest and size of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileIdentity {
    /// Digest of its bytes.
    pub digest: Digest,
    /// Number of its bytes.
    pub size: u64,
}

impl GivenReport {
    /// Reads a report as a stream: its text is never in memory as a whole.
    ///
    /// # Errors
    /// A file that cannot be read. One that is no report that counts is told by its content.
    pub fn read(name: String, source: impl Read) -> io::Result<Self> {
        let mut source = HashingReader::new(source);
        let content = ScanReport::read(&mut source).map(Arc::new);
        let file = source.into_identity()?;
        Ok(Self {
            report: ConsideredReport {
                name,
                content,
                attested_by: None,
            },
            file,
        })
    }
}

impl GivenVex {
    /// Reads a document.
    pub fn parse(name: String, content: &[u8]) -> Self {
        Self {
            document: ConsideredVex {
                name,
                content: VexDocument::parse(content).map(Arc::new),
            },
            file: FileIdentity {
                digest: Digest::from_bytes(content),
                size: content.len() as u64,
            },
        }
    }
}

/// Reader that knows the digest of what was read.
struct HashingReader<R> {
    source: R,
    hasher: DigestHasher,
    size: u64,
    error: Option<io::ErrorKind>,
}

impl<R: Read> HashingReader<R> {
    fn new(source: R) -> Self {
        Self {
            source,
            hasher: DigestHasher::new(),
            size: 0,
            error: None,
        }
    }

    /// Reads the rest, and returns the identity of the whole file.
    fn into_identity(mut self) -> io::Result<FileIdentity> {
        if let Some(kind) = self.error {
            return Err(kind.into());
        }
        io::copy(&mut self, &mut io::sink())?;
        Ok(FileIdentity {
            digest: self.hasher.finish(),
            size: self.size,
        })
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.source.read(buffer) {
            Ok(count) => {
                self.hasher.update(&buffer[..count]);
                self.size += count as u64;
                Ok(count)
            }
            Err(error) => {
                // The parser can only say that the text ends.
                if error.kind() != io::ErrorKind::Interrupted {
                    self.error = Some(error.kind());
                }
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_report_has_its_digest() {
        let text = vec![b'x'; 100_000];
        let given = GivenReport::read("a.json".to_owned(), text.as_slice()).unwrap();
        assert!(given.report.content.is_err());
        assert_eq!(given.file.digest, Digest::from_bytes(&text));
        assert_eq!(given.file.size, 100_000);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_report() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        let error = GivenReport::read("a.json".to_owned(), b"{\"a\": ".chain(Broken)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
