//! Refusals that are found one after the other, so that one run tells all of them.

use super::Failure;

/// Refusals of one release.
#[derive(Debug, Default)]
pub(super) struct RefusalList(Vec<Failure>);

impl RefusalList {
    /// Returns the value of a result; `None` if it is a refusal, which the list keeps.
    ///
    /// # Errors
    /// A failure of another kind, with the refusals before it.
    pub(super) fn keep<T>(&mut self, result: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(failure @ Failure::Refused(_)) => {
                self.0.push(failure);
                Ok(None)
            }
            Err(failure) => {
                let mut all = std::mem::take(&mut self.0);
                let is_cancelled = failure == Failure::Cancelled;
                all.push(failure.clone());
                Err(Failure::join(all)
                    .filter(|_| !is_cancelled)
                    .unwrap_or(failure))
            }
        }
    }

    /// Returns the refusals.
    pub(super) fn into_failures(self) -> Vec<Failure> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_kept_and_any_other_failure_ends_the_list() {
        let mut list = RefusalList::default();
        assert_eq!(list.keep(Ok(1)), Ok(Some(1)));
        let refused = |what: &str| Err::<(), _>(Failure::refused(what));
        assert_eq!(list.keep(refused("one")), Ok(None));
        assert_eq!(list.keep(refused("two")), Ok(None));
        let ended = list.keep(Err::<(), _>(Failure::service("three")));
        let others = ["two", "three"].map(Failure::refused);
        assert_eq!(ended, Err(Failure::refused("one").with_further(others)));
    }
}
