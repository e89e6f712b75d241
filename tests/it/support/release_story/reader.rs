//! The reader of timelines in another language, `tests/readers/timeline.py`.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::ReleaseStory;

/// Whether there is a Python to run the reader.
pub fn has_python() -> bool {
    let version = Command::new("python3").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

impl ReleaseStory {
    /// Holds what the reader says of the environment against the model.
    pub(super) fn check_reader(&self, history: &Value, when: &str) {
        if !has_python() {
            return;
        }
        let read = self.check_agreement("prod", history, when);
        let digest = |version: &str| self.digests[version].as_str();
        let current = self.model.current().unwrap();
        let mut withdrawn: Vec<_> = self.model.withdrawn().into_iter().map(digest).collect();
        withdrawn.sort_unstable();
        let previous = self.model.known_good(current).map(digest);
        assert_eq!(read["current"], digest(current), "{when}");
        assert_eq!(read["previous"], json!(previous), "{when}");
        assert_eq!(read["withdrawn"], json!(withdrawn), "{when}");
        assert_eq!(read["missing"], json!([]), "{when}");
    }

    /// Holds what the reader says of an environment against its `history`.
    pub(super) fn check_agreement(&self, environment: &str, history: &Value, when: &str) -> Value {
        let read = self.read(environment);
        let timeline = &history["timelines"][0];
        assert_eq!(read["current"], timeline["current"]["digest"], "{when}");
        assert_eq!(read["previous"], timeline["goodBefore"]["digest"], "{when}");
        assert_eq!(read["passedOver"], json!([]), "{when}");
        let entries = timeline["entries"].as_array().unwrap();
        let withdrawn = entries.iter().filter(|entry| entry["state"] == "withdrawn");
        let mut withdrawn: Vec<_> = withdrawn.map(|entry| entry["digest"].as_str()).collect();
        withdrawn.sort_unstable();
        withdrawn.dedup();
        assert_eq!(read["withdrawn"], json!(withdrawn), "{when}");
        let shown = entries.iter().rev().map(|entry| entry["record"].clone());
        let counted = read["counted"].as_array().unwrap().iter();
        let counted = counted.map(|entry| entry["record"].clone());
        assert_eq!(
            counted.collect::<Value>(),
            shown.collect::<Value>(),
            "{when}"
        );
        read
    }

    /// What the reader says of an environment.
    fn read(&self, environment: &str) -> Value {
        let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers/timeline.py");
        let address = match self.base.strip_prefix("oci:") {
            Some(folder) => format!("{folder}{environment}"),
            None => format!("http://{}{environment}", self.base),
        };
        let output = Command::new("python3")
            .current_dir(self.place.root())
            .arg(reader)
            .args(["--environment", environment, &address])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{address}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
