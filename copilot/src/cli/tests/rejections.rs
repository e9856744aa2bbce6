//! Command lines that are not carried out, and what is said about them.

use super::{INTERFACE, run};

#[test]
fn rejections_that_the_platform_must_see() {
    let prefix = ["--to-output-prefix", "s3://b/out"];
    for (arguments, words) in [
        (&["download"][..], "--to-local-dir is required"),
        (&["download", "-o", "/in"], "--from-remote is required"),
        (
            &["download", "-o", "/in", "-f", "r", "-m", "json"],
            "did you mean JSON?",
        ),
        (
            &["download", "-o", "/in", "-f", "r", "-m", ""],
            "--format \"\" is unknown",
        ),
        (
            &["download", "-o", "/in", "-f", "r", "-d", "X"],
            "--download-mode",
        ),
        (
            &[
                "download",
                "-o",
                "/in",
                "-f",
                "r",
                "--file-input-layout",
                "X",
            ],
            "--file-input-layout",
        ),
        (
            &["sidecar", "-i", INTERFACE],
            "--from-local-dir is required",
        ),
        (&["sidecar", "-m", "XML"], "--format \"XML\" is unknown"),
        (
            &["sidecar", "-u", "UPLOAD_EAGERLY"],
            "did you mean UPLOAD_EAGER?",
        ),
        (
            &[
                "sidecar",
                "-u",
                "DO_NOT_UPLOAD",
                "--on-main-failure",
                "salvage",
            ],
            "give one of them",
        ),
        (
            &["sidecar", "--on-main-failure", "x"],
            "report, salvage, upload",
        ),
    ] {
        let rejection = run(&[arguments, &prefix].concat()).unwrap_err();
        assert!(
            rejection.to_string().contains(words),
            "{arguments:?}: {rejection}"
        );
        assert_eq!(rejection.exit_code(), 1, "{arguments:?}");
        let reportable = rejection.reportable().unwrap();
        assert_eq!(reportable.to_output_prefix, "s3://b/out");
        assert_eq!(reportable.command.name(), arguments[0]);
    }
}

#[test]
fn rejections_that_are_wrong_usage() {
    for (arguments, words) in [
        (
            &[][..],
            "no command given: use one of download, sidecar, ready, doctor, watch",
        ),
        (&["--config"], "--config needs a value"),
        (
            &["download", "-o", "/in", "-f", "r"],
            "--to-output-prefix is required",
        ),
        (
            &["download", "--to-output-prefix", ""],
            "--to-output-prefix is required",
        ),
        (
            &["sidecar", "-i", INTERFACE],
            "--to-output-prefix is required",
        ),
        (&["sidecar", "-m", "XML"], "--format"),
        (
            &["download", "--fromat", "JSON"],
            "unknown flag --fromat; did you mean --format?",
        ),
        (
            &["download", "--zzz=hunter2"],
            "unknown flag --zzz; copilot download --help",
        ),
        (&["download", "-zhunter2"], "unknown flag -z"),
        (
            &["sidecar", "--file-input-layout", "DIRECT"],
            "unknown flag --file-input-layout",
        ),
        (
            &["download", "--timeout", "5"],
            "invalid value for --timeout: \"5\" is not a duration",
        ),
        (
            &["download", "--storage.limits.maxDownloadMBs=x"],
            "a whole number",
        ),
        (
            &["download", "--storage.defaultHttpClient.timeout=5"],
            "for --storage.defaultHttpClient.timeout",
        ),
        (
            &["download", "--storage.stow.config", "hunter2"],
            "--storage.stow.config: there is no `=`",
        ),
        (
            &["download", "--stderrthreshold=LOUD"],
            "INFO, WARNING, ERROR, FATAL",
        ),
        (
            &["download", "--max-connections", "0"],
            "invalid value \"0\" for --max-connections: a count",
        ),
        (
            &["sidecar", "--settle", "-1s"],
            "--settle: it must not be negative",
        ),
        (&["sidecar", "--max-simple-size", "1KB"], "k, Ki, M, Mi"),
        (&["ready", "--format", "JSON"], "unknown flag --format"),
        (&["donwload"], "did you mean download?"),
    ] {
        let rejection = run(arguments).unwrap_err();
        assert!(
            rejection.to_string().contains(words),
            "{arguments:?}: {rejection}"
        );
        assert!(!rejection.to_string().contains("hunter2"), "{rejection}");
        assert!(!rejection.to_string().contains('\n'), "{rejection}");
        assert_eq!(rejection.exit_code(), 2, "{arguments:?}");
        assert!(rejection.reportable().is_none());
    }
}
