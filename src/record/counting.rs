//! Whether a record that was found under a name counts for a timeline, as far as the record itself says it.

use thiserror::Error;

use super::entry_name::EntryName;
use super::record_id::RecordId;
use super::statement::ReleaseRecord;
use crate::tagging::EnvironmentName;

/// Timeline that a reader asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelinePlace {
    /// Environment.
    pub environment: EnvironmentName,
    /// Repository of the releases, as in `destination`.
    pub destination: String,
}

/// Reason why a record does not count for a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordMismatch {
    /// It is of another environment.
    #[error("it is of the environment {got}, expected {expected}")]
    Environment {
        /// Environment of the record.
        got: EnvironmentName,
        /// Environment of the timeline.
        expected: EnvironmentName,
    },
    /// It is about another repository.
    #[error("its destination is {got}, expected {expected}")]
    Destination {
        /// Destination of the record.
        got: String,
        /// Repository of the timeline.
        expected: String,
    },
    /// The name of its entry says something else than the record.
    #[error("its tag says {named}, expected {expected}")]
    Name {
        /// Name of the entry.
        named: Box<EntryName>,
        /// Name that the record has.
        expected: Box<EntryName>,
    },
}

impl ReleaseRecord {
    /// Checks that the record is of the timeline.
    ///
    /// # Errors
    /// Returns what differs.
    pub fn check_place(&self, place: &TimelinePlace) -> Result<(), RecordMismatch> {
        let predicate = &self.predicate;
        if predicate.environment != place.environment {
            return Err(RecordMismatch::Environment {
                got: predicate.environment.clone(),
                expected: place.environment.clone(),
            });
        }
        if predicate.destination != place.destination {
            return Err(RecordMismatch::Destination {
                got: predicate.destination.clone(),
                expected: place.destination.clone(),
            });
        }
        Ok(())
    }

    /// Returns the name of the timeline entry of the record, whose id is `id`.
    pub fn entry_name(&self, id: RecordId) -> EntryName {
        let predicate = &self.predicate;
        EntryName::new(
            predicate.environment.clone(),
            predicate.planned_at,
            predicate.action.clone(),
            self.root,
            id,
        )
    }

    /// Checks that an entry of the timeline has the name of its record, whose id is `id`: a renamed entry
    /// would have another time, action or root.
    ///
    /// # Errors
    /// Returns what differs.
    pub fn check_entry(
        &self,
        id: RecordId,
        named: &EntryName,
        place: &TimelinePlace,
    ) -> Result<(), RecordMismatch> {
        self.check_place(place)?;
        let expected = self.entry_name(id);
        match *named == expected {
            true => Ok(()),
            false => Err(RecordMismatch::Name {
                named: Box::new(named.clone()),
                expected: Box::new(expected),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Digest;
    use crate::record::{RecordAction, ReleasePredicate};

    fn record() -> ReleaseRecord {
        let json = serde_json::json!({
            "environment": "prod", "destination": "r.example/web", "action": "promote",
            "tool": "shipmark", "plannedAt": "2026-11-20T21:48:08.123Z",
        });
        let predicate: ReleasePredicate = serde_json::from_value(json).unwrap();
        ReleaseRecord {
            root: Digest::from_bytes(b"root"),
            predicate,
        }
    }

    #[test]
    fn promise_6_a_record_counts_in_its_own_timeline_only() {
        let record = record();
        let id = RecordId::from_blob(&record.to_statement());
        let place = |environment: &str, destination: &str| TimelinePlace {
            environment: environment.parse().unwrap(),
            destination: destination.to_owned(),
        };
        let own = place("prod", "r.example/web");
        let name = record.entry_name(id);
        assert_eq!(record.check_entry(id, &name, &own), Ok(()));
        let stage = record.check_entry(id, &name, &place("stage", "r.example/web"));
        assert!(matches!(stage, Err(RecordMismatch::Environment { .. })));
        let api = record.check_entry(id, &name, &place("prod", "r.example/api"));
        assert!(matches!(api, Err(RecordMismatch::Destination { .. })));
        for replayed in [
            EntryName {
                planned_at: name.planned_at.next().unwrap(),
                ..name.clone()
            },
            EntryName {
                action: RecordAction::Rollback,
                ..name.clone()
            },
            EntryName {
                root: name.record,
                ..name.clone()
            },
            EntryName {
                record: name.root,
                ..name.clone()
            },
        ] {
            let error = record.check_entry(id, &replayed, &own).unwrap_err();
            assert!(matches!(error, RecordMismatch::Name { .. }), "{error}");
        }
    }
}
