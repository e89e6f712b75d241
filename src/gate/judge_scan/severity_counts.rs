use std::fmt;

use crate::gate::severity::Severity;

/// Numbers of findings by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeverityCounts([usize; Severity::ALL.len()]);

impl SeverityCounts {
    /// Returns how many findings have the severity.
    pub fn count(&self, severity: Severity) -> usize {
        let place = Severity::ALL.iter().position(|it| *it == severity);
        place.map_or(0, |place| self.0[place])
    }

    pub(super) fn add(&mut self, severity: Severity) {
        let place = Severity::ALL.iter().position(|it| *it == severity);
        if let Some(place) = place {
            self.0[place] += 1;
        }
    }
}

impl fmt::Display for SeverityCounts {
    /// Writes `1 critical, 2 high, 3 unknown`, or `no findings`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = Severity::ALL.iter().zip(self.0);
        let counted = counted.filter(|(_, count)| *count > 0);
        let counted: Vec<String> = counted
            .map(|(severity, count)| format!("{count} {severity}"))
            .collect();
        match counted.as_slice() {
            [] => f.write_str("no findings"),
            counted => f.write_str(&counted.join(", ")),
        }
    }
}
