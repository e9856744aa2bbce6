//! The JSON that describes an image (OCI image specification 1.1): configuration, manifest and indexes.

use serde_json::{Map, Value, json};

use super::{layer::Layer, name::Label};
use crate::architecture::Architecture;

/// The types of what an image consists of.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The program of a container without a command of its own.
const ENTRY_POINT: &str = "/bin/copilot";

/// What the image says about itself (OCI image specification, "Pre-Defined Annotation Keys").
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// What it is, in one sentence.
    pub description: String,
    /// The version of the product.
    pub version: String,
    /// An SPDX expression.
    pub licenses: String,
    /// RFC 3339.
    pub created: String,
    /// The commit; empty if it is not known.
    pub revision: String,
    /// Further labels, which may replace those above.
    pub others: Vec<Label>,
}

impl Labels {
    /// The labels as an object of JSON. Empty ones are left out.
    pub fn json(&self) -> Value {
        let own = [
            ("title", "Copilot"),
            ("description", &self.description),
            ("version", &self.version),
            ("licenses", &self.licenses),
            ("created", &self.created),
            ("revision", &self.revision),
        ];
        let own = own
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (format!("org.opencontainers.image.{name}"), value.into()));
        let others = self.others.iter();
        let others = others.map(|Label(name, value)| (name.clone(), value.as_str().into()));
        Value::Object(own.chain(others).collect::<Map<String, Value>>())
    }
}

/// The configuration: what a container of this image runs.
pub fn config(architecture: Architecture, layer: &Layer, labels: &Labels) -> Value {
    // Without `User`: the pod's manifest decides. As root the sidecar reads outputs of any user.
    json!({
        "created": labels.created,
        "architecture": architecture.name(),
        "os": "linux",
        "config": {
            "Env": ["PATH=/bin"],
            "Entrypoint": [ENTRY_POINT],
            "Labels": labels.json(),
        },
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
        "history": [{"created": labels.created, "created_by": "cargo xtask image"}],
    })
}

/// The manifest of one architecture; `config` and `layer` are descriptors.
pub fn manifest(config: &Value, layer: &Value, labels: &Labels) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config,
        "layers": [layer],
        "annotations": labels.json(),
    })
}

/// The image: an index of the manifests of all architectures.
pub fn index(manifests: &[Value], labels: &Labels) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": manifests,
        "annotations": labels.json(),
    })
}

/// The top of a layout: it gives the image its name.
pub fn top(image: &Value, name: &str, tag: &str) -> Value {
    let mut image = image.clone();
    image["annotations"] = json!({
        "org.opencontainers.image.ref.name": tag,
        // The whole name, which containerd reads.
        "io.containerd.image.name": name,
    });
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [image]})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So a binary that was taken out of an image can be packed into the same image again.
    #[test]
    fn a_commit_that_a_person_names_is_the_same_as_one_that_was_found() {
        let found = Labels {
            revision: "abc".to_owned(),
            ..Labels::default()
        };
        let named = Labels {
            others: vec![Label(
                "org.opencontainers.image.revision".to_owned(),
                "abc".to_owned(),
            )],
            ..Labels::default()
        };
        assert_eq!(found.json().to_string(), named.json().to_string());
    }

    #[test]
    fn an_unknown_commit_is_not_a_label_and_a_person_may_add_some() {
        let labels = Labels {
            version: "0.1.0".to_owned(),
            others: vec![
                Label("a.b".to_owned(), "c".to_owned()),
                Label(
                    "org.opencontainers.image.title".to_owned(),
                    "Ours".to_owned(),
                ),
            ],
            ..Labels::default()
        };
        let expected = json!({
            "a.b": "c",
            "org.opencontainers.image.title": "Ours",
            "org.opencontainers.image.version": "0.1.0",
        });
        assert_eq!(labels.json(), expected);
    }
}
