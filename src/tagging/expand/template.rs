//! Handlebars templates as docker/metadata-action has them, and as they are without its traps.

use std::borrow::Cow;

use handlebars::{
    Context, Handlebars, RenderContext, RenderError, RenderErrorReason, Renderable, StringOutput,
    Template, TemplateError,
};
use serde_json::Value;

use super::recorded_differences::RecordedDifferences;
use super::template_helpers::{DateHelpers, ListHelper, ValueHelper};
use crate::notices::similar_word;
use crate::tagging::printable_name::printable_name;
use crate::tagging::{CompatDifference, CompatMode};

/// What a template may say, in both modes.
pub(super) struct TemplateLanguage {
    compatible: ModeEngine,
    strict: ModeEngine,
    names: Vec<&'static str>,
    /// Names that stand for something else in strict mode, and why.
    differing: Vec<(&'static str, CompatDifference)>,
    recorded: RecordedDifferences,
}

/// One mode's helpers and values.
struct ModeEngine {
    helpers: Handlebars<'static>,
    values: Context,
}

/// An expression that stands for a value.
pub(super) struct TemplateExpression {
    pub(super) name: &'static str,
    pub(super) compatible: Result<Value, String>,
    pub(super) strict: Result<Value, String>,
    /// Why the two differ, where they do.
    pub(super) difference: Option<CompatDifference>,
}

impl TemplateExpression {
    /// The same in both modes.
    pub(super) fn new(name: &'static str, value: impl Into<Value>) -> Self {
        let value = value.into();
        Self {
            name,
            compatible: Ok(value.clone()),
            strict: Ok(value),
            difference: None,
        }
    }
}

impl TemplateLanguage {
    /// Expressions that also take, and pass over, arguments; and dates.
    pub(super) fn for_rules(
        expressions: Vec<TemplateExpression>,
        dates: &DateHelpers,
        steps: &RecordedDifferences,
    ) -> Self {
        let mut language = Self::for_dates(dates, steps);
        language
            .names
            .extend(expressions.iter().map(|expression| expression.name));
        let differing =
            |expression: &TemplateExpression| Some((expression.name, expression.difference?));
        language.differing = expressions.iter().filter_map(differing).collect();
        for strict in [false, true] {
            let side = language.engine_mut(strict);
            let value = |expression: &TemplateExpression| match strict {
                true => expression.strict.clone(),
                false => expression.compatible.clone(),
            };
            for expression in &expressions {
                let helper = ValueHelper(value(expression));
                side.helpers
                    .register_helper(expression.name, Box::new(helper));
            }
            side.values = build_values(&expressions, value);
        }
        language
    }

    /// Dates alone.
    pub(super) fn for_dates(dates: &DateHelpers, steps: &RecordedDifferences) -> Self {
        let mut language = Self::for_values(Vec::new(), steps);
        language.names = vec!["date", "commit_date"];
        for strict in [false, true] {
            let helpers = &mut language.engine_mut(strict).helpers;
            let dates = DateHelpers {
                strict,
                ..dates.clone()
            };
            helpers.register_helper("date", Box::new(dates.run_date_helper()));
            helpers.register_helper("commit_date", Box::new(dates.commit_date_helper()));
        }
        language
    }

    /// The parts of a version.
    pub(super) fn for_values(
        expressions: Vec<TemplateExpression>,
        steps: &RecordedDifferences,
    ) -> Self {
        let names: Vec<_> = expressions
            .iter()
            .map(|expression| expression.name)
            .collect();
        let lists: Vec<_> = expressions
            .iter()
            .filter(|expression| matches!(expression.strict, Ok(Value::Array(_))))
            .map(|expression| expression.name)
            .collect();
        let side = |strict| {
            let mut helpers = build_helpers(strict, steps);
            for name in &lists {
                let steps = steps.clone();
                helpers.register_helper(name, Box::new(ListHelper { strict, steps }));
            }
            let values = build_values(&expressions, |expression| expression.strict.clone());
            ModeEngine { helpers, values }
        };
        Self {
            compatible: side(false),
            strict: side(true),
            names,
            differing: Vec::new(),
            recorded: steps.clone(),
        }
    }

    fn engine_mut(&mut self, strict: bool) -> &mut ModeEngine {
        match strict {
            true => &mut self.strict,
            false => &mut self.compatible,
        }
    }

    /// Expands `text`, in compatible mode watching for what strict mode would make of it.
    pub(super) fn expand(&self, text: &str, mode: CompatMode) -> Result<String, TemplateProblem> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let template =
            Template::compile(&adapt_syntax(text)).map_err(|error| syntax_problem(&error))?;
        if mode == CompatMode::Strict {
            return self
                .strict
                .render(&template)
                .map_err(|error| self.to_problem(&error));
        }
        let expanded = self
            .compatible
            .render(&template)
            .map_err(|error| self.to_problem(&error))?;
        match self.strict.render(&template) {
            Ok(strict) if strict == expanded => {}
            Err(error) if matches!(error.reason(), RenderErrorReason::MissingVariable(_)) => {
                self.recorded.add(CompatDifference::UnknownExpression);
            }
            Ok(_) | Err(_) => {
                let named = self
                    .differing
                    .iter()
                    .filter(|(name, _)| text.contains(name));
                named.for_each(|(_, difference)| self.recorded.add(*difference));
            }
        }
        Ok(expanded)
    }

    /// Whether `text` can be read at all.
    pub(super) fn check_syntax(text: &str) -> Result<(), TemplateProblem> {
        Template::compile(&adapt_syntax(text))
            .map(|_| ())
            .map_err(|error| syntax_problem(&error))
    }

    fn to_problem(&self, error: &RenderError) -> TemplateProblem {
        let text = match error.reason() {
            RenderErrorReason::MissingVariable(Some(name))
            | RenderErrorReason::HelperNotFound(name) => {
                let similar = similar_word(name, self.names.iter().copied());
                let meant = similar.map(|word| format!("; did you mean {word}?"));
                let name = printable_name(name);
                format!(
                    "the expression {name} is not known{}",
                    meant.unwrap_or_default()
                )
            }
            RenderErrorReason::MissingVariable(None) => "an expression is not known".to_owned(),
            other => printable_name(&other.to_string()),
        };
        let column = error.column_no.unwrap_or(1);
        TemplateProblem { text, column }
    }
}

/// What is wrong in a template, and where, in characters from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TemplateProblem {
    pub(super) text: String,
    pub(super) column: usize,
}

/// The parser shows the whole template with an arrow; the place is said in words here.
fn syntax_problem(error: &TemplateError) -> TemplateProblem {
    TemplateProblem {
        text: "invalid template from here on".to_owned(),
        column: error.pos().map_or(1, |(_, column)| column),
    }
}

impl ModeEngine {
    fn render(&self, template: &Template) -> Result<String, RenderError> {
        let mut out = StringOutput::new();
        let mut context = RenderContext::new(None);
        template.render(&self.helpers, &self.values, &mut context, &mut out)?;
        Ok(out.into_string()?)
    }
}

fn build_values(
    expressions: &[TemplateExpression],
    value: impl Fn(&TemplateExpression) -> Result<Value, String>,
) -> Context {
    let values: serde_json::Map<_, _> = expressions
        .iter()
        .filter_map(|expression| Some((expression.name.to_owned(), value(expression).ok()?)))
        .collect();
    Context::from(Value::Object(values))
}

/// The helpers of Handlebars for JavaScript, without those that Rust's has beyond them.
fn build_helpers(strict: bool, steps: &RecordedDifferences) -> Handlebars<'static> {
    let mut helpers = Handlebars::new();
    for name in [
        "eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not", "len", "raw",
    ] {
        helpers.unregister_helper(name);
    }
    helpers.set_strict_mode(strict);
    if strict {
        helpers.register_escape_fn(handlebars::no_escape);
    } else {
        let steps = steps.clone();
        helpers.register_escape_fn(move |text| escape_html(text, &steps));
    }
    helpers
}

fn escape_html(text: &str, steps: &RecordedDifferences) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#x27;",
            '`' => escaped += "&#x60;",
            '=' => escaped += "&#x3D;",
            c => escaped.push(c),
        }
    }
    if escaped.len() != text.len() {
        steps.add(CompatDifference::Escape);
    }
    escaped
}

/// What Handlebars for JavaScript takes and Rust's does not: `{{&x y}}` is `{{{x y}}}`, and within
/// single quotes a backslash is itself.
fn adapt_syntax(text: &str) -> Cow<'_, str> {
    if !text.contains("{{&") && !text.contains("{{~&") && !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut adapted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let (before, inside) = rest.split_at(start);
        adapted += before;
        let Some(end) = inside.find("}}").filter(|_| !before.ends_with('\\')) else {
            adapted += "{{";
            rest = &inside[2..];
            continue;
        };
        adapted += &adapt_expression(&inside[..end]);
        rest = &inside[end..];
        if let Some(after) = rest.strip_prefix("}}").filter(|_| is_unescaped(inside)) {
            adapted += "}}}";
            rest = after;
        }
    }
    Cow::Owned(adapted + rest)
}

fn is_unescaped(inside: &str) -> bool {
    inside.starts_with("{{&")
}

fn adapt_expression(inside: &str) -> String {
    let inside = match inside.strip_prefix("{{&") {
        Some(rest) => format!("{{{{{{{rest}"),
        None => inside.to_owned(),
    };
    let parts = inside.split('\'').enumerate();
    let parts = parts.map(|(index, part)| match index % 2 {
        1 if !part.ends_with('\\') => part.replace('\\', "\\\\"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("'")
}
