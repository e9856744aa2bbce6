//! TLS to the API server: the certificates that we trust, and our own.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature,
        verify_tls13_signature,
    },
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

use super::{
    SetupError,
    api_config::{ApiConfig, Pem},
};
use crate::store::public_roots;

/// The PEM texts from which TLS is set up, as their files are at one moment: kubelet renews the
/// cluster's authority, and other programs renew certificates.
#[derive(PartialEq, Eq)]
pub struct Material {
    authority: Option<Vec<u8>>,
    certificate: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
}

impl Material {
    /// Reads the files.
    pub fn read(config: &ApiConfig) -> Result<Self, SetupError> {
        let text = |pem: &Option<Pem>| pem.as_ref().map(Pem::read).transpose();
        Ok(Self {
            authority: text(&config.authority)?,
            certificate: text(&config.certificate)?,
            key: text(&config.key)?,
        })
    }
}

/// The TLS settings of our client, from these PEM texts.
pub fn client_config(config: &ApiConfig, material: &Material) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(SetupError::Tls)?
        .with_root_certificates(roots(config, material)?);
    let mut tls = match identity(config, material)? {
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(SetupError::Identity)?,
        None => builder.with_no_client_auth(),
    };
    if config.skip_tls_verify {
        let verifier = Arc::new(AcceptAny(provider));
        tls.dangerous().set_certificate_verifier(verifier);
    }
    Ok(tls)
}

fn roots(config: &ApiConfig, material: &Material) -> Result<RootCertStore, SetupError> {
    let (Some(pem), Some(text)) = (&config.authority, &material.authority) else {
        // Without verification the system's certificates are not needed, and may be missing.
        let verifies_none = config.skip_tls_verify || config.server.scheme_str() == Some("http");
        return Ok(if verifies_none {
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

type ClientIdentity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(config: &ApiConfig, material: &Material) -> Result<Option<ClientIdentity>, SetupError> {
    let certificate = config
        .certificate
        .as_ref()
        .zip(material.certificate.as_ref());
    let key = config.key.as_ref().zip(material.key.as_ref());
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

/// The certificates in a PEM text; at least one.
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

/// Accepts any certificate, for `insecure-skip-tls-verify`. The server must still hold its key.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

/// Verifies a signature of one version of TLS.
type VerifySignature = fn(
    &[u8],
    &CertificateDer<'_>,
    &DigitallySignedStruct,
    &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error>;

impl AcceptAny {
    fn verify(
        &self,
        verify: VerifySignature,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify(message, certificate, signature, algorithms)
    }
}

impl ServerCertVerifier for AcceptAny {
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
        self.verify(verify_tls12_signature, message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify(verify_tls13_signature, message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
