//! The platform's merge of a `PodTemplate` into a pod, as its pod builder does it: values of the pod win, lists of the
//! template come first, and containers are found by name.

use serde_json::{Map, Value};

use super::{name, yaml};

/// A version of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Ordinary containers by name.
    V1_15,
    /// Init containers by name, too; the downloader is `primary-init`.
    V1_16,
    /// Every init container by name. Without `default-init` the merge changes the template itself.
    V2,
}

/// A `PodTemplate` in the platform's cache.
#[derive(Clone, Debug)]
pub struct Template {
    platform: Platform,
    cached: Value,
}

impl Template {
    /// The template in a text of manifests.
    pub fn apply(platform: Platform, text: &str) -> Self {
        let mut documents = yaml::read(text).into_iter();
        let template = documents.find(|document| document["kind"] == "PodTemplate");
        let cached = template.expect("a PodTemplate")["template"]["spec"].take();
        Self { platform, cached }
    }

    /// Takes a container out of the template.
    pub fn without(mut self, container: &str) -> Self {
        for list in ["initContainers", "containers"] {
            if let Some(containers) = self.cached[list].as_array_mut() {
                containers.retain(|it| name(it) != container);
            }
        }
        self
    }

    /// The pod that the platform makes of its plain pod. This may change the template.
    pub fn merge(&mut self, plain: &Value) -> Value {
        let spec = &plain["spec"];
        let mut merged = self.cached.clone();
        overlay(&mut merged, spec);
        for list in ["initContainers", "containers"] {
            let ours = spec[list].as_array().cloned().unwrap_or_default();
            let ours: Vec<Value> = ours.iter().map(|own| self.container(list, own)).collect();
            merged[list] = ours.into();
        }
        let mut pod = plain.clone();
        pod["spec"] = merged;
        pod
    }

    fn container(&mut self, list: &str, own: &Value) -> Value {
        let is_init = list == "initContainers";
        let special = |name: &str| {
            if is_init {
                format!("{name}-init")
            } else {
                name.to_owned()
            }
        };
        let templates = self.cached[list].as_array_mut();
        let templates = templates.map(Vec::as_mut_slice).unwrap_or_default();
        let of = |wanted: &str| templates.iter().position(|it| name(it) == wanted);
        let default = of(&special("default"));
        // On 1 the downloader is the primary init container; main is the primary container.
        let is_primary = if is_init {
            self.platform != Platform::V2 && name(own).ends_with("downloader")
        } else {
            !name(own).ends_with("uploader") && !name(own).ends_with("sidecar")
        };
        let primary = of(&special("primary")).filter(|_| is_primary);
        let by_name = !is_init || self.platform != Platform::V1_15;
        let named = of(name(own)).filter(|_| by_name && !(is_init && is_primary));
        let mut merged: Option<Value> = default.map(|at| templates[at].clone());
        for at in primary.into_iter().chain(named) {
            match &mut merged {
                Some(merged) => overlay(merged, &templates[at]),
                // It merges into the template's own container.
                None if self.platform == Platform::V2 && Some(at) == named => {
                    overlay(&mut templates[at], own);
                    return templates[at].clone();
                }
                None => merged = Some(templates[at].clone()),
            }
        }
        match merged {
            Some(mut merged) => {
                overlay(&mut merged, own);
                merged
            }
            None => own.clone(),
        }
    }
}

/// Puts `over` on `under`: maps member by member, lists behind each other, other values unless they are empty.
fn overlay(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                overlay(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(under), Value::Array(over)) => under.extend(over.iter().cloned()),
        (under, over) if under.is_null() || !is_empty(over) => *under = over.clone(),
        _ => {}
    }
}

/// Whether Go takes it for a value that is not set.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// A pod without what differs from one run of the builder to the next: the order of Go's maps, and the store's port.
pub fn in_order(mut pod: Value) -> Value {
    let spec = &mut pod["spec"];
    for list in ["initContainers", "containers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            if let Some(members) = container.as_object_mut() {
                put_in_order(members);
            }
        }
    }
    pod
}

fn put_in_order(container: &mut Map<String, Value>) {
    if let Some(command) = container.get_mut("command").and_then(Value::as_array_mut) {
        let pairs = command
            .iter()
            .skip_while(|word| *word != "--storage.stow.config");
        let count = pairs
            .take_while(|word| *word != "--storage.stow.kind=s3")
            .count();
        let end = command.len().saturating_sub(1);
        let begin = end.saturating_sub(count);
        if count > 0 {
            command[begin..end].sort_by_cached_key(ToString::to_string);
        }
        for word in command.iter_mut() {
            if word
                .as_str()
                .is_some_and(|word| word.starts_with("endpoint="))
            {
                *word = "endpoint=…".into();
            }
        }
    }
    let arguments = container.get_mut("args").and_then(Value::as_array_mut);
    let Some(arguments) = arguments else {
        return;
    };
    for at in 1..arguments.len() {
        let flag = arguments[at - 1].as_str().unwrap_or_default();
        if matches!(flag, "--interface" | "--input-interface") {
            arguments[at] = "…".into();
        }
    }
}
