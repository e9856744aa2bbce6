//! How to reach the API server, from flags, a kubeconfig or the service account.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::{Secret, SetupError};

/// The largest file of credentials that we read.
const LARGEST: u64 = 1024 * 1024;

/// The API server, which certificates we trust, and our credentials.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// The server's address.
    pub server: Uri,
    /// The namespace that comes with the credentials.
    pub namespace: Option<String>,
    /// The certificates that we trust; `None` for those of the system and Mozilla's.
    pub authority: Option<Pem>,
    /// Whether to accept any certificate.
    pub skip_tls_verify: bool,
    /// The name in the server's certificate, if it is not the host's.
    pub tls_server_name: Option<String>,
    /// Our client certificate.
    pub certificate: Option<Pem>,
    /// The key of our client certificate.
    pub key: Option<Pem>,
    /// Our other credentials.
    pub login: Login,
    /// The headers of the user to impersonate.
    pub act_as: HeaderMap,
}

/// Credentials other than a client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// No credentials.
    Anonymous,
    /// A bearer token.
    Token(Secret),
    /// A bearer token in a file, whose content changes when it is renewed.
    TokenFile(PathBuf),
    /// Basic authentication.
    Basic {
        /// The user's name.
        name: String,
        /// The password.
        password: Secret,
    },
}

/// A PEM text, and the flag or field that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pem {
    /// The flag or field, for messages.
    pub named_by: String,
    /// Where the text is.
    pub location: PemLocation,
}

/// Where a PEM text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PemLocation {
    /// In a file, whose content changes when it is renewed.
    File(PathBuf),
    /// In memory, from a kubeconfig.
    Inline(Secret),
}

impl ApiConfig {
    /// A server without credentials, and the defaults of everything else.
    pub fn new(server: Uri) -> Self {
        Self {
            server,
            namespace: None,
            authority: None,
            skip_tls_verify: false,
            tls_server_name: None,
            certificate: None,
            key: None,
            login: Login::Anonymous,
            act_as: HeaderMap::new(),
        }
    }

    /// Adds a header of the user to impersonate.
    pub fn act_as(&mut self, header: &'static str, value: &str) -> Result<(), SetupError> {
        let mut value = HeaderValue::from_str(value).map_err(|source| SetupError::Header {
            header: header.to_owned(),
            source,
        })?;
        value.set_sensitive(true);
        self.act_as.append(HeaderName::from_static(header), value);
        Ok(())
    }
}

impl Pem {
    /// A PEM file.
    pub fn file(named_by: impl Into<String>, path: &Path) -> Self {
        Self {
            named_by: named_by.into(),
            location: PemLocation::File(path.to_owned()),
        }
    }

    /// The text as it is now.
    pub fn read(&self) -> Result<Vec<u8>, SetupError> {
        match &self.location {
            PemLocation::Inline(text) => Ok(text.as_bytes().to_vec()),
            PemLocation::File(path) => read(path).map_err(|source| SetupError::File {
                name: format!("{} {}", self.named_by, path.display()),
                source,
            }),
        }
    }
}

/// Reads a whole file of bounded size.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut content)?;
    if content.len() as u64 > LARGEST {
        let rule = format!("it has more than {LARGEST} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, rule));
    }
    Ok(content)
}

/// Parses the address of an HTTP server; `named_by` is the flag or field, for messages.
pub fn address(named_by: &str, text: &str) -> Result<Uri, SetupError> {
    // Without a scheme it is plain HTTP, as in the reference's client.
    let whole = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let parsed = whole.parse::<Uri>();
    parsed
        .ok()
        .filter(|uri| uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https")))
        .ok_or_else(|| SetupError::Address {
            name: format!("{named_by} {text}"),
        })
}
