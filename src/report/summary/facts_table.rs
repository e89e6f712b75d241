//! Table of facts: names and values, of which the first row is the head.

use crate::report::markdown::{escape_text, table_row};

/// Facts in their order, with values in Markdown.
#[derive(Debug, Default)]
pub(super) struct FactsTable(Vec<(&'static str, String)>);

impl FactsTable {
    /// Adds a fact.
    pub(super) fn add(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.push((name, value.into()));
    }

    /// Adds a fact that may be unknown.
    pub(super) fn add_known(&mut self, name: &'static str, value: Option<String>) {
        self.0.extend(value.map(|value| (name, value)));
    }

    /// Adds the facts of another table.
    pub(super) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Adds the environment, if any, with the one that its images come from.
    pub(super) fn add_environment(&mut self, environment: Option<&str>, from: Option<&str>) {
        let Some(environment) = environment.map(escape_text) else {
            return;
        };
        match from.map(escape_text) {
            Some(from) => self.add("Environment", format!("{environment}, from {from}")),
            None => self.add("Environment", environment),
        }
    }

    /// Returns the table, empty without facts.
    pub(super) fn to_markdown(&self) -> String {
        let mut rows = self
            .0
            .iter()
            .map(|(name, value)| table_row(&[*name, value.as_str()]));
        let Some(head) = rows.next() else {
            return String::new();
        };
        format!(
            "\n{head}{}{}",
            table_row(&[":---", ":---"]),
            rows.collect::<String>()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fact_is_the_head() {
        let mut facts = FactsTable::default();
        assert_eq!(facts.to_markdown(), "");
        facts.add("Environment", "prod");
        facts.add_known("Version", None);
        facts.add_known("Digest", Some("`x`".to_owned()));
        assert_eq!(
            facts.to_markdown(),
            "\n| Environment | prod |\n| :--- | :--- |\n| Digest | `x` |\n"
        );
    }
}
