//! Every order in which the requests of several runs can reach a registry.
//!
//! Depth first, with sleep sets (Godefroid): of the orders that differ only in requests that do not
//! touch each other, one is tried. Each is run from the start, over HTTP.

use std::collections::BTreeSet;

/// What can happen next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A run's request reaches the registry: the n-th of its kind.
    Request {
        run: usize,
        request: String,
        nth: usize,
    },
    /// A run dies; what it had asked for by then was done.
    Death { run: usize },
}

impl Step {
    pub fn run(&self) -> usize {
        match self {
            Self::Request { run, .. } | Self::Death { run } => *run,
        }
    }

    /// Whether it makes a difference which of the two comes first.
    fn touches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Request { request: a, .. }, Self::Request { request: b, .. }) => {
                touch(a, b) || touch(b, a)
            }
            _ => self.run() == other.run(),
        }
    }
}

/// Whether a tag is new when it is written. Only tags of versions and entries of timelines are in these tests.
pub fn is_new_tag(tag: &str) -> bool {
    tag.split('.').count() == 3 || tag.starts_with("shipmark.")
}

/// A write touches what reads or writes the same tag; one of a new tag touches the lists.
fn touch(write: &str, other: &str) -> bool {
    let Some(written) = write.strip_prefix("PUT ") else {
        return false;
    };
    let tag = written.rsplit('/').next().unwrap_or_default();
    other.ends_with(written) || (is_new_tag(tag) && other.contains("/tags/list"))
}

/// How an order of steps was left.
struct Node {
    enabled: Vec<Step>,
    sleeping: BTreeSet<Step>,
    chosen: Step,
}

/// Where the search is.
#[derive(Default)]
pub struct Search {
    path: Vec<Node>,
    at: usize,
    /// Orders that were run to their end.
    pub schedules: usize,
}

impl Search {
    /// The next step of the run under way, from those that can be next; `None` where it is at its end,
    /// or goes on as an earlier one did.
    pub fn choose(&mut self, enabled: Vec<Step>) -> Option<Step> {
        if let Some(node) = self.path.get(self.at) {
            assert!(
                enabled.contains(&node.chosen),
                "not the same twice: {:?} at {} of {enabled:?}",
                node.chosen,
                self.at
            );
            self.at += 1;
            return Some(node.chosen.clone());
        }
        if enabled.is_empty() {
            self.schedules += 1;
            return None;
        }
        let sleeping: BTreeSet<Step> = self.path.last().map_or_else(BTreeSet::new, |last| {
            let others = last.sleeping.iter();
            others
                .filter(|step| !step.touches(&last.chosen))
                .cloned()
                .collect()
        });
        let chosen = enabled
            .iter()
            .find(|step| !sleeping.contains(step))?
            .clone();
        self.path.push(Node {
            enabled,
            sleeping,
            chosen: chosen.clone(),
        });
        self.at += 1;
        Some(chosen)
    }

    /// The order under way, for messages.
    pub fn order(&self) -> String {
        let steps = self.path.iter().map(|node| match &node.chosen {
            Step::Request { run, request, .. } => format!("{run}: {request}"),
            Step::Death { run } => format!("{run}: dies"),
        });
        steps.collect::<Vec<_>>().join("\n")
    }

    /// Turns to the next order; false where there is none.
    pub fn next(&mut self) -> bool {
        self.at = 0;
        while let Some(node) = self.path.last_mut() {
            node.sleeping.insert(node.chosen.clone());
            let mut left = node.enabled.iter();
            if let Some(step) = left.find(|step| !node.sleeping.contains(step)) {
                node.chosen = step.clone();
                return true;
            }
            self.path.pop();
        }
        false
    }
}
