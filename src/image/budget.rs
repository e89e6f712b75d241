//! How much memory the manifests and lists of a run may take.
//!
//! What is counted is what is reserved at once: a manifest counts from when it is read until the last copy
//! of its bytes is dropped, and its copies share one count. So a run of a thousand images goes on for
//! as long as it wants, and no image, however many large manifests it names, takes the machine's memory.
//! What can be read again is not kept beyond [`KEEP_LIMIT`]; what has to be reserved beyond [`HOLD_LIMIT`]
//! is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use super::manifest_limits::HOLD_LIMIT;
use super::{MEMBERS_LIMIT, ManifestError};

/// The most bytes that are kept of what can be read again.
const KEEP_LIMIT: usize = 24 << 20;
/// What a member of a JSON object takes beside its text once it is read into a map.
const MEMBER: usize = 128;
/// More levels than serde_json reads.
const DEPTH: usize = 200;

/// The memory for manifests and lists. Cheap to clone; clones count together.
#[derive(Debug, Clone, Default)]
pub struct ManifestBudget(Arc<AtomicUsize>);

/// Memory that is counted until this is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: ManifestBudget,
    bytes: usize,
}

/// The bytes of a manifest, and the memory that counts for them.
struct Counted {
    bytes: Bytes,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl ManifestBudget {
    /// Returns the JSON text of a manifest as bytes that count, with what they are read into, until the
    /// last copy of them is dropped.
    ///
    /// # Errors
    /// More members than a manifest may have, or more than may be reserved.
    pub fn hold(&self, json: Bytes) -> Result<Bytes, ManifestError> {
        let members = members(&json);
        if members > MEMBERS_LIMIT {
            return Err(ManifestError::TooManyMembers);
        }
        let mut reservation = self.reservation();
        let memory = json.len() + MEMBER * members;
        reservation.grow(memory).ok_or(ManifestError::OverBudget)?;
        Ok(Bytes::from_owner(Counted {
            bytes: json,
            _reservation: reservation,
        }))
    }

    /// Returns a reservation of nothing, which can grow.
    pub fn reservation(&self) -> Reservation {
        Reservation {
            budget: self.clone(),
            bytes: 0,
        }
    }

    /// Returns whether there is memory to keep what can be read again.
    pub fn may_keep(&self) -> bool {
        self.reserved() <= KEEP_LIMIT
    }

    /// Returns how many bytes are reserved.
    pub fn reserved(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Reservation {
    /// Reserves so many bytes more; none where that is more than may be reserved.
    pub fn grow(&mut self, bytes: usize) -> Option<()> {
        let fits = |reserved: usize| {
            reserved
                .checked_add(bytes)
                .filter(|reserved| *reserved <= HOLD_LIMIT)
        };
        let order = Ordering::Relaxed;
        self.budget.0.fetch_update(order, order, fits).ok()?;
        self.bytes += bytes;
        Some(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Returns how many members the objects of a JSON text have together, and elements its lists: both take
/// memory once they are read. What is nested more deeply than JSON is read is not counted.
pub(crate) fn members(json: &[u8]) -> usize {
    let (mut members, mut in_string, mut escaped) = (0, false, false);
    // What is open, and whether it is a list; and whether a list has just begun.
    let (mut open, mut begins) = (Vec::new(), false);
    for byte in json {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        if begins && !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            begins = false;
            members += usize::from(*byte != b']');
        }
        match byte {
            b'"' => in_string = true,
            b':' => members += 1,
            b',' if open.last() == Some(&true) => members += 1,
            b'{' | b'[' if open.len() == DEPTH => return members,
            b'{' | b'[' => {
                begins = *byte == b'[';
                open.push(begins);
            }
            b'}' | b']' => drop(open.pop()),
            _ => {}
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_until_their_last_copy_is_dropped() {
        let budget = ManifestBudget::default();
        let json = Bytes::from_static(br#"{"a":{"b:c\":":"d:e"}}"#);
        let reserved = budget.hold(json.clone()).unwrap();
        assert_eq!(reserved, json);
        assert_eq!(budget.reserved(), json.len() + 2 * MEMBER);
        let copy = reserved.slice(1..2);
        drop(reserved);
        assert_ne!(budget.reserved(), 0);
        drop(copy);
        assert_eq!(budget.reserved(), 0);
    }

    #[test]
    fn promise_6_elements_of_lists_count_as_members_do() {
        for (json, expected) in [
            ("[]", 0),
            ("[ ]", 0),
            ("[0]", 1),
            ("[0,1, [2],\"a,b]\"]", 5),
            (r#"{"a":[],"b":[{}],"c":{"d":1}}"#, 5),
            (r#"[["a\\"],["\",[1,2]"]]"#, 4),
            ("[[[[]]]]", 3),
        ] {
            assert_eq!(members(json.as_bytes()), expected, "{json}");
        }
        members("[".repeat(1 << 20).as_bytes());
    }

    #[test]
    fn what_does_not_fit_is_not_kept_and_counts_nothing() {
        let budget = ManifestBudget::default();
        let mut all = budget.reservation();
        assert!(all.grow(KEEP_LIMIT).is_some() && budget.may_keep());
        assert!(all.grow(HOLD_LIMIT - KEEP_LIMIT).is_some() && !budget.may_keep());
        assert!(all.grow(1).is_none() && all.grow(usize::MAX).is_none());
        let reserved = budget.clone().hold(Bytes::from_static(b"{}"));
        assert_eq!(reserved, Err(ManifestError::OverBudget));
        assert_eq!(budget.reserved(), HOLD_LIMIT);
        drop(all);
        let members = ":".repeat(MEMBERS_LIMIT + 1);
        assert_eq!(
            budget.hold(members.into()),
            Err(ManifestError::TooManyMembers)
        );
        assert_eq!(budget.reserved(), 0);
    }
}
