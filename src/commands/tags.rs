use super::subject::{self, About};
use super::{Given, request};
use crate::release::Failure;
use crate::report::{Separators, Tagged};
use crate::tagging::{self, Finding, Labels, Mode, Rules, TaggingError, image_names};

/// Says which tags, labels and annotations the event gives an image. Writes to no registry.
pub(super) async fn run(given: &Given) -> Result<Tagged, Failure> {
    let arguments = &given.arguments;
    let environment = arguments.value("environment")?;
    request::refuse_overrides(given, environment.as_ref())?;
    let mode = request::mode(arguments)?;
    let images = image_names(arguments.whole("images"))
        .map_err(|error| request::rule_error(arguments, &error))?;
    let rules = Rules::read(arguments.whole("tags"), arguments.whole("flavor"), mode)
        .map_err(|error| request::rule_error(arguments, &error))?;
    let About {
        subject,
        repository,
    } = about(given, &rules, mode).await?;
    let expansion = tagging::expand(&rules, &subject).map_err(TaggingError::from)?;
    let version = expansion.version().unwrap_or_default().to_owned();
    let mut findings: Vec<Finding> = Vec::new();
    let mut labels = |input| -> Result<Labels, TaggingError> {
        let lines = (input, arguments.whole(input));
        tagging::labels(
            &rules,
            &subject,
            &repository,
            &version,
            lines,
            &mut findings,
        )
    };
    let (mut labels, mut annotations) = (labels("labels")?, labels("annotations")?);
    let separators = Separators {
        tags: separator(given, "sep-tags"),
        labels: separator(given, "sep-labels"),
        annotations: separator(given, "sep-annotations"),
    };
    labels.keep_apart(&separators.labels, &mut findings);
    annotations.keep_apart(&separators.annotations, &mut findings);
    let levels = given
        .environment
        .get("DOCKER_METADATA_ANNOTATIONS_LEVELS")
        .unwrap_or("manifest");
    findings.splice(0..0, expansion.findings.iter().cloned());
    if expansion.tags.is_empty() {
        findings.push(Finding {
            trap: None,
            text: "no rule gives a tag for this event".to_owned(),
        });
    }
    Ok(Tagged {
        images,
        expansion,
        labels,
        annotations,
        levels: levels.split(',').map(str::to_owned).collect(),
        separators,
        bake_target: arguments.text("bake-target").unwrap_or_default().to_owned(),
        findings,
        exported: exported(given),
    })
}

async fn about(given: &Given, rules: &Rules, mode: Mode) -> Result<About, Failure> {
    let (mut workflow, mut facts) = subject::event(given, mode)?;
    if given.arguments.choice("context")? == Some("git") {
        let (of_checkout, found) = subject::of_checkout(workflow)?;
        (workflow, facts) = (of_checkout, Some(found));
    }
    let templates = ["labels", "annotations"]
        .map(|name| given.arguments.whole(name))
        .concat();
    subject::about(given, rules, facts, workflow, &templates).await
}

fn separator(given: &Given, name: &'static str) -> String {
    match given.arguments.whole(name) {
        "" => "\n".to_owned(),
        text => text.to_owned(),
    }
}

/// Whether the outputs become variables for later steps too.
fn exported(given: &Given) -> bool {
    given
        .environment
        .get("DOCKER_METADATA_SET_OUTPUT_ENV")
        .is_none_or(|text| text.to_lowercase().contains("true"))
}
