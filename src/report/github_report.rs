//! Report of what GitHub was told of a release, in addition to the report of the verb.

use serde_json::{Value, json};

use super::markdown::escape_text;
use crate::release::GithubReport;

/// Returns a line for each part, and one for all that was left out.
pub(super) fn lines(github: &GithubReport) -> Vec<String> {
    let told = github.told().into_iter();
    let told = told.map(|text| format!("GitHub: {text}"));
    told.chain(github.left_out_line()).collect()
}

/// Returns the lines as Markdown, for the job summary.
pub(super) fn section(github: &GithubReport) -> String {
    let lines = lines(github).into_iter();
    let lines: String = lines
        .map(|line| format!("- {}\n", escape_text(&line)))
        .collect();
    format!("\n{lines}")
}

/// Returns the JSON object of a verb with the member `github`.
pub(super) fn add_to_json(object: &str, github: &GithubReport) -> String {
    let Ok(Value::Object(mut members)) = serde_json::from_str(object) else {
        return object.to_owned();
    };
    members.insert("github".to_owned(), to_json(github));
    Value::Object(members).to_string()
}

fn to_json(github: &GithubReport) -> Value {
    let left_out = github
        .left_out
        .iter()
        .map(|left_out| json!({"what": left_out.what, "why": left_out.why, "add": left_out.add}));
    let deployment = github.deployment.as_ref().map(|deployment| {
        json!({
            "id": deployment.id,
            "environment": deployment.environment,
            "state": deployment.state,
            "replaced": deployment.replaced,
        })
    });
    json!({
        "deployment": deployment,
        "planned": github.planned,
        "storageRecords": github.storage_records,
        "notes": github.notes,
        "leftOut": left_out.collect::<Vec<_>>(),
    })
}

/// Returns a report with every part.
#[cfg(test)]
pub(super) fn sample() -> GithubReport {
    use crate::release::{GithubDeploymentStatus, GithubLeftOut};
    GithubReport {
        deployment: Some(GithubDeploymentStatus {
            id: 7,
            environment: "prod".to_owned(),
            state: "success",
            replaced: 1,
        }),
        planned: Some("would create a deployment".to_owned()),
        storage_records: 1,
        notes: vec!["the services are built from 2 commits".to_owned()],
        left_out: vec![GithubLeftOut {
            what: "the storage record",
            why: "a <b>@team</b> refused it".to_owned(),
            add: Some("permissions: artifact-metadata: write".to_owned()),
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_has_one_line() {
        assert_eq!(
            lines(&sample()),
            [
                "GitHub: deployment 7 in prod: success, 1 earlier deployment is inactive",
                "GitHub: would create a deployment",
                "GitHub: 1 linked-artifact storage record",
                "GitHub: the services are built from 2 commits",
                "left out on GitHub: the storage record, because a <b>@team</b> refused it, add permissions: artifact-metadata: write",
            ]
        );
        assert_eq!(lines(&GithubReport::default()), Vec::<String>::new());
    }

    #[test]
    fn text_from_outside_is_no_markdown() {
        let section = section(&sample());
        assert!(section.contains(&escape_text("<b>@team</b>")), "{section}");
        assert!(!section.contains(" <b>"), "{section}");
    }

    #[test]
    fn an_object_gets_a_member_and_keeps_its_own() {
        let object = add_to_json(r#"{"verb":"mark"}"#, &sample());
        let object: Value = serde_json::from_str(&object).unwrap();
        assert_eq!(object["verb"], "mark");
        assert_eq!(object["github"]["deployment"]["id"], 7);
        assert_eq!(add_to_json("", &sample()), "");
    }
}
