use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Severity of a finding, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// No severity is known. It is above nothing.
    Unknown,
    /// Negligible, also what CycloneDX calls `info` and `none`.
    Negligible,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

/// Severity from which findings fail a gate, the value of `fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeverityThreshold(Severity);

/// Reason why a text is not a [`SeverityThreshold`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected critical, high, medium, low or negligible")]
pub struct SeverityError;

impl Severity {
    /// All severities, the highest first.
    pub const ALL: [Self; 6] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Negligible,
        Self::Unknown,
    ];

    /// Returns the name, `critical`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Negligible => "negligible",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a scanner's word for a severity, in any case; `None` for a word that is not one.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|severity| word.eq_ignore_ascii_case(severity.name()))
    }

    /// Returns the band of a CVSS score as GitHub has it: 9.0 and up is critical, then 7.0, 4.0 and 0.1; `None`
    /// for what is not from 0 to 10.
    pub(super) fn from_score(score: f64) -> Option<Self> {
        let band = match score {
            9.0.. => Self::Critical,
            7.0.. => Self::High,
            4.0.. => Self::Medium,
            0.1.. => Self::Low,
            _ => Self::Negligible,
        };
        (0.0..=10.0).contains(&score).then_some(band)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl SeverityThreshold {
    /// Returns whether findings of `severity` fail the gate.
    pub fn is_reached_by(self, severity: Severity) -> bool {
        severity >= self.0
    }

    /// Returns whether every finding that fails at `other` fails here too.
    pub fn is_at_least_as_strict_as(self, other: Self) -> bool {
        self.0 <= other.0
    }

    /// Returns the lowest severity that fails the gate.
    pub fn severity(self) -> Severity {
        self.0
    }
}

impl FromStr for SeverityThreshold {
    type Err = SeverityError;

    fn from_str(text: &str) -> Result<Self, SeverityError> {
        let mut severities = Severity::ALL.into_iter();
        severities
            .find(|severity| severity.name() == text && *severity != Severity::Unknown)
            .map(Self)
            .ok_or(SeverityError)
    }
}

impl fmt::Display for SeverityThreshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_reached_by_itself_and_above_and_never_by_unknown() {
        for text in ["critical", "high", "medium", "low", "negligible"] {
            let threshold: SeverityThreshold = text.parse().unwrap();
            assert_eq!(threshold.to_string(), text);
            for severity in Severity::ALL {
                let expected = severity != Severity::Unknown && severity >= threshold.severity();
                assert_eq!(threshold.is_reached_by(severity), expected);
            }
        }
        for wrong in ["unknown", "High", "", "info"] {
            assert_eq!(wrong.parse::<SeverityThreshold>(), Err(SeverityError));
        }
        let [high, low]: [SeverityThreshold; 2] = ["high", "low"].map(|it| it.parse().unwrap());
        assert!(low.is_at_least_as_strict_as(high) && high.is_at_least_as_strict_as(high));
        assert!(!high.is_at_least_as_strict_as(low));
    }

    #[test]
    fn scores_have_the_bands_of_github() {
        for (score, severity) in [
            (10.0, Severity::Critical),
            (9.0, Severity::Critical),
            (8.99, Severity::High),
            (7.0, Severity::High),
            (6.9, Severity::Medium),
            (4.0, Severity::Medium),
            (3.9, Severity::Low),
            (0.1, Severity::Low),
            (0.09, Severity::Negligible),
            (0.0, Severity::Negligible),
        ] {
            assert_eq!(Severity::from_score(score), Some(severity), "{score}");
        }
        for wrong in [-0.1, 10.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Severity::from_score(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn words_are_read_in_any_case() {
        assert_eq!(Severity::from_word("CRITICAL"), Some(Severity::Critical));
        assert_eq!(
            Severity::from_word("Negligible"),
            Some(Severity::Negligible)
        );
        assert_eq!(Severity::from_word("unKnown"), Some(Severity::Unknown));
        assert_eq!(Severity::from_word("Defcon1"), None);
        assert_eq!(Severity::from_word(" high"), None);
    }
}
