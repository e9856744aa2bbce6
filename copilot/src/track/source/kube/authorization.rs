//! The `Authorization` header. A token in a file is read again for each request, because kubelet renews
//! the service account's token about every hour. Requests are usually minutes apart, so the read costs
//! nothing.

use std::{
    path::{Path, PathBuf},
    str,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::HeaderValue;
use tracing::debug;

use crate::config::secret::known;

use super::{
    SetupError,
    api_config::{Login, read},
};

/// Yields the `Authorization` header.
#[derive(Debug)]
pub enum Authorization {
    /// A header that never changes; `None` with a client certificate, or for an anonymous user.
    Fixed(Option<HeaderValue>),
    /// A token in a file, whose content changes when it is renewed.
    File {
        /// The token's file.
        path: PathBuf,
        /// The last header. It stays in use while the file is missing or empty: some programs delete the
        /// token once a process has started.
        last: Mutex<HeaderValue>,
    },
}

impl Authorization {
    /// Reads the credentials for the first time.
    pub fn new(login: &Login) -> Result<Self, SetupError> {
        Ok(match login {
            Login::Anonymous => Self::Fixed(None),
            Login::Token(token) => Self::Fixed(Some(bearer("the token", token)?)),
            Login::TokenFile(path) => Self::File {
                path: path.clone(),
                last: Mutex::new(token(path)?),
            },
            Login::Basic { name, password } => {
                let pair = BASE64_STANDARD.encode(format!("{name}:{}", &**password));
                Self::Fixed(Some(secret("the user's name", &format!("Basic {pair}"))?))
            }
        })
    }

    /// The present header.
    pub fn header(&self) -> Option<HeaderValue> {
        match self {
            Self::Fixed(header) => header.clone(),
            Self::File { path, last } => {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                match token(path) {
                    Ok(header) => *last = header,
                    Err(error) => {
                        debug!(%error, "the token cannot be read again: the last one stays in use");
                    }
                }
                Some(last.clone())
            }
        }
    }

    /// The present header, if it differs from one that the server has just refused.
    pub fn renewed(&self, refused: Option<&HeaderValue>) -> Option<HeaderValue> {
        self.header().filter(|header| Some(header) != refused)
    }
}

fn token(path: &Path) -> Result<HeaderValue, SetupError> {
    let name = format!("the token in {}", path.display());
    let content = read(path).map_err(|source| SetupError::File {
        name: name.clone(),
        source,
    })?;
    let text = str::from_utf8(&content).map_or("", str::trim);
    if text.is_empty() {
        return Err(SetupError::NoToken { name });
    }
    bearer(&name, text)
}

fn bearer(name: &str, token: &str) -> Result<HeaderValue, SetupError> {
    secret(name, &format!("Bearer {}", token.trim()))
}

fn secret(name: &str, value: &str) -> Result<HeaderValue, SetupError> {
    let mut header = HeaderValue::from_str(value).map_err(|source| SetupError::Header {
        header: name.to_owned(),
        source,
    })?;
    header.set_sensitive(true);
    known::remember(value);
    known::remember(
        value
            .split_once(' ')
            .map_or("", |(_, credentials)| credentials),
    );
    Ok(header)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::track::source::kube::Secret;

    fn text(header: Option<HeaderValue>) -> String {
        let header = header.expect("there is one");
        assert!(header.is_sensitive());
        header.to_str().expect("it is text").to_owned()
    }

    #[test]
    fn a_token_file_is_read_again_for_each_request() {
        let directory = tempfile::tempdir().expect("it can be made");
        let path = directory.path().join("token");
        assert!(Authorization::new(&Login::TokenFile(path.clone())).is_err());
        fs::write(&path, "first\n").expect("it can be written");
        let authorization =
            Authorization::new(&Login::TokenFile(path.clone())).expect("it is there");
        assert_eq!(text(authorization.header()), "Bearer first");
        let refused = authorization.header();
        assert_eq!(authorization.renewed(refused.as_ref()), None);
        fs::write(&path, "second\n").expect("it can be written");
        assert_eq!(
            text(authorization.renewed(refused.as_ref())),
            "Bearer second"
        );
        assert_eq!(text(authorization.header()), "Bearer second");
        // While it is being written, and after it was deleted.
        for content in ["", "\n", "no\u{0}token"] {
            fs::write(&path, content).expect("it can be written");
            assert_eq!(text(authorization.header()), "Bearer second", "{content:?}");
        }
        fs::remove_file(&path).expect("it is there");
        assert_eq!(text(authorization.header()), "Bearer second");
    }

    #[test]
    fn a_fixed_header_is_never_renewed() {
        let secret = |text: &str| Secret::from(text);
        let basic = Login::Basic {
            name: "Aladdin".to_owned(),
            password: secret("open sesame"),
        };
        for (login, expected) in [
            (Login::Token(secret("t")), "Bearer t"),
            (basic, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ] {
            let authorization = Authorization::new(&login).expect("it is a header");
            assert_eq!(text(authorization.header()), expected);
            assert_eq!(authorization.renewed(authorization.header().as_ref()), None);
        }
        let anonymous = Authorization::new(&Login::Anonymous).expect("it needs nothing");
        assert_eq!(anonymous.header(), None);
        let error = Authorization::new(&Login::Token(secret("a\nb")))
            .expect_err("a header cannot hold a line break");
        assert!(!format!("{error} {error:?}").contains("a\nb"));
    }
}
