//! A kubeconfig: which cluster, which user, which namespace.
//!
//! Read as far as it serves inside a pod: a token, a token's file or a client certificate. Plugins are
//! programs that an image of a sidecar does not hold, and what else a file may say of us is refused by
//! name, so that nobody is asked as somebody else than the file means.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use thiserror::Error;

use super::{
    ApiOptions, Secret, SetupError,
    way::{Login, Pem, PemPlace, Way, address, read},
};
use crate::config::{boolean, node::Node, yaml};

const CREDENTIALS: &str = "give a token (token, tokenFile, --token) or a client certificate \
     (client-certificate and client-key, or the flags of these names)";

/// Fields of a user that are not supported, with the way out.
const REFUSED_LOGINS: &[(&str, &str)] = &[
    ("exec", CREDENTIALS),
    ("auth-provider", CREDENTIALS),
    ("username", CREDENTIALS),
    ("password", CREDENTIALS),
];

/// Fields of a user that make us act as another one, with the way out.
const REFUSED_ROLES: &[(&str, &str)] = &[
    ("as", "name the user with --as"),
    ("as-uid", "name the uid with --as-uid"),
    ("as-groups", "name each group with --as-group"),
    (
        "as-user-extra",
        "use credentials of the user himself, whom the API server knows better",
    ),
];

/// Fields of a cluster that are not supported, with the way out.
const REFUSED_ROUTES: &[(&str, &str)] = &[(
    "proxy-url",
    "the API must be reachable without a proxy, or use another watcher",
)];

/// Why a kubeconfig cannot be used.
#[derive(Debug, Error)]
pub enum KubeconfigError {
    /// The file cannot be read.
    #[error("the kubeconfig {}: it cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not YAML as we read it.
    #[error("the kubeconfig {}, line {line}: {rule}", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The rule that it breaks.
        rule: String,
    },
    /// Something else stands where we look for a field.
    #[error("the kubeconfig's {owner}: the field {field} must be {expected}")]
    Shape {
        /// What it belongs to.
        owner: String,
        /// The field.
        field: String,
        /// What it must be.
        expected: &'static str,
    },
    /// No Base64.
    #[error("the kubeconfig's {owner}: the field {field} is not Base64")]
    Base64 {
        /// What it belongs to.
        owner: String,
        /// The field.
        field: &'static str,
        /// Why.
        #[source]
        source: base64::DecodeError,
    },
    /// A field that we do not do.
    #[error("the kubeconfig's {owner}: the field {field} is not supported: {advice}")]
    Refused {
        /// What it belongs to.
        owner: String,
        /// The field.
        field: &'static str,
        /// What to do instead.
        advice: &'static str,
    },
    /// Nothing is chosen.
    #[error("the kubeconfig has no current-context: choose one with --context")]
    NoContext,
    /// What was chosen is not there.
    #[error("the kubeconfig has no {0}")]
    Missing(String),
}

/// What one file or several say.
#[derive(Debug, Default)]
pub struct Kubeconfig {
    clusters: Vec<Entry>,
    users: Vec<Entry>,
    contexts: Vec<Entry>,
    current: Option<String>,
}

/// A cluster, a user or a context.
#[derive(Debug)]
struct Entry {
    name: String,
    /// What it is, by its kind and name, for messages.
    owner: String,
    fields: BTreeMap<String, Node>,
    /// Where paths begin.
    directory: PathBuf,
}

impl Kubeconfig {
    /// Reads files; of two that say the same thing the first one counts.
    pub fn read<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Self, KubeconfigError> {
        let mut all = Self::default();
        for path in paths {
            all.add(path.as_ref())?;
        }
        Ok(all)
    }

    fn add(&mut self, path: &Path) -> Result<(), KubeconfigError> {
        let text = read(path)
            .and_then(|content| String::from_utf8(content).map_err(io::Error::other))
            .map_err(|source| KubeconfigError::Read {
                path: path.to_owned(),
                source,
            })?;
        let tree = yaml::parse(&text).map_err(|error| KubeconfigError::Yaml {
            path: path.to_owned(),
            line: error.line,
            rule: error.rule,
        })?;
        let whole = Entry {
            name: String::new(),
            owner: format!("file {}", path.display()),
            fields: map(tree).unwrap_or_default(),
            directory: path.parent().unwrap_or(Path::new("")).to_owned(),
        };
        whole.entries("clusters", "cluster", &mut self.clusters)?;
        whole.entries("users", "user", &mut self.users)?;
        whole.entries("contexts", "context", &mut self.contexts)?;
        if self.current.is_none() {
            self.current = whole.text("current-context")?;
        }
        Ok(())
    }

    /// The way that the current context means, or that flags choose.
    pub fn way(&self, options: &ApiOptions) -> Result<Way, SetupError> {
        let context = options.context.as_ref().or(self.current.as_ref());
        let context = find(
            &self.contexts,
            "context",
            context.ok_or(KubeconfigError::NoContext)?,
        )?;
        let cluster = match &options.cluster {
            Some(name) => name.clone(),
            None => context.needs("cluster")?,
        };
        let cluster = find(&self.clusters, "cluster", &cluster)?;
        cluster.refuse(REFUSED_ROUTES)?;
        let server = format!("the server of the {}", cluster.owner);
        let mut way = Way {
            namespace: context.text("namespace")?.or(Some("default".to_owned())),
            authority: cluster.pem("certificate-authority", "certificate-authority-data")?,
            trusts_anybody: cluster.truth("insecure-skip-tls-verify")?,
            tls_server_name: cluster.text("tls-server-name")?,
            ..Way::to(address(&server, &cluster.needs("server")?)?)
        };
        // A token in a flag takes the place of all that the file says of us.
        if options.token.is_none() {
            let name = match &options.user {
                Some(name) => Some(name.clone()),
                None => context.text("user")?,
            };
            // As Kubernetes' own clients have it, a user that is not there is nobody.
            let user = self
                .users
                .iter()
                .find(|user| Some(&user.name) == name.as_ref());
            if let Some(user) = user {
                user.identify(options, &mut way)?;
            }
        }
        Ok(way)
    }
}

impl Entry {
    /// The named things in the list `list`.
    fn entries(&self, list: &str, kind: &str, into: &mut Vec<Self>) -> Result<(), KubeconfigError> {
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

    /// What a user says of us.
    fn identify(&self, options: &ApiOptions, way: &mut Way) -> Result<(), KubeconfigError> {
        if options.username.is_none() {
            self.refuse(REFUSED_LOGINS)?;
        }
        if options.act_as.is_none() {
            self.refuse(REFUSED_ROLES)?;
        }
        way.certificate = self.pem("client-certificate", "client-certificate-data")?;
        way.key = self.pem("client-key", "client-key-data")?;
        way.login = match (self.text("token")?, self.text("tokenFile")?) {
            (Some(token), _) => Login::Token(Secret(token)),
            (None, Some(file)) => Login::TokenFile(self.directory.join(file)),
            (None, None) => Login::Nobody,
        };
        Ok(())
    }

    /// Refuses what is given of these fields.
    fn refuse(&self, fields: &[(&'static str, &'static str)]) -> Result<(), KubeconfigError> {
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

    /// A field's text; an empty one counts as not given.
    fn text(&self, field: &str) -> Result<Option<String>, KubeconfigError> {
        // Keys of a tree are in lower case.
        match self.fields.get(&field.to_lowercase()) {
            None | Some(Node::Null) => Ok(None),
            Some(Node::Scalar(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.shape(field, "a text")),
        }
    }

    fn needs(&self, field: &str) -> Result<String, KubeconfigError> {
        self.text(field)?.ok_or_else(|| self.shape(field, "given"))
    }

    fn truth(&self, field: &str) -> Result<bool, KubeconfigError> {
        let text = self.text(field)?;
        let value = text.as_deref().map(boolean).transpose();
        let value = value.map_err(|_| self.shape(field, "true or false"))?;
        Ok(value.unwrap_or_default())
    }

    /// A text in PEM: here, in Base64, or else in a file.
    fn pem(&self, file: &'static str, data: &'static str) -> Result<Option<Pem>, KubeconfigError> {
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
                place: PemPlace::Here(Secret(text)),
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

fn find<'a>(entries: &'a [Entry], kind: &str, name: &str) -> Result<&'a Entry, KubeconfigError> {
    let found = entries.iter().find(|entry| entry.name == name);
    found.ok_or_else(|| KubeconfigError::Missing(format!("{kind} {name}")))
}

/// A map, or nothing, which is an empty one.
fn map(node: Node) -> Option<BTreeMap<String, Node>> {
    match node {
        Node::Map(fields) => Some(fields),
        Node::Null => Some(BTreeMap::new()),
        Node::Scalar(_) | Node::List(_) => None,
    }
}

#[cfg(test)]
mod tests;
