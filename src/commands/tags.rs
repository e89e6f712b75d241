use super::tag_context::{self, TagInputContext};
use super::{Invocation, release_request};
use crate::release::Failure;
use crate::report::{OutputSeparators, TagsResult};
use crate::tagging::{
    self, CompatMode, Finding, OrderedLabels, TagRuleSet, TaggingError, parse_image_names,
};

/// Says which tags, labels and annotations the event gives an image. Writes to no registry.
pub(super) async fn run_tags(given: &Invocation) -> Result<TagsResult, Failure> {
    let arguments = &given.arguments;
    let environment = arguments.value("environment")?;
    release_request::refuse_overrides(given, environment.as_ref())?;
    let mode = release_request::parse_mode(arguments)?;
    let images = parse_image_names(arguments.whole("images"))
        .map_err(|error| release_request::to_input_error(arguments, &error))?;
    let rules = TagRuleSet::parse(arguments.whole("tags"), arguments.whole("flavor"), mode)
        .map_err(|error| release_request::to_input_error(arguments, &error))?;
    let TagInputContext {
        context: subject,
        repository,
    } = collect_context(given, &rules, mode).await?;
    let expansion = tagging::expand_rules(&rules, &subject).map_err(TaggingError::from)?;
    let version = expansion.version().unwrap_or_default().to_owned();
    let mut findings: Vec<Finding> = Vec::new();
    let mut labels = |input| -> Result<OrderedLabels, TaggingError> {
        let lines = (input, arguments.whole(input));
        tagging::build_labels(
            &rules,
            &subject,
            &repository,
            &version,
            lines,
            &mut findings,
        )
    };
    let (mut labels, mut annotations) = (labels("labels")?, labels("annotations")?);
    let separators = OutputSeparators {
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
            difference: None,
            text: "no rule gives a tag for this event".to_owned(),
        });
    }
    Ok(TagsResult {
        images,
        expansion,
        labels,
        annotations,
        levels: levels.split(',').map(str::to_owned).collect(),
        separators,
        bake_target: arguments.text("bake-target").unwrap_or_default().to_owned(),
        findings,
        exports_variables: exports_variables(given),
    })
}

async fn collect_context(
    given: &Invocation,
    rules: &TagRuleSet,
    mode: CompatMode,
) -> Result<TagInputContext, Failure> {
    let (mut workflow, mut facts) = tag_context::load_event(given, mode)?;
    if given.arguments.choice("context")? == Some("git") {
        let (of_checkout, found) = tag_context::event_of_checkout(workflow)?;
        (workflow, facts) = (of_checkout, Some(found));
    }
    let templates = ["labels", "annotations"]
        .map(|name| given.arguments.whole(name))
        .concat();
    tag_context::collect_context(given, rules, facts, workflow, &templates).await
}

fn separator(given: &Invocation, name: &'static str) -> String {
    match given.arguments.whole(name) {
        "" => "\n".to_owned(),
        text => text.to_owned(),
    }
}

/// Whether the outputs become variables for later steps too.
fn exports_variables(given: &Invocation) -> bool {
    given
        .environment
        .get("DOCKER_METADATA_SET_OUTPUT_ENV")
        .is_none_or(|text| text.to_lowercase().contains("true"))
}
