//! What stands before every host's handler: the log, the faults, and the stop.

use std::future::pending;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use tokio::sync::watch;

use super::answer::{Answer, Body, Source, empty};
use super::call::Call;
use super::connection::Connection;
use super::damage::damage;
use super::fault::{Effect, Fault};
use super::gate::Gate;
use super::issuer::Issuer;
use super::log::Exchange;
use super::store::lock;

/// What a host does with a request that no fault took away.
pub trait Handler: Send + Sync + 'static {
    fn handle<'a>(&'a self, call: &'a mut Call) -> BoxFuture<'a, Answer>;

    /// Who knows what the tokens that come with requests grant.
    fn issuer(&self) -> Option<&Issuer>;
}

/// A handler with a log and faults before it.
pub struct Front {
    handler: Arc<dyn Handler>,
    inner: Mutex<Inner>,
    stopped: watch::Sender<bool>,
    gate: OnceLock<Arc<Gate>>,
}

#[derive(Default)]
struct Inner {
    log: Vec<Arc<Mutex<Exchange>>>,
    faults: Vec<Fault>,
    stopped: bool,
}

impl Front {
    pub fn new(handler: Arc<dyn Handler>) -> Self {
        Self {
            handler,
            inner: Mutex::default(),
            stopped: watch::Sender::new(false),
            gate: OnceLock::new(),
        }
    }

    pub fn log(&self) -> Vec<Exchange> {
        lock(&self.inner)
            .log
            .iter()
            .map(|exchange| lock(exchange).clone())
            .collect()
    }

    pub fn clear_log(&self) {
        lock(&self.inner).log.clear();
    }

    pub fn fault(&self, fault: Fault) {
        lock(&self.inner).faults.push(fault);
    }

    pub fn clear_faults(&self) {
        lock(&self.inner).faults.clear();
    }

    /// Lets requests about tags wait from now on.
    pub fn gate(&self) -> Arc<Gate> {
        Arc::clone(self.gate.get_or_init(Arc::default))
    }

    pub async fn stopped(&self) {
        // The sender lives as long as `self`.
        let _ = self.stopped.subscribe().wait_for(|stopped| *stopped).await;
    }

    /// Answers again; what came during the stop stays unanswered.
    pub fn resume(&self) {
        lock(&self.inner).stopped = false;
        self.stopped.send_replace(false);
    }

    /// The answer to a request; `None` when there shall never be one.
    pub async fn answer(
        &self,
        request: Request<Incoming>,
        connection: &Connection,
    ) -> Option<Response<Body>> {
        let mut call = Call::new(request);
        let (exchange, mut effect) = self.arrive(&call);
        if let Some(gate) = self.gate.get() {
            let request = lock(&exchange).request();
            effect = gate.pass(&request).await.or(effect);
        }
        let response = self.strike(effect, &mut call, connection).await?;
        let mut exchange = lock(&exchange);
        exchange.status = Some(response.status().as_u16());
        exchange.answered = Some(Instant::now());
        exchange.known_from = response
            .extensions()
            .get::<Source>()
            .map(|source| source.0.clone());
        Some(response)
    }

    /// Logs a request and finds the fault that strikes it.
    fn arrive(&self, call: &Call) -> (Arc<Mutex<Exchange>>, Option<Effect>) {
        let exchange = Exchange::begin(call, self.handler.issuer());
        let mut inner = lock(&self.inner);
        let n = inner.log.len() + 1;
        let (method, path) = (&exchange.method, &exchange.path_and_query);
        let effect = if inner.stopped {
            Some(Effect::StopForGood)
        } else {
            inner
                .faults
                .iter_mut()
                .find_map(|fault| fault.strike(n, method, path))
        };
        inner.stopped |= matches!(effect, Some(Effect::StopForGood | Effect::StopForGoodAfter));
        let exchange = Arc::new(Mutex::new(exchange));
        inner.log.push(Arc::clone(&exchange));
        (exchange, effect)
    }

    async fn strike(
        &self,
        effect: Option<Effect>,
        call: &mut Call,
        connection: &Connection,
    ) -> Option<Response<Body>> {
        let Some(effect) = effect else {
            return Some(self.apply(call).await);
        };
        match &effect {
            Effect::Status(..) | Effect::Answer(_) => Some(instead(&effect, call).await),
            Effect::StatusAfter(status, body) => {
                self.apply(call).await;
                Some(finish(call, Answer::new(*status).bytes(body.clone())))
            }
            Effect::ResetBefore => hang_up(connection).await,
            Effect::ResetInUpload(bytes) => {
                call.drain(*bytes).await;
                hang_up(connection).await
            }
            Effect::CutUpload(bytes) => {
                call.cut_after(*bytes, connection);
                Some(self.apply(call).await)
            }
            Effect::ResetAfter => {
                self.apply(call).await;
                hang_up(connection).await
            }
            Effect::NeverAnswered => {
                self.apply(call).await;
                None
            }
            Effect::AnswerLate(time) => {
                let answer = self.apply(call).await;
                tokio::time::sleep(*time).await;
                Some(answer)
            }
            Effect::StopForGood => self.announce_stop(),
            Effect::StopForGoodAfter => {
                self.apply(call).await;
                self.announce_stop()
            }
            Effect::Delay(time) => {
                tokio::time::sleep(*time).await;
                Some(self.apply(call).await)
            }
            _ => Some(damage(&effect, self.apply(call).await, connection)),
        }
    }

    async fn apply(&self, call: &mut Call) -> Response<Body> {
        let answer = self.handler.handle(call).await;
        call.drain(u64::MAX).await;
        finish(call, answer)
    }

    fn announce_stop(&self) -> Option<Response<Body>> {
        // Not while it was resumed in between.
        if lock(&self.inner).stopped {
            self.stopped.send_replace(true);
        }
        None
    }
}

/// The answer of a fault that replaces the handler's.
async fn instead(effect: &Effect, call: &mut Call) -> Response<Body> {
    call.drain(u64::MAX).await;
    let answer = match effect {
        Effect::Answer(fixture) => fixture.answer(),
        Effect::Status(status, headers, body) => headers
            .iter()
            .fold(Answer::new(*status), |answer, (name, value)| {
                answer.header(name, value)
            })
            .bytes(body.clone()),
        _ => unreachable!("only these two replace an answer"),
    };
    finish(call, answer)
}

/// The response, without its body where the method has none. Over HTTP/2 nobody else
/// takes it away.
fn finish(call: &Call, answer: Answer) -> Response<Body> {
    let response = answer.into_response();
    if call.method == Method::HEAD {
        response.map(|_| empty())
    } else {
        response
    }
}

async fn hang_up(connection: &Connection) -> Option<Response<Body>> {
    connection.reset();
    pending().await
}
