//! The components of a binary as an SBOM: `CycloneDX` 1.5 in JSON, from the lock file.
//!
//! `cargo tree` says which packages of the lock file a binary is built from, `cargo metadata` their licences and who
//! needs whom, and the lock file their checksums. The C library and Rust's standard library are in no lock file: they
//! are read from the binary.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;

use anyhow::{Context as _, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use serde_json::{Value, json};

use super::{authorities, layer::digest, program::Program};
use crate::command::{cargo, output, workspace};

/// The package of the product.
const PRODUCT: &str = "copilot";

/// The package of the BPF programs, whose object the binary embeds.
const KERNEL_SIDE: &str = "copilot-ebpf";

/// A package's name and version.
type Id = (String, String);

/// What the lock file names.
pub struct Inventory {
    metadata: Metadata,
    checksums: HashMap<Id, String>,
}

impl Inventory {
    /// Reads the lock file and the packages that it names.
    ///
    /// # Errors
    /// Cargo cannot read them.
    pub fn read() -> Result<Self> {
        let path = workspace().join("Cargo.lock");
        let lock = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let metadata = MetadataCommand::new()
            .manifest_path(workspace().join("Cargo.toml"))
            .other_options(["--locked".to_owned()])
            .exec()
            .context("cargo metadata")?;
        Ok(Self {
            metadata,
            checksums: checksums(&lock),
        })
    }

    /// The package of the product.
    ///
    /// # Errors
    /// The workspace does not have it.
    pub fn product(&self) -> Result<&Package> {
        let mut packages = self.metadata.packages.iter();
        let found = packages.find(|package| package.name.as_str() == PRODUCT);
        found.with_context(|| format!("the workspace has no package {PRODUCT}"))
    }

    /// The list of components of a binary, made at the time `created`.
    ///
    /// # Errors
    /// Cargo does not say what the binary is built from.
    pub fn bill(&self, program: &Program, created: &str) -> Result<Vec<u8>> {
        let (linked, others) = self.packages(&program.architecture.target())?;
        let product = self.product()?;
        let mut component = self.component(product, None);
        component["type"] = "application".into();
        let hash = digest(&program.bytes).replace("sha256:", "");
        component["hashes"] = json!([{"alg": "SHA-256", "content": hash}]);
        let mut components: Vec<Value> = linked_libraries(program);
        for (ids, scope) in [(&linked, "required"), (&others, "excluded")] {
            let packages = self.metadata.packages.iter();
            let mut found: Vec<&Package> = packages
                .filter(|package| ids.contains(&id(package)))
                .collect();
            found.sort_by_key(|package| id(package));
            let found = found.into_iter().filter(|package| package.id != product.id);
            components.extend(found.map(|package| self.component(package, Some(scope))));
        }
        let bill = json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "version": 1,
            "metadata": {"timestamp": created, "component": component},
            "components": components,
            "dependencies": self.dependencies(&linked),
        });
        let mut text = serde_json::to_vec_pretty(&bill)?;
        text.push(b'\n');
        Ok(text)
    }

    /// The packages whose code is in the image, and those that only build it.
    fn packages(&self, target: &str) -> Result<(BTreeSet<Id>, BTreeSet<Id>)> {
        let mut linked = tree(PRODUCT, target, "normal,no-proc-macro")?;
        linked.extend(tree(KERNEL_SIDE, target, "normal,no-proc-macro")?);
        let mut packages = self.metadata.packages.iter();
        let certificates = packages.find(|package| package.name.as_str() == authorities::CRATE);
        linked.extend(certificates.map(id));
        let mut others = tree(PRODUCT, target, "normal,build")?;
        others.extend(tree(KERNEL_SIDE, target, "normal,build")?);
        others.retain(|id| !linked.contains(id));
        Ok((linked, others))
    }

    fn component(&self, package: &Package, scope: Option<&str>) -> Value {
        let id = id(package);
        let reference = reference(&id);
        let mut component = json!({
            "type": "library",
            "bom-ref": reference,
            "purl": reference,
            "name": id.0,
            "version": id.1,
        });
        if let Some(scope) = scope {
            component["scope"] = scope.into();
        }
        if let Some(license) = &package.license {
            // An older form of the same.
            let license = license.replace('/', " OR ");
            component["licenses"] = json!([{"expression": license}]);
        }
        if let Some(checksum) = self.checksums.get(&id) {
            component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
        }
        component
    }

    /// Which of these packages needs which others of them.
    fn dependencies(&self, ids: &BTreeSet<Id>) -> Vec<Value> {
        let known: HashMap<_, Id> = self
            .metadata
            .packages
            .iter()
            .map(|package| (&package.id, id(package)))
            .filter(|(_, id)| ids.contains(id))
            .collect();
        let nodes = self.metadata.resolve.iter().flat_map(|all| &all.nodes);
        let found: BTreeMap<String, BTreeSet<String>> = nodes
            .filter_map(|node| {
                let needs = node.deps.iter().filter_map(|need| known.get(&need.pkg));
                let needs = needs.map(reference).collect();
                Some((reference(known.get(&node.id)?), needs))
            })
            .collect();
        let found = found.into_iter();
        found
            .map(|(of, needs)| json!({"ref": of, "dependsOn": needs}))
            .collect()
    }
}

/// The libraries in a binary that come from no package.
fn linked_libraries(program: &Program) -> Vec<Value> {
    let library = |name: &str, version: &str, license: &str, description: &str| {
        let reference = format!("pkg:generic/{name}@{version}");
        json!({
            "type": "library",
            "bom-ref": reference,
            "purl": reference,
            "name": name,
            "version": version,
            "description": description,
            "licenses": [{"expression": license}],
            "scope": "required",
        })
    };
    let c_library = program.c_library.as_ref().map(|line| {
        let version = line.rsplit(' ').next().unwrap_or_default();
        library("glibc", version, "LGPL-2.1-or-later", line)
    });
    let rust = program.rust.as_ref().map(|version| {
        let description = "Rust's standard library";
        library("rust-std", version, "MIT OR Apache-2.0", description)
    });
    c_library.into_iter().chain(rust).collect()
}

fn id(package: &Package) -> Id {
    (package.name.to_string(), package.version.to_string())
}

/// The package's address (purl specification, type `cargo`).
fn reference((name, version): &Id) -> String {
    // The only character of a version that an address cannot hold.
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

/// The packages that a package is built from, itself included, over these kinds of edges.
fn tree(package: &str, target: &str, edges: &str) -> Result<BTreeSet<Id>> {
    let mut command = cargo();
    command.args(["tree", "--locked", "--quiet", "--package", package]);
    command.args(["--target", target, "--edges", edges]);
    command.args(["--prefix", "none", "--format", "{p}"]);
    Ok(output(&mut command)?.lines().filter_map(listed).collect())
}

/// The package in a line like `aws-lc-rs v1.16.0 (*)`.
fn listed(line: &str) -> Option<Id> {
    let mut words = line.split(' ');
    let (name, version) = (words.next()?, words.next()?);
    Some((name.to_owned(), version.strip_prefix('v')?.to_owned()))
}

/// The checksums of a lock file. Cargo writes each key on a line of its own.
fn checksums(lock: &str) -> HashMap<Id, String> {
    let packages = lock.split("[[package]]").skip(1);
    let found = packages.filter_map(|package| {
        let value = |key: &str| {
            let mut lines = package.lines();
            let quoted = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            Some(quoted?.trim_matches('"').to_owned())
        };
        Some(((value("name")?, value("version")?), value("checksum")?))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;

    fn bill() -> Value {
        let program = Program {
            architecture: Architecture::Amd64,
            bytes: Vec::new(),
            c_library: Some(
                "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36".to_owned(),
            ),
            rust: Some("1.95.0".to_owned()),
        };
        let inventory = Inventory::read().expect("cargo reads the lock file");
        let bill = inventory.bill(&program, "2026-01-01T00:00:00Z");
        serde_json::from_slice(&bill.expect("cargo lists the packages")).expect("it is JSON")
    }

    #[test]
    fn the_bill_lists_what_is_linked_what_only_builds_and_nothing_of_the_tests() {
        let bill = bill();
        let components = bill["components"].as_array().expect("a list");
        let scope = |name: &str| {
            let mut found = components.iter();
            let found = found.find(|component| component["name"] == name)?;
            found["scope"].as_str()
        };
        for linked in [
            "rustls",
            "aws-lc-sys",
            "object_store",
            "aya",
            "aya-ebpf",
            "webpki-root-certs",
        ] {
            assert_eq!(scope(linked), Some("required"), "{linked}");
        }
        for linked in ["glibc", "rust-std", "copilot-common", "copilot-ebpf"] {
            assert_eq!(scope(linked), Some("required"), "{linked}");
        }
        for builds in ["clap_derive", "prost-build", "protox", "aya-build"] {
            assert_eq!(scope(builds), Some("excluded"), "{builds}");
        }
        for other in [
            "s3s",
            "rcgen",
            "proptest",
            "copilot-tests",
            "xtask",
            "copilot",
        ] {
            assert_eq!(scope(other), None, "{other}");
        }
        assert_eq!(bill["metadata"]["component"]["name"], "copilot");
    }

    #[test]
    fn every_package_has_a_licence_a_checksum_and_one_entry() {
        let bill = bill();
        let components = bill["components"].as_array().expect("a list");
        let mut references = BTreeSet::new();
        for component in components {
            let name = component["name"].as_str().expect("a name");
            let reference = component["bom-ref"].as_str().expect("a reference");
            assert!(references.insert(reference), "{reference} twice");
            let license = component["licenses"][0]["expression"].as_str();
            assert!(
                license.is_some_and(|text| !text.contains('/')),
                "{component}"
            );
            if reference.starts_with("pkg:cargo/") && !name.starts_with("copilot") {
                let hash = component["hashes"][0]["content"].as_str();
                assert_eq!(hash.map(str::len), Some(64), "{component}");
            }
        }
        for dependency in bill["dependencies"].as_array().expect("a list") {
            let needs = dependency["dependsOn"].as_array().expect("a list");
            for need in needs {
                assert!(
                    references.contains(need.as_str().expect("a reference")),
                    "{need}"
                );
            }
        }
    }

    #[test]
    fn a_lock_file_gives_checksums_of_registry_packages() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0+x\"\nsource = \"s\"\n\
                    checksum = \"00ff\"\ndependencies = [\n \"b\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\n";
        let expected = [(("a".to_owned(), "1.0.0+x".to_owned()), "00ff".to_owned())];
        assert_eq!(checksums(lock), HashMap::from(expected));
    }

    #[test]
    fn lines_of_cargo_tree_are_packages_or_nothing() {
        let line = |text: &str| listed(text).map(|(name, version)| format!("{name} {version}"));
        assert_eq!(line("syn v2.0.1 (*)").as_deref(), Some("syn 2.0.1"));
        assert_eq!(
            line("copilot v0.1.0 (/a/b)").as_deref(),
            Some("copilot 0.1.0")
        );
        assert_eq!(line(""), None);
        assert_eq!(line("[build-dependencies]"), None);
    }

    #[test]
    fn an_address_has_no_plus() {
        let id = ("a".to_owned(), "1.0.0+x".to_owned());
        assert_eq!(reference(&id), "pkg:cargo/a@1.0.0%2Bx");
    }
}
