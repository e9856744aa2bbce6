//! A kubeconfig: its cluster, user and namespace.
//!
//! Supports what works inside a pod: a token, a token file or a client certificate. Plugins are programs
//! that a sidecar's image lacks. Other fields with credentials or roles are refused by name, so that we
//! never act as another user than the file means.

use std::{io, path::Path};

use self::entry::{KubeconfigEntry, REFUSED_ROUTES, map};
use super::{
    ApiOptions, SetupError,
    api_config::{ApiConfig, address, read},
};
use crate::config::yaml;

mod entry;
mod error;

pub use error::KubeconfigError;

/// The content of one kubeconfig, or of several merged.
#[derive(Debug, Default)]
pub struct Kubeconfig {
    clusters: Vec<KubeconfigEntry>,
    users: Vec<KubeconfigEntry>,
    contexts: Vec<KubeconfigEntry>,
    current: Option<String>,
}

impl Kubeconfig {
    /// Reads and merges files: the first file that has an entry wins.
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
        let whole = KubeconfigEntry {
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

    /// The API server and credentials of the current context, or of those that flags choose.
    pub fn api_config(&self, options: &ApiOptions) -> Result<ApiConfig, SetupError> {
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
        let mut config = ApiConfig {
            namespace: context.text("namespace")?.or(Some("default".to_owned())),
            authority: cluster.pem("certificate-authority", "certificate-authority-data")?,
            skip_tls_verify: cluster.flag("insecure-skip-tls-verify")?,
            tls_server_name: cluster.text("tls-server-name")?,
            ..ApiConfig::new(address(&server, &cluster.needs("server")?)?)
        };
        // A token in a flag replaces all credentials of the file.
        if options.token.is_none() {
            let name = match &options.user {
                Some(name) => Some(name.clone()),
                None => context.text("user")?,
            };
            // As in Kubernetes' own clients, a user that does not exist is anonymous.
            let user = self
                .users
                .iter()
                .find(|user| Some(&user.name) == name.as_ref());
            if let Some(user) = user {
                user.identify(options, &mut config)?;
            }
        }
        Ok(config)
    }
}

fn find<'a>(
    entries: &'a [KubeconfigEntry],
    kind: &str,
    name: &str,
) -> Result<&'a KubeconfigEntry, KubeconfigError> {
    let found = entries.iter().find(|entry| entry.name == name);
    found.ok_or_else(|| KubeconfigError::Missing(format!("{kind} {name}")))
}

#[cfg(test)]
mod tests;
