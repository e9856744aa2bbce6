//! The way to the API server, as flags, a kubeconfig and the service account give it.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::{Secret, SetupError};

/// No file of credentials is larger.
const LARGEST: u64 = 1024 * 1024;

/// Where the API server is, whom we trust there, and who we are.
#[derive(Clone, Debug)]
pub struct Way {
    /// The server.
    pub server: Uri,
    /// The namespace that goes with it.
    pub namespace: Option<String>,
    /// Whose certificates to trust; those of the system, and Mozilla's, if nothing is said.
    pub authority: Option<Pem>,
    /// Trust anybody.
    pub trusts_anybody: bool,
    /// The name in the server's certificate, if it is not the host's.
    pub tls_server_name: Option<String>,
    /// Our certificate.
    pub certificate: Option<Pem>,
    /// Its key.
    pub key: Option<Pem>,
    /// How we say who we are.
    pub login: Login,
    /// As whom to act.
    pub act_as: HeaderMap,
}

/// How we say who we are, apart from a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// Not at all.
    Nobody,
    /// By this token.
    Token(Secret),
    /// By the token in a file, which somebody renews.
    TokenFile(PathBuf),
    /// By a name and a password.
    Basic {
        /// The name.
        name: String,
        /// The password.
        password: Secret,
    },
}

/// A text in PEM, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pem {
    /// Who named it, for messages.
    pub named_by: String,
    /// Where it is.
    pub place: PemPlace,
}

/// Where a text in PEM is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PemPlace {
    /// In a file, which somebody may renew.
    File(PathBuf),
    /// Here.
    Here(Secret),
}

impl Way {
    /// A way to this server, on which nothing is said of us nor of it.
    pub fn to(server: Uri) -> Self {
        Self {
            server,
            namespace: None,
            authority: None,
            trusts_anybody: false,
            tls_server_name: None,
            certificate: None,
            key: None,
            login: Login::Nobody,
            act_as: HeaderMap::new(),
        }
    }

    /// Adds a header to act as somebody else.
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
    /// A file.
    pub fn file(named_by: impl Into<String>, path: &Path) -> Self {
        Self {
            named_by: named_by.into(),
            place: PemPlace::File(path.to_owned()),
        }
    }

    /// The text as it is now.
    pub fn read(&self) -> Result<Vec<u8>, SetupError> {
        match &self.place {
            PemPlace::Here(text) => Ok(text.0.clone().into_bytes()),
            PemPlace::File(path) => read(path).map_err(|source| SetupError::File {
                name: format!("{} {}", self.named_by, path.display()),
                source,
            }),
        }
    }
}

/// All of a file that is not large.
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

/// An HTTP server's address; `named_by` says who gave it.
pub fn address(named_by: &str, text: &str) -> Result<Uri, SetupError> {
    // As the reference's client has it: without a scheme it is plain HTTP.
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
