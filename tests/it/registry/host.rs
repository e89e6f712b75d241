//! A listening host on 127.0.0.1. It stops when it is dropped.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::ca::Identity;
use super::connection;
use super::front::{Front, Handler};

/// A host that is bound, so that its name is known, but does not answer yet.
pub struct Bound {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Bound {
    pub async fn new(identity: Option<&Identity>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self {
            listener,
            tls: identity.map(Identity::acceptor),
        }
    }

    /// `127.0.0.1:PORT`
    pub fn host(&self) -> String {
        self.listener
            .local_addr()
            .expect("a bound address")
            .to_string()
    }

    /// `http://127.0.0.1:PORT`, or with `https`.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.host())
    }

    pub fn serve(self, handler: Arc<dyn Handler>) -> Host {
        let front = Arc::new(Front::new(handler));
        let (host, url) = (self.host(), self.url());
        let accepting = tokio::spawn(accept(self, Arc::clone(&front))).abort_handle();
        Host {
            host,
            url,
            front,
            accepting,
        }
    }
}

async fn accept(bound: Bound, front: Arc<Front>) {
    // Dropped with this task, and with it every connection.
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = bound.listener.accept().await {
            connections.spawn(connection::serve(
                stream,
                bound.tls.clone(),
                Arc::clone(&front),
            ));
        }
        while connections.try_join_next().is_some() {}
    }
}

/// A host that answers.
pub struct Host {
    pub host: String,
    pub url: String,
    pub front: Arc<Front>,
    accepting: AbortHandle,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
