use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use rustix::fs::{CWD, Mode, mkfifoat};

use super::*;

/// The files of a tree by name, each with its content or why it has none.
fn walked(root: &Path) -> Vec<(String, Result<String, String>)> {
    let directory = Arc::new(GuardedDirectory::open(root).unwrap());
    let files = TreeWalk::new(Arc::clone(&directory), Path::new("o"));
    let open = |file: WalkedFile| {
        let (_, opened) = file.content.open();
        let content = opened.map(|mut opened| {
            let mut text = String::new();
            opened.read_to_string(&mut text).unwrap();
            text
        });
        (
            file.names.join("/"),
            content.map_err(|error| error.to_string()),
        )
    };
    files.map(open).collect()
}

fn tree(files: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("o")).unwrap();
    for name in files {
        let path = root.path().join("o").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    root
}

#[test]
fn all_files_in_the_order_of_their_names() {
    let names = [".hidden", "a", "b/c", "b/d/e", "b.txt", "é?#%:"];
    let root = tree(&names);
    fs::create_dir_all(root.path().join("o/empty/within")).unwrap();
    let expected = [".hidden", "a", "b/c", "b/d/e", "b.txt", "é?#%:"];
    let expected: Vec<_> = expected
        .iter()
        .map(|name| ((*name).to_owned(), Ok((*name).to_owned())))
        .collect();
    assert_eq!(walked(root.path()), expected);
}

#[test]
fn names_that_do_not_fit_come_in_the_order_of_the_file_system() {
    let names: Vec<String> = (0..200).map(|number| format!("d/{number:0200}")).collect();
    let mut expected: Vec<&str> = names.iter().map(String::as_str).collect();
    expected.extend(["a", "d/sub/x", "d/sub/y", "z"]);
    expected.sort_unstable();
    let root = tree(&expected);
    let directory = Arc::new(GuardedDirectory::open(root.path()).unwrap());
    let found = |room: usize| {
        let mut walk = TreeWalk::new(Arc::clone(&directory), Path::new("o"));
        walk.room.left = room;
        let names = walk.by_ref().map(|file| file.names.join("/"));
        let names: Vec<String> = names.collect();
        assert_eq!(walk.room.left, room, "given back");
        names
    };
    assert_eq!(found(1 << 20), expected);
    // The large directory does not fit; then nothing does.
    for room in [10_000, 0] {
        let mut names = found(room);
        assert_ne!(names, expected, "{room}");
        names.sort_unstable();
        assert_eq!(names, expected, "{room}");
    }
}

#[test]
fn large_directories_within_each_other_are_refused_by_number() {
    let deep = "d/".repeat(70) + "x";
    let root = tree(&[&deep]);
    let directory = Arc::new(GuardedDirectory::open(root.path()).unwrap());
    let mut walk = TreeWalk::new(Arc::clone(&directory), Path::new("o"));
    walk.room.left = 0;
    let refused = walk.next().unwrap().content.open().1.unwrap_err();
    assert!(
        refused.to_string().contains("in 64 directories"),
        "{refused}"
    );
    assert!(walk.next().is_none());
}

#[test]
fn directories_without_an_entry_are_noted() {
    let root = tree(&["a/file", "z"]);
    for empty in ["b", "c/d", "c/e", "f"] {
        fs::create_dir_all(root.path().join("o").join(empty)).unwrap();
    }
    let directory = Arc::new(GuardedDirectory::open(root.path()).unwrap());
    let mut walk = TreeWalk::new(Arc::clone(&directory), Path::new("o"));
    let names: Vec<_> = walk
        .by_ref()
        .take(2)
        .map(|file| file.names.join("/"))
        .collect();
    assert_eq!(names, ["a/file", "z"]);
    assert_eq!(walk.empty.to_string(), r#""o/b", "o/c/d", "o/c/e", "o/f""#);
    assert!(walk.next().is_none());
    assert_eq!(walk.empty.count(), 0, "reported twice");
}

#[test]
fn links_inside_are_followed_and_may_not_lead_back() {
    let root = tree(&["dir/file"]);
    fs::write(root.path().join("beside"), "beside").unwrap();
    for (target, name) in [
        ("dir", "again"),
        ("../beside", "beside"),
        ("..", "dir/up"),
        (".", "self"),
    ] {
        symlink(target, root.path().join("o").join(name)).unwrap();
    }
    let found = walked(root.path());
    let good: Vec<&str> = found
        .iter()
        .filter(|(_, content)| content.is_ok())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(good, ["again/file", "beside", "dir/file"]);
    let bad: Vec<&str> = found
        .iter()
        .filter_map(|(_, content)| content.as_ref().err())
        .map(String::as_str)
        .collect();
    assert_eq!(bad, ["it is a link to a directory that holds it"; 3]);
}

#[test]
fn an_entry_that_cannot_be_uploaded_is_reported_and_hides_nothing() {
    let root = tree(&["a", "z"]);
    let below = root.path().join("o");
    symlink("/etc/passwd", below.join("absolute")).unwrap();
    symlink("nothing", below.join("dangling")).unwrap();
    mkfifoat(CWD, below.join("pipe"), Mode::RUSR).unwrap();
    fs::write(below.join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
    let found = walked(root.path());
    let reason = |part: &str| {
        found
            .iter()
            .filter(|(_, content)| content.as_ref().is_err_and(|error| error.contains(part)))
            .count()
    };
    for part in [
        "leads out of the output directory",
        "leads nowhere",
        "named pipe",
        "is not UTF-8",
    ] {
        assert_eq!(reason(part), 1, "{part}: {found:?}");
    }
    assert_eq!(
        found.iter().filter(|(_, content)| content.is_ok()).count(),
        2
    );
}

#[test]
fn a_root_that_vanished_is_reported() {
    let root = tree(&[]);
    fs::remove_dir(root.path().join("o")).unwrap();
    let found = walked(root.path());
    assert_eq!(found.len(), 1);
    assert!(found[0].1.is_err());
}

/// Ten links to a directory of ten links, and so on: a tree of any size.
#[test]
fn links_that_multiply_a_tree_are_bounded() {
    let root = tree(&["bottom/file"]);
    let below = root.path().join("o");
    let mut target = "bottom".to_owned();
    for level in 0..30 {
        let name = format!("level-{level}");
        fs::create_dir(below.join(&name)).unwrap();
        for link in 0..10 {
            symlink(
                format!("../{target}"),
                below.join(&name).join(link.to_string()),
            )
            .unwrap();
        }
        target = name;
    }
    let directory = Arc::new(GuardedDirectory::open(root.path()).unwrap());
    let mut walk = TreeWalk::new(directory, Path::new("o"));
    // An upload ends with the first that fails.
    let failed = walk.position(|file| file.content.open().1.is_err());
    assert!(failed.is_some_and(|at| at < 1_000), "{failed:?}");

    // As many links to one directory as anybody needs.
    let root = tree(&["shared/file"]);
    for link in 0..100 {
        symlink("shared", root.path().join("o").join(link.to_string())).unwrap();
    }
    let found = walked(root.path());
    assert_eq!(found.len(), 101);
    assert!(found.iter().all(|(_, content)| content.is_ok()));
}
