//! The expressions that templates are made of.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, PathAndJson, RenderContext,
    RenderError, RenderErrorReason, Renderable, ScopedJson,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::moment;
use super::template::Steps;
use crate::tagging::Trap;

fn failed(text: impl Into<String>) -> RenderError {
    RenderErrorReason::Other(text.into()).into()
}

/// A value, whatever arguments it is given. As a block it shows what is within, as in JavaScript
/// any text does.
pub(super) struct Named(pub(super) Result<Value, String>);

impl HelperDef for Named {
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
            None => Inline(&self.0).call(helper, registry, context, render, out),
        }
    }

    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        _: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        value(&self.0)
    }
}

/// [`Named`] where it is no block: escaped as any value is.
struct Inline<'a>(&'a Result<Value, String>);

impl HelperDef for Inline<'_> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        _: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        value(self.0)
    }
}

fn value<'rc>(value: &Result<Value, String>) -> Result<ScopedJson<'rc>, RenderError> {
    match value {
        Ok(value) => Ok(value.clone().into()),
        Err(problem) => Err(failed(problem.clone())),
    }
}

/// A list as text: JavaScript puts commas between, which no version has.
pub(super) struct List {
    pub(super) strict: bool,
    pub(super) steps: Steps,
}

impl HelperDef for List {
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
            self.steps.add(Trap::Lists);
        }
        let text = parts.join(if self.strict { "." } else { "," });
        Ok(Value::from(text).into())
    }
}

/// The times that dates are made from.
#[derive(Clone)]
pub(super) struct Dates {
    pub(super) now: Timestamp,
    pub(super) committed: Option<Timestamp>,
    pub(super) strict: bool,
    pub(super) steps: Steps,
}

impl Dates {
    /// The helper `date`.
    pub(super) fn run(&self) -> Date {
        let at = Some(self.now);
        Date {
            at,
            dates: self.clone(),
        }
    }

    /// The helper `commit_date`.
    pub(super) fn commit(&self) -> Date {
        Date {
            at: self.committed,
            dates: self.clone(),
        }
    }
}

/// A time in a format: `{{date 'YYYY' tz='Asia/Tokyo'}}`.
pub(super) struct Date {
    at: Option<Timestamp>,
    dates: Dates,
}

impl HelperDef for Date {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let [format] = helper.params().as_slice() else {
            return Err(failed(format!(
                "{} takes one format, in single quotes",
                helper.name()
            )));
        };
        let format = self.format(helper.name(), format)?;
        let zone = self.zone(helper)?;
        let at = self.time()?;
        let known = zone.is_some();
        let at = at.to_zoned(zone.unwrap_or(TimeZone::UTC));
        let text = match format.as_str() {
            // The time is UTC for want of a zone, which moment.js writes otherwise.
            "" if !known => moment::format(&at, "YYYY-MM-DDTHH:mm:ssZ"),
            format => moment::format(&at, format),
        };
        Ok(Value::from(text).into())
    }
}

impl Date {
    fn time(&self) -> Result<Timestamp, RenderError> {
        match self.at {
            Some(at) => Ok(at),
            None if self.dates.strict => Err(failed("when the commit was made is not known")),
            None => {
                self.dates.steps.add(Trap::CommitDate);
                Ok(self.dates.now)
            }
        }
    }

    fn format(&self, name: &str, format: &PathAndJson<'_>) -> Result<String, RenderError> {
        if format.is_value_missing() && self.dates.strict {
            let said = format.relative_path().map_or("", String::as_str);
            return Err(failed(format!(
                "the format of {name} is written in single quotes: '{said}'"
            )));
        }
        match format.value() {
            _ if format.is_value_missing() => {
                self.dates.steps.add(Trap::UnknownExpression);
                Ok(String::new())
            }
            Value::String(format) => Ok(format.clone()),
            Value::Null | Value::Bool(false) => Ok(String::new()),
            Value::Number(number) if number.as_f64() == Some(0.0) => Ok(String::new()),
            _ => Err(failed(format!("the format of {name} is no text"))),
        }
    }

    /// The zone, none where it is unknown.
    fn zone(&self, helper: &Helper<'_>) -> Result<Option<TimeZone>, RenderError> {
        if let Some(other) = helper.hash().keys().find(|key| **key != "tz") {
            let name = helper.name();
            return Err(failed(format!("{name} takes tz='ZONE', not {other}")));
        }
        let Some(zone) = helper.hash_get("tz") else {
            return Ok(Some(TimeZone::UTC));
        };
        let name = zone.value().as_str().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| failed("tz is a name in single quotes: 'Europe/Berlin'"))?;
        match TimeZone::get(name) {
            Ok(zone) => Ok(Some(zone)),
            Err(_) if self.dates.strict => Err(failed(format!("there is no time zone {name}"))),
            Err(_) => {
                self.dates.steps.add(Trap::TimeZone);
                Ok(None)
            }
        }
    }
}
