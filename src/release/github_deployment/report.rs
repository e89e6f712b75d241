//! What GitHub was told by a run, and what not.

use std::fmt;

use super::options::GithubLeftOut;

/// What GitHub was told by a run, and what not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GithubReport {
    /// The deployment; `None` if there is none.
    pub deployment: Option<GithubDeploymentStatus>,
    /// What a dry run would create.
    pub planned: Option<String>,
    /// Linked-artifact storage records that were created.
    pub storage_records: usize,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Parts that GitHub was not told.
    pub left_out: Vec<GithubLeftOut>,
}

/// Deployment of a run, with the state that the run gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubDeploymentStatus {
    /// Id.
    pub id: u64,
    /// Name of the environment.
    pub environment: String,
    /// State: `in_progress` if the last status was not taken.
    pub state: &'static str,
    /// Earlier deployments that are marked inactive.
    pub replaced: usize,
}

impl GithubReport {
    /// Returns whether nothing was told, and nothing left out.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns what was told, one text for each part.
    pub fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        if let Some(deployment) = &self.deployment {
            let replaced = match deployment.replaced {
                0 => String::new(),
                1 => ", 1 earlier deployment is inactive".to_owned(),
                count => format!(", {count} earlier deployments are inactive"),
            };
            told.push(format!(
                "deployment {} in {}: {}{replaced}",
                deployment.id, deployment.environment, deployment.state
            ));
        }
        told.extend(self.planned.clone());
        match self.storage_records {
            0 => {}
            1 => told.push("1 linked-artifact storage record".to_owned()),
            count => told.push(format!("{count} linked-artifact storage records")),
        }
        told.extend(self.notes.iter().cloned());
        told
    }

    /// Returns the line about what was left out; `None` if nothing was.
    pub fn left_out_line(&self) -> Option<String> {
        let parts: Vec<String> = self.left_out.iter().map(ToString::to_string).collect();
        (!parts.is_empty()).then(|| format!("left out on GitHub: {}", parts.join("; ")))
    }

    /// Returns the report with all texts changed by `clean`.
    #[must_use]
    pub fn map_texts(self, clean: &dyn Fn(&str) -> String) -> Self {
        let left_out = self.left_out.into_iter().map(|left_out| GithubLeftOut {
            why: clean(&left_out.why),
            ..left_out
        });
        Self {
            planned: self.planned.as_deref().map(clean),
            notes: self.notes.iter().map(|note| clean(note)).collect(),
            left_out: left_out.collect(),
            ..self
        }
    }
}

impl fmt::Display for GithubLeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, because {}", self.what, self.why)?;
        match &self.add {
            Some(add) => write!(f, ", add {add}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_names_all_that_was_left_out() {
        let left_out = |what, add: Option<&str>| GithubLeftOut {
            what,
            why: "it is so".to_owned(),
            add: add.map(str::to_owned),
        };
        let mut report = GithubReport::default();
        assert!(report.is_empty());
        assert_eq!(report.left_out_line(), None);
        report.left_out = vec![
            left_out(
                "the deployment",
                Some("permissions: { deployments: write }"),
            ),
            left_out("the storage record", None),
        ];
        let line = report.left_out_line().unwrap();
        assert_eq!(
            line,
            "left out on GitHub: the deployment, because it is so, add permissions: { deployments: write }; the storage record, because it is so"
        );
        assert!(!report.is_empty());
    }

    #[test]
    fn secrets_are_removed_from_every_text() {
        let report = GithubReport {
            planned: Some("s".to_owned()),
            notes: vec!["s".to_owned()],
            left_out: vec![GithubLeftOut {
                what: "the deployment",
                why: "s".to_owned(),
                add: None,
            }],
            ..GithubReport::default()
        };
        let cleaned = report.map_texts(&|text| text.replace('s', "***"));
        assert_eq!(cleaned.told(), ["***", "***"]);
        assert!(cleaned.left_out_line().unwrap().ends_with("because ***"));
    }
}
