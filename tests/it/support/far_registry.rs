//! A test registry under a name of the internet, by a proxy.

use shipmark::http::{HttpSettings, ProxySettings};
use shipmark::registry::RegistrySettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::settings;
use crate::registry::{Profile, Registry, TestCa};

/// A registry that is reached as `host`, settings to reach it, and the folder of its authority.
pub async fn far_registry(host: &str) -> (Registry, RegistrySettings, tempfile::TempDir) {
    let ca = TestCa::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authority.pem");
    std::fs::write(&path, ca.pem()).unwrap();
    let registry = Registry::start(Profile::plain().tls_as(ca.named(host))).await;
    let settings = RegistrySettings {
        http: HttpSettings {
            ca_file: Some(path),
            proxies: ProxySettings {
                https: Some(proxy_to(host, registry.host()).await),
                ..ProxySettings::default()
            },
            ..settings().http
        },
        ..settings()
    };
    (registry, settings, folder)
}

/// A proxy through which `host` is `target`. Tells its address.
async fn proxy_to(host: &str, target: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let line = format!("CONNECT {host}:443 ");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(tunnel(stream, line.clone(), target.clone()));
        }
    });
    format!("http://{address}")
}

async fn tunnel(mut stream: TcpStream, line: String, target: String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    if !head.starts_with(line.as_bytes()) {
        return;
    }
    let mut to = TcpStream::connect(target).await.unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let _ = copy_bidirectional(&mut stream, &mut to).await;
}
