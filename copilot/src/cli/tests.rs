//! The command line through its public surface.

mod doctor;
mod generated;
mod golden;
mod kubernetes;
mod manual;
mod modes;
mod own;
mod people;
mod platform;
mod rejections;
mod requests;
mod syntax;
mod template;
mod tree;

use std::ffi::OsString;

use proptest::prelude::*;

use super::*;
use crate::command::Global;
use crate::download::DownloadRequest;
use crate::sidecar::{OutputsTarget, SidecarRequest, UploadTarget};

/// An interface with one integer output, as it stands in recorded command lines.
const INTERFACE: &str = "EgkKBwoBbxICCgA=";

fn run(arguments: &[&str]) -> Result<Invocation, Rejection> {
    parse(
        std::iter::once("copilot")
            .chain(arguments.iter().copied())
            .map(OsString::from),
    )
}

fn download(more: &[&str]) -> Result<(Box<Global>, Box<DownloadRequest>), Rejection> {
    let mut arguments = vec![
        "download",
        "--to-output-prefix",
        "s3://b/out",
        "--to-local-dir",
        "/in",
        "--from-remote",
        "s3://b/in.pb",
    ];
    arguments.extend(more);
    match run(&arguments)? {
        Invocation::Download(global, request) => Ok((global, request)),
        other => panic!("{other:?}"),
    }
}

fn sidecar(more: &[&str]) -> Result<(Box<Global>, Box<SidecarRequest>), Rejection> {
    let mut arguments = vec![
        "sidecar",
        "--to-output-prefix",
        "s3://b/out",
        "--to-raw-output",
        "s3://b/raw",
        "--from-local-dir",
        "/out",
        "--interface",
        INTERFACE,
    ];
    arguments.extend(more);
    match run(&arguments)? {
        Invocation::Sidecar(global, request) => Ok((global, request)),
        other => panic!("{other:?}"),
    }
}

/// What a sidecar of declared outputs uploads.
fn outputs(request: SidecarRequest) -> OutputsTarget {
    match request.upload {
        Some(UploadTarget::Outputs(target)) => target,
        other => panic!("{other:?}"),
    }
}

fn any_argument() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "download",
        "sidecar",
        "ready",
        "help",
        "--",
        "-",
        "--help",
        "--config",
        "--timeout",
        "-t",
        "--to-output-prefix",
        "--from",
        "--to",
        "-o",
        "-f",
        "-i",
        "--interface",
        "--watcher",
        "-sh",
        "-V",
        "--storage.stow.config",
        "k=v",
        "a=b,c=d",
        "--storage.enable-multicontainer",
        "=",
        "1h",
        "--exit-zero-on-error=x",
        "-n=",
        "--v=",
    ]);
    prop_oneof![
        known.prop_map(str::to_owned),
        any::<String>(),
        "-{0,2}[a-z.=-]{0,12}"
    ]
}

proptest! {
    #[test]
    fn no_command_line_panics(arguments in prop::collection::vec(any_argument(), 0..12)) {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        if let Err(rejection) = run(&arguments) {
            prop_assert!(!rejection.to_string().is_empty());
        }
    }

    #[test]
    fn no_bytes_panic(arguments in prop::collection::vec(any::<Vec<u8>>(), 0..8)) {
        use std::os::unix::ffi::OsStringExt;
        let _ = parse(arguments.into_iter().map(OsString::from_vec));
    }
}
