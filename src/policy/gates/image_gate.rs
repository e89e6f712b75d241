use std::fmt;
use std::str::FromStr;

use crate::gate::ImageRule;
use crate::policy::declared_gate_keys::{LABEL_LIST, PLATFORM_LIST};
use crate::policy::key_shapes::ListShape;
use crate::policy::problem_list::ProblemList;
use crate::policy::yaml_fields::YamlFields;
use crate::policy::yaml_node::{parse_short_value, parse_text_value};

/// Parses the key `image`; keys that it does not have are those of `base`.
pub(super) fn parse_image(
    fields: &mut YamlFields,
    base: Option<&ImageRule>,
    problems: &mut ProblemList,
) -> ImageRule {
    let mut rule = base.cloned().unwrap_or_default();
    if let Some(platforms) = parse_list(fields, "platforms", PLATFORM_LIST, problems) {
        rule.platforms = platforms;
    }
    if let Some(labels) = parse_list(fields, "labels", LABEL_LIST, problems) {
        rule.labels = labels;
    }
    let user = fields.read("user", problems, parse_text_value);
    rule.user = user.or(rule.user);
    let max_size = fields.read("max-size", problems, parse_text_value);
    rule.max_size = max_size.or(rule.max_size);
    let max_age = fields.read("max-age", problems, parse_text_value);
    rule.max_age = max_age.or(rule.max_age);
    rule
}

fn parse_list<T: FromStr<Err: fmt::Display>>(
    fields: &mut YamlFields,
    name: &str,
    shape: ListShape,
    problems: &mut ProblemList,
) -> Option<Vec<T>> {
    let texts = fields.read(name, problems, |list| list.into_texts(shape))?;
    let values = texts
        .iter()
        .filter_map(|text| problems.keep(parse_short_value(text)));
    Some(values.collect())
}
