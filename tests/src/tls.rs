//! TLS in front of a server: a certificate authority, which a client trusts or not, and its certificates.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{HandshakeKind, RootCertStore, ServerConfig, ServerConnection};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::background::Background;

/// A certificate authority.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new authority. Names must differ: a client takes two authorities of one name for the same.
    pub fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self(issuer))
    }

    /// Its own certificate, as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// The settings of a server that has a certificate for `host`.
    pub fn certify(&self, host: &str) -> Result<ServerConfig> {
        self.serve(host, None)
    }

    /// The same; the server accepts only clients that have a certificate of `clients`.
    pub fn certify_among(&self, host: &str, clients: &Self) -> Result<ServerConfig> {
        self.serve(host, Some(clients))
    }

    /// A client's certificate and its key, as PEM.
    pub fn client(&self, name: &str) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.0)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    fn serve(&self, host: &str, clients: Option<&Self>) -> Result<ServerConfig> {
        let key = KeyPair::generate()?;
        let params = CertificateParams::new(vec![host.to_owned()])?;
        let certificate = params.signed_by(&key, &self.0)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let builder = match clients {
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.0.der().clone())?;
                let roots = Arc::new(roots);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                builder.with_client_cert_verifier(verifier.build()?)
            }
            None => builder.with_no_client_auth(),
        };
        Ok(builder.with_single_cert(vec![certificate.der().clone()], key)?)
    }
}

/// The handshakes that succeeded.
#[derive(Clone, Debug, Default)]
pub struct Handshakes(Arc<Mutex<Vec<HandshakeKind>>>);

impl Handshakes {
    /// All so far.
    #[must_use]
    pub fn all(&self) -> Vec<HandshakeKind> {
        self.lock().clone()
    }

    fn note(&self, connection: &ServerConnection) {
        self.lock().extend(connection.handshake_kind());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<HandshakeKind>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts TLS in front of the server at `upstream`.
pub fn front(upstream: SocketAddr, config: ServerConfig) -> io::Result<Background> {
    counted_front(upstream, config, Handshakes::default())
}

/// The same; its handshakes are noted.
pub fn counted_front(
    upstream: SocketAddr,
    config: ServerConfig,
    handshakes: Handshakes,
) -> io::Result<Background> {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Background::start("tls-front", move |client| {
        let (acceptor, handshakes) = (acceptor.clone(), handshakes.clone());
        async move {
            // A client that does not trust the certificate closes the connection.
            let Ok(mut client) = acceptor.accept(client).await else {
                return;
            };
            handshakes.note(client.get_ref().1);
            let Ok(mut server) = TcpStream::connect(upstream).await else {
                return;
            };
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    })
}
