//! Faults: which request they strike, and what becomes of it.

use std::time::Duration;

use super::fixture::Fixture;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Another answer; the request is not applied. See [`Effect::status`].
    Status(u16, Vec<(String, String)>, String),
    /// A recorded answer; the request is not applied.
    Answer(Fixture),
    /// The request is applied, and another answer given. See [`Effect::status_after`].
    StatusAfter(u16, String),
    /// The connection is reset; the request is not applied.
    ResetBefore,
    /// The request is applied, then the connection is reset instead of an answer.
    ResetAfter,
    /// The connection is reset after so many bytes of the request's body; what of them
    /// the request would have written is not.
    ResetInUpload(u64),
    /// The connection is reset after so many bytes of the request's body, which are applied.
    CutUpload(u64),
    /// The connection is reset after so many bytes of the answer's body.
    ResetInBody(u64),
    /// The answer stands still after so many bytes of its body.
    StallInBody(u64),
    /// The answer's body ends after so many bytes, and its `Content-Length` agrees.
    Truncate(u64),
    /// One bit of the byte at this place of the answer's body is wrong.
    FlipByte(u64),
    /// The request is applied, and this one alone is never answered.
    NeverAnswered,
    /// The request is applied, and answered so much later.
    AnswerLate(Duration),
    /// The request waits before it is applied.
    Delay(Duration),
    /// The answer's body is followed by zeros without end.
    EndlessBody,
    /// From this request on nothing is applied and nothing answered.
    StopForGood,
    /// The same, but this one request is still applied.
    StopForGoodAfter,
}

impl Effect {
    /// An answer with neither headers nor a body.
    pub fn status(status: u16) -> Self {
        Self::status_with(status, &[], "")
    }

    pub fn status_with(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self::Status(status, headers.iter().map(owned).collect(), body.to_owned())
    }
}

impl Effect {
    /// The request is applied, and the answer to it gets lost in a gateway.
    pub fn status_after(status: u16, body: &str) -> Self {
        Self::StatusAfter(status, body.to_owned())
    }
}

/// A fault: an effect, and the requests it strikes.
#[derive(Clone, Debug)]
pub struct Fault {
    strikes: Strikes,
    left: u32,
    effect: Effect,
}

#[derive(Clone, Debug)]
enum Strikes {
    At(usize),
    On { method: String, part: String },
}

impl Fault {
    /// Strikes the n-th request, from 1, counted since the log was last cleared.
    pub fn at(n: usize, effect: Effect) -> Self {
        Self {
            strikes: Strikes::At(n),
            left: 1,
            effect,
        }
    }

    /// Strikes the next request of a method (`*` for any) whose logged path and query
    /// holds this part.
    pub fn on(method: &str, part: &str, effect: Effect) -> Self {
        let strikes = Strikes::On {
            method: method.to_owned(),
            part: part.to_owned(),
        };
        Self {
            strikes,
            left: 1,
            effect,
        }
    }

    /// Strikes so many requests instead of one.
    pub fn times(self, times: u32) -> Self {
        Self {
            left: times,
            ..self
        }
    }

    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    /// The effect, if this request is struck; one strike less is left then.
    pub fn strike(&mut self, n: usize, method: &str, path_and_query: &str) -> Option<Effect> {
        let struck = match &self.strikes {
            Strikes::At(at) => *at == n,
            Strikes::On { method: only, part } => {
                (only == "*" || only == method) && path_and_query.contains(part.as_str())
            }
        };
        if !struck || self.left == 0 {
            return None;
        }
        self.left -= 1;
        Some(self.effect.clone())
    }
}
