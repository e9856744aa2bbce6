//! What matters of a pod's manifest.

use std::path::PathBuf;

use thiserror::Error;

use super::fields::{FieldError, Fields};
use crate::config;
use crate::yaml::YamlError;

/// Why a text is not the manifest of a pod.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ManifestError {
    /// It is neither YAML nor JSON.
    #[error("it is not YAML: {0}")]
    Syntax(#[source] Yaml),
    /// A field has the wrong type.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// It describes no pod.
    #[error(
        "it holds no containers: give a Pod, a PodTemplate, or an object with `spec.template.spec` such as a Job"
    )]
    NoPod,
}

/// What breaks the grammar of YAML, with the line.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(transparent)]
pub struct Yaml(YamlError);

/// A pod, or the template of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The pod's name; `None` in a template, and where the API server makes it.
    pub name: Option<String>,
    /// `shareProcessNamespace` or `hostPID`.
    pub shares_pids: bool,
    /// `hostUsers: false`: a user namespace of its own.
    pub has_own_users: bool,
    /// `terminationGracePeriodSeconds`, or Kubernetes' default.
    pub grace_seconds: u64,
    /// `restartPolicy`; `None` for the default, `Always`.
    pub restart_policy: Option<String>,
    /// `automountServiceAccountToken: false`.
    pub has_no_token: bool,
    /// The pod's `securityContext`.
    pub security: Security,
    /// Its volumes.
    pub volumes: Vec<Volume>,
    /// Init containers, then containers, each in the order of the manifest.
    pub containers: Vec<Container>,
}

/// A volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// `emptyDir: {medium: Memory}`.
    pub in_memory: bool,
    /// The `sizeLimit` of an `emptyDir`, in bytes.
    pub size_limit: Option<u64>,
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Whether it is an init container.
    pub is_init: bool,
    /// `restartPolicy: Always`; of an init container it makes a native sidecar.
    pub always_restarts: bool,
    /// `command` and `args`.
    pub words: Vec<String>,
    /// Its `securityContext`.
    pub security: Security,
    /// Its `startupProbe`.
    pub startup_probe: Option<StartupProbe>,
    /// `resources.limits.memory`, in bytes.
    pub memory_limit: Option<u64>,
    /// Its mounts of volumes.
    pub mounts: Vec<VolumeMount>,
}

impl Container {
    /// Whether it is a native sidecar.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.is_init && self.always_restarts
    }
}

/// A `securityContext`, of a pod or a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// `runAsUser`.
    pub user: Option<u64>,
    /// `runAsNonRoot`.
    pub non_root: Option<bool>,
    /// `privileged`.
    pub is_privileged: bool,
    /// `capabilities.add`, in upper case and without `CAP_`.
    pub added: Vec<String>,
    /// `capabilities.drop`, the same way.
    pub dropped: Vec<String>,
    /// `seccompProfile.type`, with the name of a profile of the node.
    pub seccomp: Option<(String, Option<String>)>,
}

/// An `exec` probe, or one of another kind, which has no command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartupProbe {
    /// `exec.command`.
    pub command: Vec<String>,
    /// Seconds until kubelet restarts a container that is not ready.
    pub patience_seconds: u64,
}

/// A mount of a volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeMount {
    /// The volume's name.
    pub volume: String,
    /// Where the container sees it.
    pub path: PathBuf,
    /// `subPath`.
    pub sub_path: PathBuf,
    /// `readOnly`.
    pub is_read_only: bool,
}

impl Manifest {
    /// Reads YAML or JSON.
    ///
    /// # Errors
    /// It breaks the grammar, a field has the wrong type, or it describes no pod.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let node = config::yaml::parse(text).map_err(|error| ManifestError::Syntax(Yaml(error)))?;
        let object = Fields::of(&node)?;
        // A `List`: the first object in it that describes a pod.
        for item in object.list("items")? {
            match Self::of_object(&item) {
                Err(ManifestError::NoPod) => {}
                found => return found,
            }
        }
        Self::of_object(&object)
    }

    fn of_object(object: &Fields<'_>) -> Result<Self, ManifestError> {
        let spec = object.field("spec")?;
        if is_pod(&spec)? {
            let name = object.field("metadata")?.text("name")?;
            return Ok(pod(&spec, name)?);
        }
        for template in [object.field("template")?, spec.field("template")?] {
            let spec = template.field("spec")?;
            if is_pod(&spec)? {
                return Ok(pod(&spec, None)?);
            }
        }
        Err(ManifestError::NoPod)
    }
}

fn is_pod(spec: &Fields<'_>) -> Result<bool, FieldError> {
    Ok(!spec.list("containers")?.is_empty() || !spec.list("initContainers")?.is_empty())
}

/// `terminationGracePeriodSeconds` where the manifest has none.
const GRACE: u64 = 30;

fn pod(spec: &Fields<'_>, name: Option<String>) -> Result<Manifest, FieldError> {
    let is = |name| Ok::<_, FieldError>(spec.truth(name)? == Some(true));
    let mut containers = Vec::new();
    for (field, is_init) in [("initContainers", true), ("containers", false)] {
        for fields in spec.list(field)? {
            containers.push(container(&fields, is_init)?);
        }
    }
    let volumes = spec.list("volumes")?;
    Ok(Manifest {
        name,
        shares_pids: is("shareProcessNamespace")? || is("hostPID")?,
        has_own_users: spec.truth("hostUsers")? == Some(false),
        grace_seconds: spec
            .number("terminationGracePeriodSeconds")?
            .unwrap_or(GRACE),
        restart_policy: spec.text("restartPolicy")?,
        has_no_token: spec.truth("automountServiceAccountToken")? == Some(false),
        security: security(&spec.field("securityContext")?)?,
        volumes: volumes.iter().map(volume).collect::<Result<_, _>>()?,
        containers,
    })
}

fn volume(fields: &Fields<'_>) -> Result<Volume, FieldError> {
    // Only an `emptyDir` has a medium: no other kind shows it here.
    let directory = fields.field("emptyDir")?;
    Ok(Volume {
        name: fields.text("name")?.unwrap_or_default(),
        in_memory: directory.text("medium")?.as_deref() == Some("Memory"),
        size_limit: directory.quantity("sizeLimit")?,
    })
}

fn container(fields: &Fields<'_>, is_init: bool) -> Result<Container, FieldError> {
    let limits = fields.field("resources")?.field("limits")?;
    let mounts = fields.list("volumeMounts")?;
    let probe = fields.field("startupProbe")?;
    Ok(Container {
        name: fields.text("name")?.unwrap_or_default(),
        is_init,
        always_restarts: fields.text("restartPolicy")?.as_deref() == Some("Always"),
        words: [fields.texts("command")?, fields.texts("args")?].concat(),
        security: security(&fields.field("securityContext")?)?,
        startup_probe: probe
            .is_there()
            .then(|| startup_probe(&probe))
            .transpose()?,
        memory_limit: limits.quantity("memory")?,
        mounts: mounts.iter().map(mount).collect::<Result<_, _>>()?,
    })
}

fn mount(fields: &Fields<'_>) -> Result<VolumeMount, FieldError> {
    let path = |name| Ok::<_, FieldError>(PathBuf::from(fields.text(name)?.unwrap_or_default()));
    Ok(VolumeMount {
        volume: fields.text("name")?.unwrap_or_default(),
        path: path("mountPath")?,
        sub_path: path("subPath")?,
        is_read_only: fields.truth("readOnly")? == Some(true),
    })
}

fn startup_probe(fields: &Fields<'_>) -> Result<StartupProbe, FieldError> {
    let seconds = |name, default| Ok::<_, FieldError>(fields.number(name)?.unwrap_or(default));
    let tries = seconds("periodSeconds", 10)?.saturating_mul(seconds("failureThreshold", 3)?);
    Ok(StartupProbe {
        command: fields.field("exec")?.texts("command")?,
        patience_seconds: tries.saturating_add(seconds("initialDelaySeconds", 0)?),
    })
}

fn security(fields: &Fields<'_>) -> Result<Security, FieldError> {
    let capabilities = fields.field("capabilities")?;
    let names = |field| {
        let names = capabilities.texts(field)?.into_iter().map(|name| {
            let name = name.to_ascii_uppercase();
            name.strip_prefix("CAP_").unwrap_or(&name).to_owned()
        });
        Ok::<Vec<String>, FieldError>(names.collect())
    };
    let profile = fields.field("seccompProfile")?;
    let kind = profile.text("type")?;
    Ok(Security {
        user: fields.number("runAsUser")?,
        non_root: fields.truth("runAsNonRoot")?,
        is_privileged: fields.truth("privileged")? == Some(true),
        added: names("add")?,
        dropped: names("drop")?,
        seccomp: match kind {
            Some(kind) => Some((kind, profile.text("localhostProfile")?)),
            None => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_found_in_every_object_that_has_one() {
        let spec = "{containers: [{name: main}]}";
        for (text, name) in [
            (
                format!("kind: Pod\nmetadata: {{name: p}}\nspec: {spec}\n"),
                Some("p"),
            ),
            (
                format!("kind: PodTemplate\nmetadata: {{name: t}}\ntemplate: {{spec: {spec}}}\n"),
                None,
            ),
            (
                format!(
                    "kind: List\nitems:\n- {{kind: Secret, data: {{a: b}}}}\n- {{kind: Job, spec: {{template: {{spec: \
                     {spec}}}}}}}\n"
                ),
                None,
            ),
            (
                format!("kind: Job\nmetadata: {{name: j}}\nspec: {{template: {{spec: {spec}}}}}\n"),
                None,
            ),
        ] {
            let manifest = Manifest::parse(&text).unwrap();
            assert_eq!(manifest.name.as_deref(), name, "{text}");
            assert_eq!(manifest.containers[0].name, "main", "{text}");
            assert_eq!(manifest.grace_seconds, 30);
        }
    }

    #[test]
    fn another_text_is_refused_with_the_field_and_the_rule() {
        for (text, words) in [
            ("", "no containers"),
            ("kind: ConfigMap\ndata: {a: b}\n", "no containers"),
            ("a: [\n", "not YAML: line"),
            ("- a\n", "the document: it must be a map, and it is a list"),
            (
                "spec: {containers: x}\n",
                "spec.containers: it must be a list",
            ),
            (
                "spec: {containers: [{name: a, securityContext: {privileged: maybe}}]}\n",
                "spec.containers[0].securityContext.privileged: it must be true or false, and it is \"maybe\"",
            ),
            (
                "spec: {containers: [{name: a, resources: {limits: {memory: 128MB}}}]}\n",
                "spec.containers[0].resources.limits.memory: \"128MB\" is not a quantity",
            ),
        ] {
            let error = Manifest::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
