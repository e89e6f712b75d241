//! The expressions that templates are made of.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, PathAndJson, RenderContext,
    RenderError, RenderErrorReason, Renderable, ScopedJson,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::moment_format;
use super::recorded_differences::RecordedDifferences;
use crate::tagging::CompatDifference;

fn render_error(text: impl Into<String>) -> RenderError {
    RenderErrorReason::Other(text.into()).into()
}

/// A value, whatever arguments it is given. As a block it shows what is within, as in JavaScript
/// any text does.
pub(super) struct ValueHelper(pub(super) Result<Value, String>);

impl HelperDef for ValueHelper {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        match helper.template().filter(|_| helper.is_block()) {
            Some(within) => within.render(registry, context, render, out),
            None => InlineValueHelper(&self.0).call(helper, registry, context, render, out),
        }
    }

    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        _: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        value_or_error(&self.0)
    }
}

/// [`ValueHelper`] where it is no block: escaped as any value is.
struct InlineValueHelper<'a>(&'a Result<Value, String>);

impl HelperDef for InlineValueHelper<'_> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        _: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        value_or_error(self.0)
    }
}

fn value_or_error<'rc>(value: &Result<Value, String>) -> Result<ScopedJson<'rc>, RenderError> {
    match value {
        Ok(value) => Ok(value.clone().into()),
        Err(problem) => Err(render_error(problem.clone())),
    }
}

/// A list as text: JavaScript puts commas between, which no version has.
pub(super) struct ListHelper {
    pub(super) strict: bool,
    pub(super) steps: RecordedDifferences,
}

impl HelperDef for ListHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        if helper.param(0).is_some() {
            return Err(RenderErrorReason::HelperNotFound(helper.name().to_owned()).into());
        }
        let list = context.data().get(helper.name());
        let parts: Vec<&str> = list
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if parts.len() > 1 && !self.strict {
            self.steps.add(CompatDifference::Lists);
        }
        let text = parts.join(if self.strict { "." } else { "," });
        Ok(Value::from(text).into())
    }
}

/// The times that dates are made from.
#[derive(Clone)]
pub(super) struct DateHelpers {
    pub(super) now: Timestamp,
    pub(super) committed: Option<Timestamp>,
    pub(super) strict: bool,
    pub(super) steps: RecordedDifferences,
}

impl DateHelpers {
    /// The helper `date`.
    pub(super) fn run_date_helper(&self) -> DateHelper {
        let at = Some(self.now);
        DateHelper {
            at,
            dates: self.clone(),
        }
    }

    /// The helper `commit_date`.
    pub(super) fn commit_date_helper(&self) -> DateHelper {
        DateHelper {
            at: self.committed,
            dates: self.clone(),
        }
    }
}

/// A time in a format: `{{date 'YYYY' tz='Asia/Tokyo'}}`.
pub(super) struct DateHelper {
    at: Option<Timestamp>,
    dates: DateHelpers,
}

impl HelperDef for DateHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let [format] = helper.params().as_slice() else {
            return Err(render_error(format!(
                "{} takes one format, in single quotes",
                helper.name()
            )));
        };
        let format = self.format_time(helper.name(), format)?;
        let zone = self.resolve_zone(helper)?;
        let at = self.resolve_time()?;
        let known = zone.is_some();
        let at = at.to_zoned(zone.unwrap_or(TimeZone::UTC));
        let text = match format.as_str() {
            // The time is UTC for want of a zone, which moment.js writes otherwise.
            "" if !known => moment_format::format_moment(&at, "YYYY-MM-DDTHH:mm:ssZ"),
            format => moment_format::format_moment(&at, format),
        };
        Ok(Value::from(text).into())
    }
}

impl DateHelper {
    fn resolve_time(&self) -> Result<Timestamp, RenderError> {
        match self.at {
            Some(at) => Ok(at),
            None if self.dates.strict => Err(render_error("when the commit was made is not known")),
            None => {
                self.dates.steps.add(CompatDifference::CommitDate);
                Ok(self.dates.now)
            }
        }
    }

    fn format_time(&self, name: &str, format: &PathAndJson<'_>) -> Result<String, RenderError> {
        if format.is_value_missing() && self.dates.strict {
            let literal = format.relative_path().map_or("", String::as_str);
            return Err(render_error(format!(
                "the format of {name} is written in single quotes: '{literal}'"
            )));
        }
        match format.value() {
            _ if format.is_value_missing() => {
                self.dates.steps.add(CompatDifference::UnknownExpression);
                Ok(String::new())
            }
            Value::String(format) => Ok(format.clone()),
            Value::Null | Value::Bool(false) => Ok(String::new()),
            Value::Number(number) if number.as_f64() == Some(0.0) => Ok(String::new()),
            _ => Err(render_error(format!("the format of {name} is not text"))),
        }
    }

    /// The zone, none where it is unknown.
    fn resolve_zone(&self, helper: &Helper<'_>) -> Result<Option<TimeZone>, RenderError> {
        if let Some(other) = helper.hash().keys().find(|key| **key != "tz") {
            let name = helper.name();
            return Err(render_error(format!("{name} takes tz='ZONE', not {other}")));
        }
        let Some(zone) = helper.hash_get("tz") else {
            return Ok(Some(TimeZone::UTC));
        };
        let name = zone.value().as_str().filter(|name| !name.is_empty());
        let name =
            name.ok_or_else(|| render_error("tz is a name in single quotes: 'Europe/Berlin'"))?;
        match TimeZone::get(name) {
            Ok(zone) => Ok(Some(zone)),
            Err(_) if self.dates.strict => {
                Err(render_error(format!("there is no time zone {name}")))
            }
            Err(_) => {
                self.dates.steps.add(CompatDifference::TimeZone);
                Ok(None)
            }
        }
    }
}
