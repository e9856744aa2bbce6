//! Where the image goes on disk: the layout in a folder, the same as an archive, and for each architecture its root and
//! its list of components. A file appears whole or not at all.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use tar::{Builder, EntryType, Header};

use super::layout::{Files, MARK, Packed};
use crate::architecture::Architecture;

/// The layout's folder, in the folder for the image.
pub const FOLDER: &str = "oci";

/// The archive.
const ARCHIVE: &str = "copilot.tar";

/// Writes the files of a layout, and what it was packed from, into a folder. Returns the archive.
///
/// # Errors
/// The folder cannot be written, or holds something else in the place of the layout.
pub fn write(folder: &Path, files: &Files, packed: &[Packed]) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    replace_folder(&folder.join(FOLDER), files)?;
    for architecture in Architecture::ALL {
        let name = architecture.name();
        let root = folder.join(format!("root-{name}.tar.gz"));
        let bill = folder.join(format!("copilot-{name}.cdx.json"));
        let mut packed = packed.iter();
        if let Some(packed) = packed.find(|packed| packed.architecture == architecture) {
            replace(&root, &packed.layer.compressed)?;
            replace(&bill, &packed.bill)?;
        } else {
            // An earlier image may have had it.
            remove(&root)?;
            remove(&bill)?;
        }
    }
    let path = folder.join(ARCHIVE);
    replace(&path, &archive(files)?)?;
    Ok(path)
}

fn remove(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_file(path).with_context(|| format!("{} cannot be removed", path.display()))?;
    }
    Ok(())
}

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
fn replace_folder(folder: &Path, files: &Files) -> Result<()> {
    ensure!(
        !folder.exists() || folder.join(MARK).is_file(),
        "{} exists and is not an image: choose another folder with --output, or remove it",
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
fn archive(files: &Files) -> Result<Vec<u8>> {
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
    use serde_json::Value;

    use super::super::layout::{
        Layout,
        tests::{follow, image_for, json, name},
    };
    use super::*;

    #[test]
    fn the_same_image_is_the_same_archive() {
        let made = tempfile::tempdir().expect("a folder");
        let read = |folder: &str| {
            let folder = made.path().join(folder);
            let path = image_for(&Architecture::ALL)
                .write(&folder, &name())
                .expect("it can be written");
            fs::read(path).expect("the archive")
        };
        let first = read("first");
        assert_eq!(first, read("second"));
        // In the place of an earlier one, too.
        assert_eq!(first, read("first"));
        assert!(!made.path().join("first/oci.new").exists());
    }

    #[test]
    fn nothing_of_an_earlier_image_is_left() {
        let made = tempfile::tempdir().expect("a folder");
        let write = |mut image: Layout| {
            image
                .write(made.path(), &name())
                .expect("it can be written")
        };
        write(image_for(&Architecture::ALL));
        write(image_for(&[Architecture::Amd64]));
        let entries = fs::read_dir(made.path()).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        let expected = [
            "copilot-amd64.cdx.json",
            "copilot.tar",
            "oci",
            "root-amd64.tar.gz",
        ];
        assert_eq!(names, expected);
        let top = json(&made.path().join(FOLDER), "index.json");
        let (_, index) = follow(&made.path().join(FOLDER), &top["manifests"][0]);
        let index: Value = serde_json::from_slice(&index).expect("an index");
        assert_eq!(index["manifests"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn a_folder_that_is_no_image_is_left_alone() {
        let made = tempfile::tempdir().expect("a folder");
        let own = made.path().join("oci/thesis");
        fs::create_dir_all(&own).expect("a folder");
        let error = image_for(&Architecture::ALL)
            .write(made.path(), &name())
            .expect_err("it is in the way");
        assert!(error.to_string().contains("--output"), "{error}");
        assert!(own.exists());
    }
}
