//! One cluster, user or context: its fields, and which of them are refused.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::KubeconfigError;
use crate::{
    config::{boolean, node::Node},
    track::source::kube::{
        ApiOptions, Secret,
        api_config::{ApiConfig, Login, Pem, PemLocation},
    },
};

const CREDENTIALS: &str = "give a token (token, tokenFile, --token) or a client certificate \
     (client-certificate and client-key, or the flags of these names)";

/// Fields of a user that are not supported, with what to do instead.
const REFUSED_LOGINS: &[(&str, &str)] = &[
    ("exec", CREDENTIALS),
    ("auth-provider", CREDENTIALS),
    ("username", CREDENTIALS),
    ("password", CREDENTIALS),
];

/// Fields of a user that impersonate another one, with what to do instead.
const REFUSED_ROLES: &[(&str, &str)] = &[
    ("as", "name the user with --as"),
    ("as-uid", "name the uid with --as-uid"),
    ("as-groups", "name each group with --as-group"),
    ("as-user-extra", "use that user's own credentials"),
];

/// Fields of a cluster that are not supported, with what to do instead.
pub const REFUSED_ROUTES: &[(&str, &str)] = &[(
    "proxy-url",
    "the API must be reachable without a proxy, or use another watcher",
)];

/// A cluster, a user or a context.
pub struct KubeconfigEntry {
    /// Its name.
    pub name: String,
    /// Its kind and name, for messages.
    pub owner: String,
    /// Its fields; keys are in lower case.
    pub fields: BTreeMap<String, Node>,
    /// The file's directory, to which its paths are relative.
    pub directory: PathBuf,
}

/// Shows no fields, because they may be secret.
impl fmt::Debug for KubeconfigEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.owner)
    }
}

impl KubeconfigEntry {
    /// Adds the named entries of the list `list`, except those whose name is known already.
    pub fn entries(
        &self,
        list: &str,
        kind: &str,
        into: &mut Vec<Self>,
    ) -> Result<(), KubeconfigError> {
        let items = match self.fields.get(list) {
            None | Some(Node::Null) => return Ok(()),
            Some(Node::List(items)) => items,
            Some(_) => return Err(self.shape(list, "a list")),
        };
        for item in items {
            let fields = map(item.clone()).ok_or_else(|| self.shape(list, "a list of maps"))?;
            let outer = Self {
                name: String::new(),
                owner: format!("{kind} without a name"),
                fields,
                directory: self.directory.clone(),
            };
            let name = outer.needs("name")?;
            if into.iter().any(|known| known.name == name) {
                continue;
            }
            let inner = outer.fields.get(kind).cloned().unwrap_or(Node::Null);
            into.push(Self {
                owner: format!("{kind} {name}"),
                fields: map(inner).ok_or_else(|| outer.shape(kind, "a map"))?,
                name,
                directory: outer.directory,
            });
        }
        Ok(())
    }

    /// Takes the credentials of a user.
    pub fn identify(
        &self,
        options: &ApiOptions,
        config: &mut ApiConfig,
    ) -> Result<(), KubeconfigError> {
        if options.username.is_none() {
            self.refuse(REFUSED_LOGINS)?;
        }
        if options.act_as.is_none() {
            self.refuse(REFUSED_ROLES)?;
        }
        config.certificate = self.pem("client-certificate", "client-certificate-data")?;
        config.key = self.pem("client-key", "client-key-data")?;
        config.login = match (self.text("token")?, self.text("tokenFile")?) {
            (Some(token), _) => Login::Token(Secret::from(token)),
            (None, Some(file)) => Login::TokenFile(self.directory.join(file)),
            (None, None) => Login::Anonymous,
        };
        Ok(())
    }

    /// Fails if one of these fields is given.
    pub fn refuse(&self, fields: &[(&'static str, &'static str)]) -> Result<(), KubeconfigError> {
        for (field, advice) in fields {
            let is_given = match self.fields.get(*field) {
                None | Some(Node::Null) => false,
                Some(Node::Scalar(text)) => !text.is_empty(),
                Some(Node::List(items)) => !items.is_empty(),
                Some(Node::Map(_)) => true,
            };
            if is_given {
                return Err(KubeconfigError::Refused {
                    owner: self.owner.clone(),
                    field,
                    advice,
                });
            }
        }
        Ok(())
    }

    /// A field's text; an empty text counts as missing.
    pub fn text(&self, field: &str) -> Result<Option<String>, KubeconfigError> {
        // Keys of a tree are in lower case.
        match self.fields.get(&field.to_lowercase()) {
            None | Some(Node::Null) => Ok(None),
            Some(Node::Scalar(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.shape(field, "a text")),
        }
    }

    /// The text of a required field.
    pub fn needs(&self, field: &str) -> Result<String, KubeconfigError> {
        self.text(field)?.ok_or_else(|| self.shape(field, "given"))
    }

    /// A boolean field; false if it is missing.
    pub fn flag(&self, field: &str) -> Result<bool, KubeconfigError> {
        let text = self.text(field)?;
        let value = text.as_deref().map(boolean).transpose();
        let value = value.map_err(|_| self.shape(field, "true or false"))?;
        Ok(value.unwrap_or_default())
    }

    /// A PEM text: inline in Base64, otherwise in a file.
    pub fn pem(
        &self,
        file: &'static str,
        data: &'static str,
    ) -> Result<Option<Pem>, KubeconfigError> {
        if let Some(text) = self.text(data)? {
            let text: String = text.split_ascii_whitespace().collect();
            let bytes = BASE64_STANDARD.decode(text);
            let bytes = bytes.map_err(|source| KubeconfigError::Base64 {
                owner: self.owner.clone(),
                field: data,
                source,
            })?;
            let text = String::from_utf8(bytes).map_err(|_| self.shape(data, "PEM in Base64"))?;
            return Ok(Some(Pem {
                named_by: format!("{data} of the {}", self.owner),
                location: PemLocation::Inline(Secret::from(text)),
            }));
        }
        let path = self.text(file)?;
        let named_by = format!("{file} of the {}", self.owner);
        Ok(path.map(|path| Pem::file(named_by, &self.directory.join(path))))
    }

    fn shape(&self, field: &str, expected: &'static str) -> KubeconfigError {
        KubeconfigError::Shape {
            owner: self.owner.clone(),
            field: field.to_owned(),
            expected,
        }
    }
}

/// The fields of a map; null counts as an empty map.
pub fn map(node: Node) -> Option<BTreeMap<String, Node>> {
    match node {
        Node::Map(fields) => Some(fields),
        Node::Null => Some(BTreeMap::new()),
        Node::Scalar(_) | Node::List(_) => None,
    }
}
