//! One TCP connection: TLS where asked for, HTTP/1.1 or HTTP/2, and the way to reset it.

use std::future::pending;
use std::io;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use super::answer::Body;
use super::front::Front;

/// The handle by which a fault resets the connection it came on.
#[derive(Clone, Default)]
pub struct Connection(Arc<Notify>);

impl Connection {
    pub fn reset(&self) {
        self.0.notify_one();
    }
}

/// Serves a connection until the client closes it or a fault resets it.
pub async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, front: Arc<Front>) {
    let Ok((stream, twin)) = twins(stream) else {
        return;
    };
    let connection = Connection::default();
    tokio::select! {
        () = greet(stream, tls, front, &connection) => {}
        () = connection.0.notified() => {
            // Without lingering, the close that follows sends a reset.
            let _ = twin.set_zero_linger();
        }
    }
}

/// The stream, and a second handle of the same socket for the time when the first one
/// is lost inside hyper.
fn twins(stream: TcpStream) -> io::Result<(TcpStream, TcpStream)> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let twin = TcpStream::from_std(stream.try_clone()?)?;
    Ok((TcpStream::from_std(stream)?, twin))
}

async fn greet(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    front: Arc<Front>,
    connection: &Connection,
) {
    let Some(acceptor) = tls else {
        return speak(stream, false, front, connection).await;
    };
    // A client that refuses the certificate is the client's matter.
    if let Ok(stream) = acceptor.accept(stream).await {
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        speak(stream, http2, front, connection).await;
    }
}

async fn speak<S>(stream: S, http2: bool, front: Arc<Front>, connection: &Connection)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service =
        service_fn(move |request| answer(Arc::clone(&front), request, connection.clone()));
    // A broken connection shows on the client's side.
    let _ = if http2 {
        http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service)
            .await
    } else {
        http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await
    };
}

async fn answer(
    front: Arc<Front>,
    request: Request<Incoming>,
    connection: Connection,
) -> io::Result<Response<Body>> {
    match front.answer(request, &connection).await {
        Some(response) => Ok(response),
        None => pending().await,
    }
}
