use std::fs;
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, mkfifoat};

use super::*;
use crate::beneath::{FileKind, kind};

/// An output directory beside a secret, with every kind of entry.
fn stage() -> (tempfile::TempDir, GuardedDirectory) {
    let place = tempfile::tempdir().unwrap();
    let outputs = place.path().join("outputs");
    fs::create_dir_all(outputs.join("dir/deep")).unwrap();
    fs::write(place.path().join("secret"), "secret").unwrap();
    fs::write(outputs.join("file"), "content").unwrap();
    fs::write(outputs.join("dir/file"), "inner").unwrap();
    for (target, name) in [
        ("file", "link"),
        ("../file", "dir/up"),
        ("dir", "link-to-dir"),
        ("..", "dir/parent"),
        ("../secret", "out"),
        ("../../secret", "dir/out"),
        ("/etc/passwd", "absolute"),
        ("/proc/self/root/etc/passwd", "magic"),
        ("nothing", "dangling"),
        ("circle-2", "circle-1"),
        ("circle-1", "circle-2"),
    ] {
        symlink(target, outputs.join(name)).unwrap();
    }
    mkfifoat(CWD, outputs.join("pipe"), Mode::RUSR | Mode::WUSR).unwrap();
    drop(UnixListener::bind(outputs.join("socket")).unwrap());
    let directory = GuardedDirectory::open(&outputs).unwrap();
    (place, directory)
}

fn read(directory: &GuardedDirectory, path: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut file = directory
        .open_file(Path::new(path))
        .map_err(|error| error.to_string())?;
    file.read_to_string(&mut text).unwrap();
    Ok(text)
}

#[test]
fn files_are_read_through_links_that_stay_inside() {
    let (_place, directory) = stage();
    for (path, content) in [
        ("file", "content"),
        ("dir/file", "inner"),
        ("link", "content"),
        ("dir/up", "content"),
        ("link-to-dir/file", "inner"),
        ("dir/parent/dir/file", "inner"),
        ("./file", "content"),
    ] {
        assert_eq!(read(&directory, path).as_deref(), Ok(content), "{path}");
    }
}

#[test]
fn nothing_else_is_opened_and_nothing_blocks() {
    let (_place, directory) = stage();
    for (path, reason) in [
        ("out", "leads out of the output directory"),
        ("dir/out", "leads out of the output directory"),
        ("absolute", "leads out of the output directory"),
        ("magic", "leads out of the output directory"),
        ("../secret", "leads out of the output directory"),
        ("/etc/passwd", "leads out of the output directory"),
        ("circle-1", "in a circle"),
        ("dir", "it is a directory"),
        ("link-to-dir", "it is a directory"),
        ("pipe", "it is a named pipe"),
        ("socket", "it is a socket"),
        ("dangling", "No such file"),
        ("nothing", "No such file"),
        ("file/x", "Not a directory"),
    ] {
        let error = read(&directory, path).unwrap_err();
        assert!(error.contains(reason), "{path}: {error}");
    }
}

#[test]
fn stat_says_what_is_there() {
    let (_place, directory) = stage();
    let look = |path: &str| {
        let stat = directory.stat(Path::new(path));
        stat.map(|stat| stat.map(|stat| kind(&stat)))
            .map_err(|error| error.to_string())
    };
    for (path, expected) in [
        ("file", Some(FileKind::File)),
        ("link", Some(FileKind::File)),
        ("dir", Some(FileKind::Directory)),
        ("link-to-dir", Some(FileKind::Directory)),
        ("", Some(FileKind::Directory)),
        ("pipe", Some(FileKind::Special("named pipe"))),
        ("socket", Some(FileKind::Special("socket"))),
        ("nothing", None),
        ("nothing/x", None),
    ] {
        assert_eq!(look(path), Ok(expected), "{path}");
    }
    for (path, reason) in [
        ("dangling", "leads nowhere"),
        ("out", "leads out"),
        ("circle-2", "in a circle"),
        ("file/x", "Not a directory"),
    ] {
        let error = look(path).unwrap_err();
        assert!(error.contains(reason), "{path}: {error}");
    }
}

#[test]
fn without_openat2_files_are_opened_and_no_link_is_followed() {
    let (_place, directory) = stage();
    let open = |path: &str, flags| {
        let flags = flags | OFlags::CLOEXEC;
        let root = directory.root.as_fd();
        let opened = resolve::step_by_step(root, Path::new(path), flags, Links::Inside);
        opened.map_err(|error| error.to_string())
    };
    for path in ["file", "dir/file", "./dir/deep", "dir"] {
        for flags in [OFlags::PATH, OFlags::RDONLY] {
            let found = fstat(open(path, flags).unwrap()).unwrap();
            let expected = directory.stat(Path::new(path)).unwrap().unwrap();
            assert_eq!(
                (found.st_dev, found.st_ino),
                (expected.st_dev, expected.st_ino),
                "{path}"
            );
        }
    }
    for (path, reason) in [
        ("link", "no safe way to follow"),
        ("dir/up", "no safe way to follow"),
        ("link-to-dir", "no safe way to follow"),
        ("link-to-dir/file", "no safe way to follow"),
        ("out", "no safe way to follow"),
        ("magic", "no safe way to follow"),
        ("circle-1", "no safe way to follow"),
        ("../secret", "leads out of the output directory"),
        ("dir/../../secret", "leads out of the output directory"),
        ("/etc/passwd", "leads out of the output directory"),
        ("nothing", "No such file"),
        ("file/x", "Not a directory"),
    ] {
        for flags in [OFlags::PATH, OFlags::RDONLY] {
            let error = open(path, flags).unwrap_err();
            assert!(error.contains(reason), "{path} {flags:?}: {error}");
        }
    }
    // `O_NOFOLLOW` opens the link itself.
    let link = open("dangling", OFlags::PATH | OFlags::NOFOLLOW).unwrap();
    assert!(is_link(&fstat(link).unwrap()));
}

#[test]
fn without_openat2_nothing_is_written_through_a_link() {
    let (_place, directory) = stage();
    let open = |path: &str| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        resolve::step_by_step(
            directory.root.as_fd(),
            Path::new(path),
            flags,
            Links::Refused,
        )
        .map_err(|error| error.to_string())
    };
    assert!(open("dir/deep").is_ok());
    for path in ["link-to-dir", "link-to-dir/deep", "dir/parent", "magic"] {
        let error = open(path).unwrap_err();
        assert!(error.contains("through a link"), "{path}: {error}");
    }
    for path in ["..", "dir/../..", "/etc"] {
        let error = open(path).unwrap_err();
        assert!(error.contains("leads out"), "{path}: {error}");
    }
}

#[test]
fn what_is_written_or_removed_never_goes_through_a_link() {
    let (place, directory) = stage();
    let directory = Arc::new(directory);
    fs::create_dir(place.path().join("outside")).unwrap();
    fs::write(place.path().join("outside/x"), "x").unwrap();
    symlink("../outside", directory.path().join("away")).unwrap();
    for path in [
        "away/x",
        "away/new/x",
        "link-to-dir/file",
        "dir/parent/file",
    ] {
        let path = Path::new(path);
        for make in [false, true] {
            let error = directory.parent(path, make).unwrap_err();
            assert!(error.to_string().contains("through a link"), "{error}");
        }
        assert!(directory.remove(path).is_err(), "{}", path.display());
        assert!(directory.make_directory(path).is_err());
        assert!(directory.entry(path).is_err());
        assert!(directory.entries(path, &mut |_, _| true).is_err());
    }
    // The link itself is an entry like others.
    directory.remove(Path::new("away")).unwrap();
    directory.remove(Path::new("away")).unwrap();
    assert!(place.path().join("outside/x").exists());
    assert!(!place.path().join("outside/new").exists());
}

#[test]
fn a_tree_is_removed_without_leaving_it() {
    let (place, directory) = stage();
    let directory = Arc::new(directory);
    let outside = place.path().join("outside");
    fs::create_dir_all(outside.join("deep")).unwrap();
    fs::write(outside.join("deep/x"), "x").unwrap();
    let tree = directory.path().join("tree");
    for name in ["a/b/c", "a/d", "e", ".copilot-partial.up.0/f"] {
        fs::create_dir_all(tree.join(name)).unwrap();
        fs::write(tree.join(name).join("file"), "").unwrap();
        symlink(&outside, tree.join(name).join("away")).unwrap();
        mkfifoat(CWD, tree.join(name).join("pipe"), Mode::RUSR).unwrap();
    }
    directory.remove(Path::new("tree")).unwrap();
    assert!(!tree.exists());
    assert!(outside.join("deep/x").exists());
}

/// Main makes a directory in a directory, 5,000 times: neither the stack nor the descriptors run out.
#[test]
fn a_very_deep_tree_is_removed() {
    let (_place, directory) = stage();
    let directory = Arc::new(directory);
    let mut at = directory.make_directory(Path::new("tree")).unwrap();
    for _ in 0..5_000 {
        at = at.make_directory(Path::new("d")).unwrap();
    }
    drop(at);
    directory.remove(Path::new("tree")).unwrap();
    assert!(directory.entry(Path::new("tree")).unwrap().is_none());
}

#[test]
fn a_file_of_ours_is_regular_small_and_ours() {
    let (_place, directory) = stage();
    fs::write(directory.path().join("own"), "own").unwrap();
    assert_eq!(
        directory.read_own("own", 3).unwrap().as_deref(),
        Some(&b"own"[..])
    );
    assert_eq!(directory.read_own("nothing", 3).unwrap(), None);
    let large = fs::File::create(directory.path().join("large")).unwrap();
    large.set_len(3 << 30).unwrap();
    for (name, reason) in [
        ("own", "more than the 2 bytes"),
        ("large", "more than the 2 bytes"),
        ("pipe", "a named pipe"),
        ("socket", "a socket"),
        ("link", "a link"),
        ("dangling", "a link"),
        ("dir", "a directory"),
    ] {
        let error = directory.read_own(name, 2).unwrap_err().to_string();
        assert!(error.contains(reason), "{name}: {error}");
    }
    for name in ["pipe", "socket", "link", "dir"] {
        assert!(
            directory.open_to_overwrite(OsStr::new(name)).is_err(),
            "{name}"
        );
    }
    fs::hard_link(directory.path().join("own"), directory.path().join("other")).unwrap();
    assert!(directory.open_own("other").is_err());
    assert!(directory.open_to_overwrite(OsStr::new("other")).is_err());
    fs::remove_file(directory.path().join("other")).unwrap();
    assert!(directory.open_to_overwrite(OsStr::new("own")).is_ok());
    // Only root can give a file away.
    let own = directory.path().join("own");
    if geteuid().is_root() {
        std::os::unix::fs::chown(&own, Some(65_534), None).unwrap();
        let error = directory.read_own("own", 3).unwrap_err().to_string();
        assert!(error.contains("owner is user 65534"), "{error}");
        assert!(directory.open_own("own").is_err());
    }
}
