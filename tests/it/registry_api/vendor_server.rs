//! A server of a vendor's API: answers by a function, keeps a log, and takes faults.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::registry::{Answer, Bound, Call, Exchange, Fault, Handler, Host, Issuer};

/// Answer of a server to a request with this body.
type Answerer = Box<dyn Fn(&Call, &[u8]) -> Answer + Send + Sync>;

/// Server of an API, on loopback without TLS, until it is dropped.
pub struct VendorServer {
    host: Host,
}

impl VendorServer {
    /// Starts it. `make` gets its address, for links.
    pub async fn start<A>(make: impl FnOnce(String) -> A) -> Self
    where
        A: Fn(&Call, &[u8]) -> Answer + Send + Sync + 'static,
    {
        let bound = Bound::new(None).await;
        let answer: Answerer = Box::new(make(bound.url()));
        Self {
            host: bound.serve(Arc::new(VendorHandler { answer })),
        }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        self.host.url.clone()
    }

    /// Lines such as `GET /orgs/acme/packages 200`, in the order of arrival.
    pub fn requests(&self) -> Vec<String> {
        self.host.front.log().iter().map(Exchange::line).collect()
    }

    pub fn clear_faults(&self) {
        self.host.front.clear_faults();
    }

    pub fn fault(&self, fault: Fault) {
        self.host.front.fault(fault);
    }
}

struct VendorHandler {
    answer: Answerer,
}

impl Handler for VendorHandler {
    fn handle<'a>(&'a self, call: &'a mut Call) -> BoxFuture<'a, Answer> {
        async move {
            let body: Bytes = call.read(1 << 20).await.unwrap_or_default();
            (self.answer)(call, &body)
        }
        .boxed()
    }

    fn issuer(&self) -> Option<&Issuer> {
        None
    }
}
