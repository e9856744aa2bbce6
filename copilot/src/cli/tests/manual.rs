//! Completions, manual pages, and help.

use super::run;
use crate::command::Invocation;

fn text(arguments: &[&str]) -> String {
    match run(arguments) {
        Ok(Invocation::Help(text)) => text,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

#[test]
fn each_shell_gets_completions_of_every_flag_that_help_shows() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = text(&["completions", shell]);
        for word in [
            "to-output-prefix",
            "from-local-dir",
            "storage.container",
            "sidecar",
        ] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        for hidden in ["start-watcher-type", "alsologtostderr"] {
            assert!(!script.contains(hidden), "{shell}: {hidden}");
        }
    }
    // The reference's name of it.
    assert_eq!(
        text(&["completion", "bash"]),
        text(&["completions", "bash"])
    );
    for (arguments, words) in [
        (&["completions"][..], "bash, elvish, fish, powershell, zsh"),
        (&["completions", "bsh"], "did you mean bash?"),
    ] {
        let message = run(arguments).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn manual_pages() {
    let page = text(&["man"]);
    for word in [".TH copilot 1", "download", "completions"] {
        assert!(page.contains(word), "{word}: {page}");
    }
    let page = text(&["man", "sidecar"]);
    for word in [".TH copilot-sidecar 1", "on\\-main\\-failure"] {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert!(run(&["man", "donwload"]).is_err());
}

#[test]
fn help_shows_common_flags_once_and_what_each_command_is_for() {
    let whole = text(&["--help"]);
    for word in [
        "--storage.container",
        "STORAGE_CONTAINER",
        "--exit-code",
        "completions",
    ] {
        assert!(whole.contains(word), "{word}: {whole}");
    }
    for (command, own) in [
        ("download", "--from-remote"),
        ("sidecar", "--from-local-dir"),
    ] {
        let help = text(&["help", command]);
        assert_eq!(help, text(&[command, "--help"]), "{command}");
        for word in [own, "required", "Example", "copilot --help"] {
            assert!(help.contains(word), "{command}, {word}: {help}");
        }
        for common in ["--storage.container", "--max-memory"] {
            assert!(
                !help.contains(&format!("{common} ")),
                "{command}, {common}: {help}"
            );
        }
    }
}
