//! The image as the files of an OCI image layout: each blob under its digest, and a document at the top.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    documents::{self, Labels},
    layer::{Layer, digest},
    megabytes, place,
};
use crate::architecture::Architecture;

/// The files of a layout, by their paths in it.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The file that marks a folder as a layout (OCI image layout specification 1.1).
pub const MARK: &str = "oci-layout";

/// What one architecture adds to the image.
#[derive(Clone, Debug)]
pub struct Packed {
    /// The processor.
    pub architecture: Architecture,
    /// Its files.
    pub layer: Layer,
    /// Its list of components, which is also one of its files.
    pub bill: Vec<u8>,
}

/// An image of some architectures.
#[derive(Debug)]
pub struct Layout {
    labels: Labels,
    /// Each blob by its digest.
    blobs: BTreeMap<String, Vec<u8>>,
    /// The descriptors of the manifests.
    manifests: Vec<Value>,
    packed: Vec<Packed>,
}

impl Layout {
    /// An image without any architecture.
    pub fn new(labels: Labels) -> Self {
        Self {
            labels,
            blobs: BTreeMap::new(),
            manifests: Vec::new(),
            packed: Vec::new(),
        }
    }

    /// Adds an architecture.
    pub fn add(&mut self, packed: Packed) {
        let config = documents::config(packed.architecture, &packed.layer, &self.labels);
        let config = self.blob(documents::CONFIG, config.to_string().into_bytes());
        let layer = self.blob(documents::LAYER, packed.layer.compressed.clone());
        let manifest = documents::manifest(&config, &layer, &self.labels);
        let mut manifest = self.blob(documents::MANIFEST, manifest.to_string().into_bytes());
        manifest["platform"] = json!({"architecture": packed.architecture.name(), "os": "linux"});
        self.manifests.push(manifest);
        self.packed.push(packed);
    }

    /// Adds a blob, and returns its descriptor.
    fn blob(&mut self, kind: &str, bytes: Vec<u8>) -> Value {
        let digest = digest(&bytes);
        let descriptor = json!({"mediaType": kind, "digest": digest, "size": bytes.len()});
        self.blobs.insert(digest, bytes);
        descriptor
    }

    /// Writes the image, whose name and tag these are, into a folder, and returns the archive.
    ///
    /// # Errors
    /// The folder cannot be written, or holds something else in the place of the image.
    pub fn write(&mut self, folder: &Path, name: &(String, String)) -> Result<PathBuf> {
        let files = self.files(name);
        place::write(folder, &files, &self.packed)
    }

    /// The files of the layout, by their paths in it.
    fn files(&mut self, (name, tag): &(String, String)) -> Files {
        let image = documents::index(&self.manifests, &self.labels);
        let image = self.blob(documents::INDEX, image.to_string().into_bytes());
        let top = documents::top(&image, name, tag);
        let mark = json!({"imageLayoutVersion": "1.0.0"});
        let mut files: Files = self
            .blobs
            .iter()
            .map(|(digest, bytes)| (format!("blobs/{}", digest.replace(':', "/")), bytes.clone()))
            .collect();
        files.insert("index.json".to_owned(), top.to_string().into_bytes());
        files.insert(MARK.to_owned(), mark.to_string().into_bytes());
        files
    }

    /// Says on standard error what a registry would hold.
    pub fn report(&self) {
        for (packed, manifest) in self.packed.iter().zip(&self.manifests) {
            eprintln!(
                "image: {}: {} compressed, {}",
                packed.architecture.name(),
                megabytes(packed.layer.compressed.len() as u64),
                manifest["digest"].as_str().unwrap_or_default()
            );
        }
    }
}

#[cfg(test)]
pub mod tests {
    use std::fs;

    use super::super::{contents::tests::small, layer, moment::Moment, place::FOLDER};
    use super::*;

    fn image() -> Layout {
        image_for(&Architecture::ALL)
    }

    /// An image of these architectures with small files.
    pub fn image_for(architectures: &[Architecture]) -> Layout {
        let moment = Moment::parse("1767225600").expect("it is a number");
        let mut layout = Layout::new(Labels {
            version: "0.1.0".to_owned(),
            created: moment.text(),
            ..Labels::default()
        });
        for architecture in architectures {
            layout.add(Packed {
                architecture: *architecture,
                layer: layer::pack(&small(), moment).expect("it can be packed"),
                bill: b"{}".to_vec(),
            });
        }
        layout
    }

    /// Its name and tag.
    pub fn name() -> (String, String) {
        ("localhost/copilot:0.1.0".to_owned(), "0.1.0".to_owned())
    }

    /// A document of the layout in a folder.
    pub fn json(folder: &Path, path: &str) -> Value {
        let bytes = fs::read(folder.join(path)).expect(path);
        serde_json::from_slice(&bytes).expect(path)
    }

    /// The document or layer behind a descriptor, which must describe it truly.
    pub fn follow(folder: &Path, descriptor: &Value) -> (String, Vec<u8>) {
        let digest = descriptor["digest"].as_str().expect("a digest");
        let path = format!("blobs/{}", digest.replace(':', "/"));
        let bytes = fs::read(folder.join(&path)).expect(digest);
        assert_eq!(descriptor["size"], bytes.len(), "{descriptor}");
        assert_eq!(layer::digest(&bytes), digest);
        (path, bytes)
    }

    #[test]
    fn every_digest_leads_to_its_blob_and_no_blob_is_left_over() {
        let made = tempfile::tempdir().expect("a folder");
        image()
            .write(made.path(), &name())
            .expect("it can be written");
        let folder = made.path().join(FOLDER);
        let mut seen = Vec::new();
        let mut next = |descriptor: &Value| {
            let (path, bytes) = follow(&folder, descriptor);
            seen.push(path);
            serde_json::from_slice::<Value>(&bytes).unwrap_or_default()
        };
        let top = json(&folder, "index.json");
        let named = &top["manifests"][0];
        assert_eq!(
            named["annotations"]["io.containerd.image.name"],
            "localhost/copilot:0.1.0"
        );
        let index = next(named);
        let mut architectures = Vec::new();
        for descriptor in index["manifests"].as_array().expect("a list") {
            let manifest = next(descriptor);
            let config = next(&manifest["config"]);
            next(&manifest["layers"][0]);
            assert_eq!(
                config["architecture"],
                descriptor["platform"]["architecture"]
            );
            assert_eq!(config["config"]["Entrypoint"], json!(["/bin/copilot"]));
            architectures.push(config["architecture"].clone());
        }
        assert_eq!(architectures, ["amd64", "arm64"]);
        seen.sort();
        // Both architectures have the same files here, and so one layer.
        seen.dedup();
        let blobs = fs::read_dir(folder.join("blobs/sha256")).expect("a folder");
        assert_eq!(blobs.count(), seen.len());
    }
}
