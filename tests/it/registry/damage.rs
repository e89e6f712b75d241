//! The faults that an answer's body can have.

use std::future::pending;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, future, stream};
use http_body_util::BodyExt;
use hyper::Response;
use hyper::header::CONTENT_LENGTH;

use super::answer::{Body, stream_body};
use super::connection::Connection;
use super::fault::Effect;

/// How long the bytes before a reset have to reach the client: a reset overtakes them.
const BEFORE_A_RESET: Duration = Duration::from_millis(50);

/// The answer with its body damaged as the effect says; the same for other effects.
pub fn damage(effect: &Effect, answer: Response<Body>, connection: &Connection) -> Response<Body> {
    match effect {
        Effect::Truncate(bytes) => truncate(answer, *bytes),
        Effect::FlipByte(at) => flip(answer, *at),
        Effect::EndlessBody => endless(answer),
        Effect::ResetInBody(bytes) => reset_after(answer, *bytes, connection.clone()),
        Effect::StallInBody(bytes) => stall_after(answer, *bytes),
        _ => answer,
    }
}

fn truncate(mut answer: Response<Body>, bytes: u64) -> Response<Body> {
    let length = content_length(&answer).map_or(bytes, |length| length.min(bytes));
    answer.headers_mut().insert(CONTENT_LENGTH, length.into());
    answer.map(|body| stream_body(first(bytes, body)))
}

fn content_length(answer: &Response<Body>) -> Option<u64> {
    answer
        .headers()
        .get(CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn flip(answer: Response<Body>, at: u64) -> Response<Body> {
    let flipped = |body: Body| {
        body.into_data_stream().scan(0, move |passed, part| {
            let start = *passed;
            *passed += part.as_ref().map_or(0, |part| part.len() as u64);
            future::ready(Some(part.map(|part| flip_in(part, start, at))))
        })
    };
    answer.map(|body| stream_body(flipped(body)))
}

fn flip_in(part: Bytes, start: u64, at: u64) -> Bytes {
    let mut bytes = BytesMut::from(part);
    let place = at
        .checked_sub(start)
        .and_then(|place| bytes.get_mut(place as usize));
    if let Some(byte) = place {
        *byte ^= 1;
    }
    bytes.freeze()
}

fn endless(mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().remove(CONTENT_LENGTH);
    let zeros = stream::repeat_with(|| Ok(Bytes::from_static(&[0; 16 * 1024])));
    answer.map(|body| stream_body(body.into_data_stream().chain(zeros)))
}

fn reset_after(answer: Response<Body>, bytes: u64, connection: Connection) -> Response<Body> {
    let reset = stream::once(async move {
        tokio::time::sleep(BEFORE_A_RESET).await;
        connection.reset();
        pending().await
    });
    answer.map(|body| stream_body(first(bytes, body).chain(reset)))
}

fn stall_after(answer: Response<Body>, bytes: u64) -> Response<Body> {
    let still = stream::once(pending());
    answer.map(|body| stream_body(first(bytes, body).chain(still)))
}

/// The first bytes of a body.
fn first(bytes: u64, body: Body) -> impl Stream<Item = io::Result<Bytes>> {
    body.into_data_stream().scan(bytes, |left, part| {
        let part = part.map(|part| part.slice(..part.len().min(*left as usize)));
        *left -= part.as_ref().map_or(0, |part| part.len() as u64);
        future::ready(match part {
            Ok(part) if part.is_empty() => None,
            part => Some(part),
        })
    })
}
