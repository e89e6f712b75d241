//! Hosts that are no registry: what stands before one, and what answers by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// A host that is there until it is dropped.
pub struct Wire {
    pub host: String,
    counts: Arc<Counts>,
    accepting: AbortHandle,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    handshakes: AtomicUsize,
}

impl Wire {
    /// Passes connections on to `to`, after it has hung up on the first `refused` of them.
    pub async fn before(to: &str, refused: usize) -> Self {
        let to = to.to_owned();
        Self::start(move |mut stream, n, _| {
            let to = to.clone();
            async move {
                if n > refused {
                    let mut onward = TcpStream::connect(to).await.unwrap();
                    let _ = copy_bidirectional(&mut stream, &mut onward).await;
                }
            }
        })
        .await
    }

    /// Answers each request by hand; what is no HTTP is told so. After `None` nothing more comes.
    pub async fn answering<T: Into<Vec<u8>>>(
        answer: impl Fn(usize) -> (T, bool) + Clone + Send + 'static,
    ) -> Self {
        Self::start(move |mut stream, n, handshake| {
            let answer = answer.clone();
            async move {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let (bytes, ends) = if handshake {
                    let refusal = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n";
                    (refusal.into(), true)
                } else {
                    let (bytes, ends) = answer(n);
                    (bytes.into(), ends)
                };
                let _ = stream.write_all(&bytes).await;
                if !ends {
                    std::future::pending::<()>().await;
                }
            }
        })
        .await
    }

    /// Answers each request with this, and then with a space each `pause`, without an end.
    pub async fn trickling(head: String, pause: Duration) -> Self {
        Self::start(move |mut stream, _, handshake| {
            let head = head.clone();
            async move {
                let mut asked = [0; 4096];
                let _ = stream.read(&mut asked).await;
                let refusal = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n";
                let begin = if handshake { refusal } else { &head };
                let mut sent = stream.write_all(begin.as_bytes()).await;
                while sent.is_ok() && !handshake {
                    tokio::time::sleep(pause).await;
                    sent = stream.write_all(b" ").await;
                }
            }
        })
        .await
    }

    /// Connections that were not refused for their handshake.
    pub fn answered(&self) -> usize {
        self.counts.connections.load(Ordering::Relaxed) - self.handshakes()
    }

    async fn start<F>(serve: impl Fn(TcpStream, usize, bool) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let counts = Arc::<Counts>::default();
        let counting = counts.clone();
        let accepting = tokio::spawn(async move {
            let mut serving = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let mut first = [0];
                let _ = stream.peek(&mut first).await;
                let handshake = first[0] == HANDSHAKE;
                let n = counting.connections.fetch_add(1, Ordering::Relaxed) + 1;
                counting
                    .handshakes
                    .fetch_add(usize::from(handshake), Ordering::Relaxed);
                serving.spawn(serve(stream, n, handshake));
            }
        });
        Self {
            host,
            counts,
            accepting: accepting.abort_handle(),
        }
    }

    /// Connections that began with a TLS handshake.
    pub fn handshakes(&self) -> usize {
        self.counts.handshakes.load(Ordering::Relaxed)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
