//! `docs/README.md` names every document, and documents name the versions that the build has.

use std::fs;

use crate::documents::{Document, Part, files, root};

#[test]
fn the_index_names_every_document() {
    let index = Document::read("docs/README.md").unwrap();
    let links: Vec<&str> = index
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Link(link) => Some(link.split('#').next().unwrap_or(link)),
            _ => None,
        })
        .collect();
    for path in files(&root().join("docs"), "md").unwrap() {
        let name = path.strip_prefix("docs").unwrap().to_str().unwrap();
        let is_named = name == "README.md" || links.contains(&name);
        assert!(is_named, "docs/README.md does not name {name}");
    }
    for name in [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
    ] {
        assert!(links.contains(&&*format!("../{name}")), "{name}");
    }
}

/// The oldest compiler that builds it, as `Cargo.toml` has it.
#[test]
fn documents_name_the_compiler_that_the_build_needs() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let line = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let version = line.unwrap().trim_matches('"');
    for name in ["README.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root().join(name)).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            text.contains(&format!("Rust {version}")),
            "{name}: Rust {version}"
        );
    }
    let workflow = fs::read_to_string(root().join(".github/workflows/ci.yml")).unwrap();
    assert!(
        workflow.contains(&format!("rustup default {version}\n")),
        "ci.yml: {version}"
    );
}

/// A workflow may read this repository, and nothing else; what it takes from others is fixed to a commit.
#[test]
fn workflows_have_few_rights() {
    for path in files(&root().join(".github/workflows"), "yml").unwrap() {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        let path = path.display();
        assert!(text.contains("permissions:\n  contents: read\n"), "{path}");
        assert!(text.contains(".ci/run"), "{path}");
        assert!(!text.contains("secrets."), "{path}");
        for line in text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- uses: "))
        {
            let commit = line.split_once('@').map(|(_, version)| version);
            let commit = commit.and_then(|version| version.split_whitespace().next());
            let is_fixed = |it: &str| it.len() == 40 && it.chars().all(|c| c.is_ascii_hexdigit());
            assert!(commit.is_some_and(is_fixed), "{path}: {line}");
        }
    }
    assert!(root().join(".ci/run").exists());
}
