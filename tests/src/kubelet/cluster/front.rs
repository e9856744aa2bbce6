//! A proxy in front of the API server that makes watches short: the server itself ends them some seconds
//! after they began.
//!
//! A client's request says how long it wants to watch, and no server setting makes that shorter. So the proxy
//! changes that number in requests. Everything else passes unchanged.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, split};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::background::Background;

/// The product's parameter, and its replacement, which has the same length so that the request's length
/// stays the same.
const WATCH: [&str; 2] = ["timeoutSeconds=290", "timeoutSeconds=004"];

/// The greatest length of a sidecar's request.
const LONGEST: usize = 64 << 10;

/// Starts a proxy with the API server's own certificate, from this folder.
pub fn start(folder: &Path, api: u16, client: Arc<ClientConfig>) -> Result<Background> {
    let certificate = CertificateDer::from_pem_slice(&fs::read(folder.join("api.crt"))?)?;
    let key = PrivateKeyDer::from_pem_slice(&fs::read(folder.join("api.key"))?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let upstream = SocketAddr::from((Ipv4Addr::LOCALHOST, api));
    Ok(Background::start("api-front", move |connection| {
        let (acceptor, client) = (acceptor.clone(), Arc::clone(&client));
        async move {
            // A client that disconnects only ends its own connection.
            let _ = pass(connection, &acceptor, client, upstream).await;
        }
    })?)
}

async fn pass(
    connection: TcpStream,
    acceptor: &TlsAcceptor,
    client: Arc<ClientConfig>,
    upstream: SocketAddr,
) -> Result<()> {
    let (mut questions, mut answers) = split(acceptor.accept(connection).await?);
    let server = TcpStream::connect(upstream).await?;
    let name = ServerName::try_from("localhost")?;
    let server = TlsConnector::from(client).connect(name, server).await?;
    let (mut from_server, mut to_server) = split(server);
    let ask = async {
        let mut request = Vec::new();
        while questions.read_buf(&mut request).await? > 0 && request.len() < LONGEST {
            // A GET request has no body.
            if request.ends_with(b"\r\n\r\n") {
                to_server.write_all(&shortened(&request)).await?;
                to_server.flush().await?;
                request.clear();
            }
        }
        anyhow::Ok(())
    };
    let answer = async {
        copy(&mut from_server, &mut answers).await?;
        anyhow::Ok(answers.shutdown().await?)
    };
    tokio::select! {
        done = ask => done,
        done = answer => done,
    }
}

fn shortened(request: &[u8]) -> Vec<u8> {
    let [long, short] = WATCH;
    String::from_utf8_lossy(request)
        .replace(long, short)
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_length_of_a_watch_is_changed() {
        let request = |seconds| {
            format!(
                "GET /pods?watch=true&timeoutSeconds={seconds}&resourceVersion=290 HTTP/1.1\r\n\r\n"
            )
        };
        assert_eq!(
            shortened(request("290").as_bytes()),
            request("004").as_bytes()
        );
        assert_eq!(
            shortened(request("30").as_bytes()),
            request("30").as_bytes()
        );
    }
}
