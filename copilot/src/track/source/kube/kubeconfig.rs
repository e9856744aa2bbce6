//! A kubeconfig: which cluster, which user, which namespace.
//!
//! Read as far as it serves inside a pod: a token, a token's file or a client certificate. Plugins are
//! programs that an image of a sidecar does not hold, and what else a file may say of us is refused by
//! name, so that nobody is asked as somebody else than the file means.

use std::{io, path::Path};

use self::entry::{Entry, REFUSED_ROUTES, map};
use super::{
    ApiOptions, SetupError,
    way::{Way, address, read},
};
use crate::config::yaml;

mod entry;
mod error;

pub use error::KubeconfigError;

/// What one file or several say.
#[derive(Debug, Default)]
pub struct Kubeconfig {
    clusters: Vec<Entry>,
    users: Vec<Entry>,
    contexts: Vec<Entry>,
    current: Option<String>,
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
            rule: error.rule.to_string(),
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

fn find<'a>(entries: &'a [Entry], kind: &str, name: &str) -> Result<&'a Entry, KubeconfigError> {
    let found = entries.iter().find(|entry| entry.name == name);
    found.ok_or_else(|| KubeconfigError::Missing(format!("{kind} {name}")))
}

#[cfg(test)]
mod tests;
