//! What goes wrong at GitHub.

use crate::registry::Effect;

/// Longer than any answer that a client reads.
const HUGE: usize = 60 << 20;

/// A secondary rate limit, with the seconds to wait where the answer names them.
pub fn secondary_rate_limit(status: u16, retry_after: Option<u32>) -> Effect {
    let body = r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}"#;
    match retry_after {
        Some(seconds) => {
            Effect::status_with(status, &[("retry-after", &seconds.to_string())], body)
        }
        None => Effect::status_with(status, &[], body),
    }
}

/// The limit of the hour is used up; it ends at this time, in seconds since 1970.
pub fn rate_limit(reset: u64) -> Effect {
    let reset = reset.to_string();
    let headers = [
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", &*reset),
    ];
    Effect::status_with(403, &headers, r#"{"message":"API rate limit exceeded"}"#)
}

/// A page for people in place of JSON.
pub fn html(status: u16) -> Effect {
    let headers = [("content-type", "text/html")];
    Effect::status_with(
        status,
        &headers,
        "<html><body><h1>Unicorn!</h1></body></html>",
    )
}

/// JSON of 60 MiB.
pub fn huge() -> Effect {
    let headers = [("content-type", "application/json")];
    Effect::status_with(200, &headers, &format!("[{}]", " ".repeat(HUGE)))
}

/// Every way of GitHub to fail, and a name for each.
pub fn all() -> Vec<(&'static str, Effect)> {
    vec![
        ("500", Effect::status(500)),
        (
            "502 after it was taken",
            Effect::status_after(502, "<html>"),
        ),
        ("secondary rate limit", secondary_rate_limit(403, Some(1))),
        (
            "secondary rate limit without a time",
            secondary_rate_limit(429, None),
        ),
        ("rate limit", rate_limit(4_000_000_000)),
        (
            "401",
            Effect::status_with(401, &[], r#"{"message":"Bad credentials"}"#),
        ),
        (
            "404",
            Effect::status_with(404, &[], r#"{"message":"Not Found"}"#),
        ),
        (
            "409",
            Effect::status_with(409, &[], r#"{"message":"Conflict"}"#),
        ),
        (
            "422",
            Effect::status_with(422, &[], r#"{"message":"Validation Failed"}"#),
        ),
        ("HTML", html(200)),
        ("HTML error", html(503)),
        ("null", Effect::status_with(200, &[], "null")),
        ("60 MiB", huge()),
        ("silence", Effect::NeverAnswered),
        ("silence in the answer", Effect::StallInBody(1)),
        ("closed connection", Effect::ResetBefore),
        ("closed connection after it was taken", Effect::ResetAfter),
        ("cut answer", Effect::Truncate(3)),
    ]
}
