//! TLS towards the API server: whom we trust, and our own certificate.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

use super::{
    SetupError,
    way::{Pem, Way},
};
use crate::store::public_roots;

/// The texts that TLS is set up from, as their files are at one moment: kubelet renews the cluster's
/// authority, and others renew certificates.
#[derive(PartialEq, Eq)]
pub struct Material {
    authority: Option<Vec<u8>>,
    certificate: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
}

impl Material {
    /// What the files hold now.
    pub fn read(way: &Way) -> Result<Self, SetupError> {
        let text = |pem: &Option<Pem>| pem.as_ref().map(Pem::read).transpose();
        Ok(Self {
            authority: text(&way.authority)?,
            certificate: text(&way.certificate)?,
            key: text(&way.key)?,
        })
    }
}

/// The client's side of TLS, of this material.
pub fn client_config(way: &Way, material: &Material) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(SetupError::Tls)?
        .with_root_certificates(roots(way, material)?);
    let mut config = match identity(way, material)? {
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(SetupError::Identity)?,
        None => builder.with_no_client_auth(),
    };
    if way.trusts_anybody {
        let anybody = Arc::new(Anybody(provider));
        config.dangerous().set_certificate_verifier(anybody);
    }
    Ok(config)
}

fn roots(way: &Way, material: &Material) -> Result<RootCertStore, SetupError> {
    let (Some(pem), Some(text)) = (&way.authority, &material.authority) else {
        // Where nobody's certificate is looked at, none need to be found.
        let looks_at_none = way.trusts_anybody || way.server.scheme_str() == Some("http");
        return Ok(if looks_at_none {
            RootCertStore::empty()
        } else {
            public_roots()
        });
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem, text)? {
        roots
            .add(certificate)
            .map_err(|source| SetupError::Certificate {
                name: pem.named_by.clone(),
                source,
            })?;
    }
    Ok(roots)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(way: &Way, material: &Material) -> Result<Option<Identity>, SetupError> {
    let certificate = way.certificate.as_ref().zip(material.certificate.as_ref());
    let key = way.key.as_ref().zip(material.key.as_ref());
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some((pem, text)), Some((key_pem, key_text))) => {
            let key =
                PrivateKeyDer::from_pem_slice(key_text).map_err(|source| SetupError::Pem {
                    name: key_pem.named_by.clone(),
                    source,
                })?;
            Ok(Some((certificates(pem, text)?, key)))
        }
        (Some((given, _)), None) => Err(half(given, "the certificate's key")),
        (None, Some((given, _))) => Err(half(given, "the key's certificate")),
    }
}

fn half(given: &Pem, missing: &'static str) -> SetupError {
    SetupError::HalfIdentity {
        given: given.named_by.clone(),
        missing,
    }
}

/// The certificates in a text in PEM: one at least.
fn certificates(pem: &Pem, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let found = found.map_err(|source| SetupError::Pem {
        name: pem.named_by.clone(),
        source,
    })?;
    if found.is_empty() {
        return Err(SetupError::NoCertificate {
            name: pem.named_by.clone(),
        });
    }
    Ok(found)
}

/// Takes each certificate, as `insecure-skip-tls-verify` wants; its owner must still hold its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
