//! The `Authorization` header. A token in a file is read for each request, since kubelet renews the
//! service account's token about every hour: a watch lasts minutes, so reading costs nothing.

use std::{
    path::{Path, PathBuf},
    str,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::HeaderValue;
use tracing::debug;

use super::{
    SetupError,
    way::{Login, read},
};

/// What says who we are.
#[derive(Debug)]
pub enum Credential {
    /// The same for ever; nothing where a certificate says it, or nobody asks.
    Fixed(Option<HeaderValue>),
    /// A token that somebody renews.
    File {
        /// Where it is.
        path: PathBuf,
        /// What was read last. It is used while the file is not there or is empty: some delete the
        /// token once a process has started.
        last: Mutex<HeaderValue>,
    },
}

impl Credential {
    /// What says who we are, read for the first time.
    pub fn new(login: &Login) -> Result<Self, SetupError> {
        Ok(match login {
            Login::Nobody => Self::Fixed(None),
            Login::Token(token) => Self::Fixed(Some(bearer("the token", &token.0)?)),
            Login::TokenFile(path) => Self::File {
                path: path.clone(),
                last: Mutex::new(token(path)?),
            },
            Login::Basic { name, password } => {
                let pair = BASE64_STANDARD.encode(format!("{name}:{}", password.0));
                Self::Fixed(Some(secret("the user's name", &format!("Basic {pair}"))?))
            }
        })
    }

    /// The header as it is now.
    pub fn header(&self) -> Option<HeaderValue> {
        match self {
            Self::Fixed(header) => header.clone(),
            Self::File { path, last } => {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                match token(path) {
                    Ok(header) => *last = header,
                    Err(error) => {
                        debug!(%error, "the token is not read anew: the last one is used");
                    }
                }
                Some(last.clone())
            }
        }
    }

    /// A header that may do better than one that the server has just refused.
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
    fn a_tokens_file_is_read_again_for_each_request() {
        let directory = tempfile::tempdir().expect("it can be made");
        let path = directory.path().join("token");
        assert!(Credential::new(&Login::TokenFile(path.clone())).is_err());
        fs::write(&path, "first\n").expect("it can be written");
        let credential = Credential::new(&Login::TokenFile(path.clone())).expect("it is there");
        assert_eq!(text(credential.header()), "Bearer first");
        let refused = credential.header();
        assert_eq!(credential.renewed(refused.as_ref()), None);
        fs::write(&path, "second\n").expect("it can be written");
        assert_eq!(text(credential.renewed(refused.as_ref())), "Bearer second");
        assert_eq!(text(credential.header()), "Bearer second");
        // While it is being written, and after it has gone.
        for content in ["", "\n", "no\u{0}token"] {
            fs::write(&path, content).expect("it can be written");
            assert_eq!(text(credential.header()), "Bearer second", "{content:?}");
        }
        fs::remove_file(&path).expect("it is there");
        assert_eq!(text(credential.header()), "Bearer second");
    }

    #[test]
    fn what_is_fixed_is_never_renewed() {
        let secret = |text: &str| Secret(text.to_owned());
        let basic = Login::Basic {
            name: "Aladdin".to_owned(),
            password: secret("open sesame"),
        };
        for (login, expected) in [
            (Login::Token(secret("t")), "Bearer t"),
            (basic, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ] {
            let credential = Credential::new(&login).expect("it is a header");
            assert_eq!(text(credential.header()), expected);
            assert_eq!(credential.renewed(credential.header().as_ref()), None);
        }
        let nobody = Credential::new(&Login::Nobody).expect("it needs nothing");
        assert_eq!(nobody.header(), None);
        let error =
            Credential::new(&Login::Token(secret("a\nb"))).expect_err("no header holds that");
        assert!(!format!("{error} {error:?}").contains("a\nb"));
    }
}
