use std::fs;
use std::os::unix::fs::symlink;
use std::thread::sleep;
use std::time::Duration;

use super::*;

/// A volume with a directory `outputs`, and a directory beside the volume that is not main's.
fn stage() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir_all(place.path().join("volume/outputs")).unwrap();
    fs::create_dir_all(place.path().join("ours/outputs")).unwrap();
    // A directory that is made from now on is younger, by the kernel's clock.
    sleep(Duration::from_millis(30));
    let outputs = place.path().join("volume/outputs");
    (place, outputs)
}

fn refusal(shared: &SharedDirectory) -> String {
    match shared.open() {
        Err(SharedError::Replaced(reason)) => reason.to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_directory_of_the_start_is_used_while_its_path_names_it() {
    let (_place, outputs) = stage();
    let shared = SharedDirectory::at(&outputs);
    let first = shared.open().unwrap();
    fs::write(outputs.join("x"), "x").unwrap();
    assert!(Arc::ptr_eq(&first, &shared.open().unwrap()));
    assert!(first.entry(Path::new("x")).unwrap().is_some());
}

#[test]
fn what_somebody_puts_in_its_place_is_refused() {
    for (reason, attack) in [
        (
            "a link",
            (|volume, ours| {
                fs::rename(volume.join("outputs"), volume.join("gone")).unwrap();
                symlink(ours, volume.join("outputs")).unwrap();
            }) as fn(&Path, &Path),
        ),
        ("a directory above", |volume, ours| {
            fs::rename(volume, volume.with_file_name("gone")).unwrap();
            symlink(ours, volume).unwrap();
        }),
        ("a directory above", |volume, ours| {
            fs::rename(volume, volume.with_file_name("gone")).unwrap();
            fs::rename(ours, volume).unwrap();
        }),
        ("existed before", |volume, ours| {
            fs::remove_dir(volume.join("outputs")).unwrap();
            fs::rename(ours, volume.join("outputs")).unwrap();
        }),
    ] {
        let (place, outputs) = stage();
        let shared = SharedDirectory::at(&outputs);
        attack(&place.path().join("volume"), &place.path().join("ours"));
        let found = refusal(&shared);
        assert!(found.contains(reason), "{reason}: {found}");
        assert!(shared.make().is_err(), "{reason}");
    }
}

#[test]
fn main_may_make_its_directory_anew() {
    let (_place, outputs) = stage();
    let shared = SharedDirectory::at(&outputs);
    fs::remove_dir(&outputs).unwrap();
    assert!(matches!(shared.open(), Err(SharedError::Open(_))));
    fs::create_dir(&outputs).unwrap();
    fs::write(outputs.join("x"), "x").unwrap();
    let found = shared.open().unwrap();
    assert!(found.entry(Path::new("x")).unwrap().is_some());
}

#[test]
fn a_directory_that_does_not_exist_yet_may_be_made_but_not_linked() {
    let (place, outputs) = stage();
    let (deep, ours) = (outputs.join("a/b"), place.path().join("ours"));
    let shared = SharedDirectory::at(&deep);
    assert!(matches!(shared.open(), Err(SharedError::Open(_))));
    symlink(&ours, outputs.join("a")).unwrap();
    fs::create_dir(ours.join("b")).unwrap();
    assert!(refusal(&shared).contains("a link"));
    assert!(shared.make().is_err());
    fs::remove_file(outputs.join("a")).unwrap();
    fs::create_dir_all(&deep).unwrap();
    assert!(shared.open().is_ok());

    let other = SharedDirectory::at(&outputs.join("c/d"));
    let made = other.make().unwrap();
    assert_eq!(made.path(), outputs.join("c/d"));
    assert!(outputs.join("c/d").is_dir());
}

/// The last component is never a link, and what is above it is resolved once.
#[test]
fn links_are_followed_above_the_directory_only() {
    let (place, _) = stage();
    let link = place.path().join("link");
    symlink("volume", &link).unwrap();
    assert!(SharedDirectory::at(&link.join("outputs")).open().is_ok());
    assert!(refusal(&SharedDirectory::at(&link)).contains("a link"));
}
