use super::{DifferenceKind, PolicyDifference, PolicyValue};
use crate::policy::Service;
use crate::tagging::EnvironmentName;

/// Difference of one key, of an environment or service that the caller knows.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::policy) struct KeyDifference {
    pub(in crate::policy) key: String,
    pub(in crate::policy) kind: DifferenceKind,
    pub(in crate::policy) before: Vec<PolicyValue>,
    pub(in crate::policy) after: Vec<PolicyValue>,
}

impl IntoIterator for KeyDifferences {
    type Item = KeyDifference;
    type IntoIter = std::vec::IntoIter<KeyDifference>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Differences of keys, in the order in which they were found.
#[derive(Debug, Clone, Default)]
pub(in crate::policy) struct KeyDifferences(Vec<KeyDifference>);

impl KeyDifferences {
    pub(in crate::policy) fn add(&mut self, difference: KeyDifference) {
        self.0.push(difference);
    }

    pub(in crate::policy) fn extend(&mut self, others: impl IntoIterator<Item = KeyDifference>) {
        self.0.extend(others);
    }

    /// Adds a difference of two texts.
    pub(super) fn add_texts(&mut self, key: &str, kind: DifferenceKind, before: &str, after: &str) {
        self.add(KeyDifference {
            key: key.to_owned(),
            kind,
            before: vec![PolicyValue::Text(before.to_owned())],
            after: vec![PolicyValue::Text(after.to_owned())],
        });
    }

    /// Adds a difference of texts, if they differ.
    pub(super) fn compare_texts(&mut self, key: &str, before: &str, after: &str) {
        if before != after {
            self.add_texts(key, DifferenceKind::Changed, before, after);
        }
    }

    /// Adds a difference of flags, if they differ, with the words of both values. The flag loosens where it is set.
    pub(in crate::policy) fn compare_flags(
        &mut self,
        key: &str,
        (before, after): (bool, bool),
        words: [&str; 2],
    ) {
        if before != after {
            let value = |flag: bool| vec![PolicyValue::Text(words[usize::from(flag)].to_owned())];
            self.add(KeyDifference {
                key: key.to_owned(),
                kind: DifferenceKind::of_strictness(before, after),
                before: value(before),
                after: value(after),
            });
        }
    }

    /// Adds a difference of values that need not be there, if they differ. `kind` judges two values.
    pub(in crate::policy) fn compare_options<T: PartialEq + ToString>(
        &mut self,
        key: &str,
        (before, after): (Option<T>, Option<T>),
        kind: impl Fn(&T, &T) -> DifferenceKind,
    ) {
        if before == after {
            return;
        }
        let judged = before.as_ref().zip(after.as_ref());
        let judged = judged.map(|(before, after)| kind(before, after));
        let value = |value: Option<T>| {
            let value = value.map(|it| PolicyValue::Text(it.to_string()));
            value.into_iter().collect()
        };
        self.add(KeyDifference {
            key: key.to_owned(),
            kind: judged.unwrap_or(DifferenceKind::Changed),
            before: value(before),
            after: value(after),
        });
    }

    /// Adds a difference of two sets of texts, if they differ. `kind` is given whether the new set has all texts of
    /// the old one, and the reverse.
    pub(in crate::policy) fn compare_sets(
        &mut self,
        key: &str,
        before: &[String],
        after: &[String],
        kind: impl Fn(bool, bool) -> DifferenceKind,
    ) {
        let removed = texts_not_in(before, after);
        let added = texts_not_in(after, before);
        if !removed.is_empty() || !added.is_empty() {
            self.add(KeyDifference {
                key: key.to_owned(),
                kind: kind(removed.is_empty(), added.is_empty()),
                before: removed,
                after: added,
            });
        }
    }

    /// Adds a difference of two lists whose order counts, if they differ: the texts that one of them alone has, or both
    /// lists if the order alone differs.
    pub(in crate::policy) fn compare_lists(
        &mut self,
        key: &str,
        before: &[String],
        after: &[String],
        kind: DifferenceKind,
    ) {
        if before == after {
            return;
        }
        let all = |texts: &[String]| texts.iter().cloned().map(PolicyValue::Text).collect();
        let (mut removed, mut added) = (texts_not_in(before, after), texts_not_in(after, before));
        if removed.is_empty() && added.is_empty() {
            (removed, added) = (all(before), all(after));
        }
        self.add(KeyDifference {
            key: key.to_owned(),
            kind,
            before: removed,
            after: added,
        });
    }

    /// Removes the differences that are among `others` too.
    pub(super) fn remove_all(&mut self, others: &Self) {
        self.0.retain(|difference| !others.0.contains(difference));
    }

    /// Returns the differences, of an environment and a service.
    pub(super) fn into_differences(
        self,
        environment: Option<&EnvironmentName>,
        service: Option<Service>,
    ) -> impl Iterator<Item = PolicyDifference> {
        let environment = environment.cloned();
        self.0.into_iter().map(move |difference| PolicyDifference {
            environment: environment.clone(),
            service: service.clone(),
            key: difference.key,
            kind: difference.kind,
            before: difference.before,
            after: difference.after,
        })
    }
}

fn texts_not_in(texts: &[String], others: &[String]) -> Vec<PolicyValue> {
    let texts = texts.iter().filter(|text| !others.contains(text));
    texts.cloned().map(PolicyValue::Text).collect()
}
