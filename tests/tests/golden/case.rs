//! Finding the vectors and comparing directories.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One vector.
pub struct Case {
    pub name: String,
    pub path: PathBuf,
    pub json: serde_json::Value,
}

impl Case {
    /// The value of a flag, if the vector gives it.
    pub fn flag(&self, name: &str) -> Option<&str> {
        let flags = self.json["flags"].as_array().unwrap();
        let at = flags.iter().position(|flag| flag == name)?;
        flags[at + 1].as_str()
    }

    pub fn deviates(&self) -> bool {
        self.json.get("deviate").is_some()
    }

    /// The reference's message, empty if it wrote none.
    pub fn message(&self) -> &str {
        self.json["error_document"]["error"]["message"]
            .as_str()
            .unwrap_or_default()
    }
}

/// The folder with all vectors.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden")
}

/// All vectors of one kind, in order.
pub fn all(kind: &str) -> Vec<Case> {
    let folders = fs::read_dir(root().join(kind))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut cases: Vec<Case> = folders
        .filter(|path| path.is_dir())
        .map(|path| Case {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            json: serde_json::from_slice(&fs::read(path.join("case.json")).unwrap()).unwrap(),
            path,
        })
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

/// Every file below a directory by relative path, and every empty directory with no content.
pub fn tree(directory: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    collect(directory, "", &mut found);
    found
}

fn collect(directory: &Path, prefix: &str, found: &mut BTreeMap<String, Option<Vec<u8>>>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            let before = found.len();
            collect(&entry.path(), &format!("{name}/"), found);
            if found.len() == before {
                found.insert(name, None);
            }
        } else {
            found.insert(name, Some(fs::read(entry.path()).unwrap()));
        }
    }
}
