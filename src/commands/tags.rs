use super::invocation::Invocation;
use super::tag_context::{self, TagInputContext};
use super::tags_preview::ReleasePreview;
use super::unused_inputs::refuse_unused_inputs;
use super::{announcement, rule_inputs};
use crate::cli::{Input, InputCondition};
use crate::release::Failure;
use crate::report::{OutputSeparators, TagsResult, VerbResult};
use crate::tagging::{
    self, CompatMode, Finding, OrderedLabels, TagRuleSet, TaggingError, parse_image_names,
};

/// Says which tags, labels and annotations the event gives an image. Writes to no registry.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    Ok(VerbResult::Tagged(Box::new(derive_tags(invocation).await?)))
}

async fn derive_tags(invocation: &Invocation) -> Result<TagsResult, Failure> {
    let arguments = &invocation.arguments;
    if arguments.choice(Input::For)?.is_none() {
        invocation.log.info(
            "these are the tags that docker/metadata-action gives; for: push or for: promote shows those of push or promote",
        );
    }
    refuse_unused_inputs(arguments, &[InputCondition::NamesReleaseVerb])?;
    let environment = arguments.value(Input::Environment)?;
    rule_inputs::refuse_overrides(invocation, environment.as_ref())?;
    let mode = rule_inputs::parse_mode(arguments)?;
    let images = parse_image_names(arguments.whole(Input::Images))
        .map_err(|error| rule_inputs::to_input_error(arguments, &error))?;
    announcement::announce(invocation, "deriving tags for", &image_names(&images));
    let preview = ReleasePreview::read(invocation).await?;
    let rules = match &preview {
        Some(preview) => preview.rules.clone(),
        None => rule_inputs::parse_rules(arguments)?,
    };
    let rules = rules
        .resolve_references(&images)
        .map_err(|error| rule_inputs::to_input_error(arguments, &error))?;
    let TagInputContext {
        context: subject,
        repository,
    } = collect_context(invocation, &rules, mode).await?;
    let expansion = match preview {
        Some(preview) => preview.derive_tags(invocation, &rules, &subject)?,
        None => tagging::expand_rules(&rules, &subject).map_err(TaggingError::from)?,
    };
    let version = expansion.version().unwrap_or_default().to_owned();
    let mut findings: Vec<Finding> = Vec::new();
    let mut labels = |input: Input| -> Result<OrderedLabels, TaggingError> {
        let lines = (input.name(), arguments.whole(input));
        tagging::build_labels(
            &rules,
            &subject,
            &repository,
            &version,
            lines,
            &mut findings,
        )
    };
    let (mut labels, mut annotations) = (labels(Input::Labels)?, labels(Input::Annotations)?);
    let separators = OutputSeparators {
        tags: separator(invocation, Input::SepTags),
        labels: separator(invocation, Input::SepLabels),
        annotations: separator(invocation, Input::SepAnnotations),
    };
    labels.keep_apart(&separators.labels, &mut findings);
    annotations.keep_apart(&separators.annotations, &mut findings);
    let levels = invocation
        .environment
        .get("DOCKER_METADATA_ANNOTATIONS_LEVELS")
        .unwrap_or("manifest");
    findings.splice(0..0, expansion.findings.iter().cloned());
    if expansion.tags.is_empty() {
        findings.push(Finding {
            difference: None,
            is_note: false,
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
        bake_target: arguments
            .text(Input::BakeTarget)
            .unwrap_or_default()
            .to_owned(),
        findings,
        exports_variables: exports_variables(invocation),
    })
}

async fn collect_context(
    invocation: &Invocation,
    rules: &TagRuleSet,
    mode: CompatMode,
) -> Result<TagInputContext, Failure> {
    let (mut workflow, mut facts) = tag_context::load_event(invocation, mode)?;
    if invocation.arguments.choice(Input::Context)? == Some("git") {
        let (of_checkout, found) = tag_context::event_of_checkout(workflow)?;
        (workflow, facts) = (of_checkout, Some(found));
    }
    let templates = [Input::Labels, Input::Annotations]
        .map(|input| invocation.arguments.whole(input))
        .concat();
    tag_context::collect_context(invocation, rules, facts, workflow, &templates).await
}

/// Returns the names of the images for the log.
fn image_names(images: &[String]) -> String {
    match images {
        [] => "an image without a name".to_owned(),
        images => images.join(", "),
    }
}

fn separator(invocation: &Invocation, input: Input) -> String {
    match invocation.arguments.whole(input) {
        "" => "\n".to_owned(),
        text => text.to_owned(),
    }
}

/// Whether the outputs become variables for later steps too.
fn exports_variables(invocation: &Invocation) -> bool {
    invocation
        .environment
        .get("DOCKER_METADATA_SET_OUTPUT_ENV")
        .is_none_or(|text| text.to_lowercase().contains("true"))
}
