//! Command lines that are not carried out, and what is said about them.

use super::{INTERFACE, run};

#[test]
fn rejections_that_the_platform_must_see() {
    let prefix = ["--to-output-prefix", "s3://b/out"];
    for (arguments, words) in [
        (
            &["download"][..],
            "--to-local-dir is required: the directory for the inputs; --from-remote is required",
        ),
        (&["download", "-o", "/in"], "--from-remote is required"),
        (
            &[
                "download",
                "-o",
                "/in",
                "-f",
                "r",
                "--strict",
                "extra",
                "key=hunter2",
            ],
            "extra key=…: no flag takes this",
        ),
        (
            &["download", "-o", "/in", "-f", "r", "--exit-code", "2"],
            "--exit-code \"2\" is unknown: it is one of auto, 0, 1",
        ),
        (
            &["sidecar", "--exit-code=1", "--exit-zero-on-error"],
            "give one of them",
        ),
        (&["sidecar", "--log-format", "xml"], "auto, text, json, gcp"),
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
            "no command given: use one of download, sidecar, ready, run",
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
            "--to-output-prefix is required: with --interface, the prefix for outputs.pb; --from-local-dir is",
        ),
        (
            &["download"],
            "; --to-local-dir is required: the directory for the inputs; --from-remote",
        ),
        (
            &["download", "--exit-zero-on-error", "false"],
            "alone the flag means true; write --exit-zero-on-error=false",
        ),
        (
            &["--exit-zero-on-error", "false", "download"],
            "write --exit-zero-on-error=false",
        ),
        (&["ready", "--strict", "extra"], "extra: no flag takes this"),
        (
            &["download", "--verbose"],
            "did you mean --logger.level=debug?",
        ),
        (
            &["sidecar", "--bucket", "b"],
            "did you mean --storage.container?",
        ),
        (
            &["sidecar", "--logger.level=loud"],
            "panic, fatal, error, warn, info or debug",
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
        assert!(rejection.reportable().is_none());
    }
}
