use std::fs;
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, mkfifoat};

use super::*;

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
