//! The image as files: an OCI image layout in a folder, the same as an archive, and for each architecture its root
//! and its list of components.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use super::{
    documents::{self, Labels},
    layer::{Layer, digest},
    megabytes,
};
use crate::architecture::Architecture;

/// The file that marks a folder as a layout (OCI image layout specification 1.1).
const MARK: &str = "oci-layout";

/// The layout's folder and the archive, in the folder for the image.
const FOLDER: &str = "oci";
const ARCHIVE: &str = "copilot.tar";

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
    /// The folder holds something of that name that is no layout, or cannot be written.
    pub fn write(&mut self, folder: &Path, name: &(String, String)) -> Result<PathBuf> {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        let files = self.files(name);
        replace_folder(&folder.join(FOLDER), &files)?;
        for packed in &self.packed {
            let architecture = packed.architecture.name();
            replace(
                &folder.join(format!("root-{architecture}.tar.gz")),
                &packed.layer.compressed,
            )?;
            replace(
                &folder.join(format!("copilot-{architecture}.cdx.json")),
                &packed.bill,
            )?;
        }
        let path = folder.join(ARCHIVE);
        replace(&path, &archive(&files)?)?;
        Ok(path)
    }

    /// The files of the layout, by their paths in it.
    fn files(&mut self, (name, tag): &(String, String)) -> BTreeMap<String, Vec<u8>> {
        let image = documents::index(&self.manifests, &self.labels);
        let image = self.blob(documents::INDEX, image.to_string().into_bytes());
        let top = documents::top(&image, name, tag);
        let mark = json!({"imageLayoutVersion": "1.0.0"});
        let mut files: BTreeMap<String, Vec<u8>> = self
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

/// A file appears whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_added_extension("new");
    let write = || {
        let mut file = fs::File::create(&beside)?;
        file.write_all(bytes)?;
        fs::rename(&beside, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

/// Writes a layout in the place of an earlier one.
fn replace_folder(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    ensure!(
        !folder.exists() || folder.join(MARK).is_file(),
        "{} exists and is no image: choose another folder with --output, or remove it",
        folder.display()
    );
    let beside = folder.with_added_extension("new");
    let write = || {
        if beside.exists() {
            fs::remove_dir_all(&beside)?;
        }
        for (path, bytes) in files {
            let path = beside.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&beside))?;
            fs::write(path, bytes)?;
        }
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::rename(&beside, folder)
    };
    write().with_context(|| format!("{} cannot be written", folder.display()))
}

/// The files of a layout as an archive.
fn archive(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    let mut append = |path: &str, kind: EntryType, mode: u32, bytes: &[u8]| {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, path, bytes)
    };
    for folder in ["blobs/", "blobs/sha256/"] {
        append(folder, EntryType::Directory, 0o755, &[])?;
    }
    for (path, bytes) in files {
        append(path, EntryType::Regular, 0o644, bytes)?;
    }
    Ok(archive.into_inner()?)
}

#[cfg(test)]
mod tests {
    use super::super::{contents::tests::small, layer, moment::Moment};
    use super::*;

    fn image() -> Layout {
        let moment = Moment::parse("1767225600").expect("it is a number");
        let mut layout = Layout::new(Labels {
            version: "0.1.0".to_owned(),
            created: moment.text(),
            ..Labels::default()
        });
        for architecture in Architecture::ALL {
            layout.add(Packed {
                architecture,
                layer: layer::pack(&small(), moment).expect("it can be packed"),
                bill: b"{}".to_vec(),
            });
        }
        layout
    }

    fn name() -> (String, String) {
        ("localhost/copilot:0.1.0".to_owned(), "0.1.0".to_owned())
    }

    fn json(folder: &Path, path: &str) -> Value {
        let bytes = fs::read(folder.join(path)).expect(path);
        serde_json::from_slice(&bytes).expect(path)
    }

    /// The document or layer behind a descriptor, which must describe it truly.
    fn follow(folder: &Path, descriptor: &Value) -> (String, Vec<u8>) {
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

    #[test]
    fn the_same_image_is_the_same_archive() {
        let made = tempfile::tempdir().expect("a folder");
        let read = |folder: &str| {
            let folder = made.path().join(folder);
            let path = image().write(&folder, &name()).expect("it can be written");
            fs::read(path).expect("the archive")
        };
        let first = read("first");
        assert_eq!(first, read("second"));
        // In the place of an earlier one, too.
        assert_eq!(first, read("first"));
        assert!(!made.path().join("first/oci.new").exists());
    }

    #[test]
    fn a_folder_that_is_no_image_is_left_alone() {
        let made = tempfile::tempdir().expect("a folder");
        let own = made.path().join("oci/thesis");
        fs::create_dir_all(&own).expect("a folder");
        let error = image()
            .write(made.path(), &name())
            .expect_err("it is in the way");
        assert!(error.to_string().contains("--output"), "{error}");
        assert!(own.exists());
    }
}
