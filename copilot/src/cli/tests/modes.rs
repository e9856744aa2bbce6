//! `--download-mode` and `--upload-mode`, name by name.

use super::run;
use crate::command::Invocation;
use crate::download::DownloadMode;
use crate::upload::UploadMode;

#[test]
fn modes() {
    for (name, mode) in [
        ("DOWNLOAD_EAGER", DownloadMode::Eager),
        ("DOWNLOAD_STREAM", DownloadMode::Stream),
        ("DO_NOT_DOWNLOAD", DownloadMode::Never),
    ] {
        let flags = [
            "--to-output-prefix",
            "o",
            "-o",
            "/in",
            "-f",
            "r",
            "-d",
            name,
        ];
        let Invocation::Download(_, request) = run(&[&["download"], &flags[..]].concat()).unwrap()
        else {
            panic!("a download");
        };
        assert_eq!(request.mode, mode);
    }
    for (name, mode) in [
        ("UPLOAD_ON_EXIT", UploadMode::OnExit),
        ("UPLOAD_EAGER", UploadMode::Eager),
        ("DO_NOT_UPLOAD", UploadMode::Never),
    ] {
        let Invocation::Sidecar(_, request) = run(&["sidecar", "-u", name]).unwrap() else {
            panic!("a sidecar");
        };
        assert_eq!(request.mode, mode);
    }
}
