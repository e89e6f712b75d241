use super::report_error::ScanReportError;
use crate::gate::json_stream::{JsonStream, JsonType};

/// Most filters of a report.
const FILTER_LIMIT: usize = 1024;
/// Most conditions of a rule that are shown.
const CONDITION_COUNT: usize = 8;

/// What Grype was told to leave out, in its recorded configuration.
#[derive(Default)]
pub(super) struct GrypeFilters {
    texts: Vec<String>,
}

/// Ignore rule of Grype's configuration.
#[derive(Default)]
struct IgnoreRule {
    conditions: Vec<String>,
    package: String,
    upstream: String,
    match_type: String,
}

impl GrypeFilters {
    pub fn read_member(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        let found = json.peek_type()?;
        match (name, found) {
            ("only-fixed" | "only-notfixed", JsonType::Flag) if json.flag()? == Some(true) => {
                self.push(name.to_owned())
            }
            // Another distribution than that of the image has other findings.
            ("ignore-wontfix" | "distro", JsonType::Text) => match json.short_text()? {
                Some(states) => self.push(format!("{name}: {states}")),
                None => Ok(()),
            },
            ("exclude" | "vex-documents", JsonType::List) => json
                .list(|json| match json.short_text()? {
                    Some(path) => self.push(format!("{name}: {path}")),
                    None => Ok(()),
                })
                .map(drop),
            ("ignore", JsonType::List) => json.list(|json| self.read_rule(json)).map(drop),
            _ => Ok(()),
        }
    }

    pub fn into_texts(self) -> Vec<String> {
        self.texts
    }

    fn read_rule(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        let mut rule = IgnoreRule::default();
        json.object(|json, name| rule.read_member(json, name))?;
        match rule.is_built_in() {
            true => Ok(()),
            false => self.push(format!("ignore: {}", rule.conditions.join(", "))),
        }
    }

    fn push(&mut self, text: String) -> Result<(), ScanReportError> {
        if self.texts.len() == FILTER_LIMIT {
            let text = format!("it records more than {FILTER_LIMIT} filters");
            return Err(ScanReportError::TooLarge(text));
        }
        self.texts.push(text);
        Ok(())
    }
}

impl IgnoreRule {
    fn read_member(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match (name, json.peek_type()?) {
            ("package", JsonType::Object) => json.object(|json, name| {
                if json.peek_type()? == JsonType::Text {
                    let value = json.short_text()?.unwrap_or_default();
                    self.add_condition(&format!("package {name}"), &value);
                    match name {
                        "name" => self.package = value,
                        "upstream-name" => self.upstream = value,
                        _ => {}
                    }
                }
                Ok(())
            }),
            (_, JsonType::Text) => {
                let value = json.short_text()?.unwrap_or_default();
                self.add_condition(name, &value);
                if name == "match-type" {
                    self.match_type = value;
                }
                return Ok(());
            }
            _ => return Ok(()),
        }
        .map(drop)
    }

    fn add_condition(&mut self, name: &str, value: &str) {
        if !value.is_empty() && self.conditions.len() < CONDITION_COUNT {
            self.conditions.push(format!("{name} {value}"));
        }
    }

    /// Returns whether Grype sets the rule without being told: headers of the kernel are not the kernel. The findings
    /// that it takes out are among the ignored matches all the same.
    fn is_built_in(&self) -> bool {
        let names = (self.package.as_str(), self.upstream.as_str());
        let is_header = matches!(
            names,
            ("kernel-headers", "kernel")
                | ("linux(-.*)?-headers-.*", "linux.*")
                | ("linux-libc-dev", "linux")
        );
        is_header && self.match_type == "exact-indirect-match"
    }
}
