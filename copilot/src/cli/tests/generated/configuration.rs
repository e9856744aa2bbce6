//! The page `docs/configuration.md`: every flag and key, from their definitions.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::{Arg, ArgAction};

use crate::cli::flags;
use crate::cli::own::takes_settings;
use crate::command::Command;
use crate::config::{KEYS, Key, KeyKind, variable};

const INTRODUCTION: &str = "\
# Configuration

For everybody who runs Copilot: every flag, key and variable, with its default, what it takes, and what it is for.
`cargo xtask generate` writes this page from the code, and a test compares it. [stores.md](stores.md) explains the
settings of stores, [tracking.md](tracking.md) those of the watchers.

## Where values come from

A **flag** wins over a **variable**, a variable over a **file**, and a file over the default. `copilot doctor` prints
each value with its source, and a message about a wrong value names the key, and the variable or the file and line.

Files are YAML (`.yaml`, `.yml`) or JSON (`.json`): those that `--config` names, else `config.yaml` in the working
directory and `/etc/flyte/config/config.yaml`. Several files are merged in the order of their names. A platform that
mounts a Secret or ConfigMap for Copilot can put all settings there:

```yaml
storage:
  type: stow
  container: data
  stow: {kind: s3, config: {auth_type: iam, region: eu-west-1}}
logger: {level: warn}
copilot:
  max-connections: 64
  ignore-container: [istio-proxy, vault-agent]
  term-wait: 20s
```

The name of a **variable** is the key in upper case, with `_` for each dot and dash: `COPILOT_TERM_WAIT`,
`STORAGE_STOW_KIND`. The reference's names with dots (`STORAGE.STOW.KIND`) work as well. An empty variable counts as
not set. A list in a variable has commas between its items.

An unknown key or variable is named in the log, with the name that may be meant; `--strict` refuses it with exit code 2.
";

/// What the names of values stand for, if the meaning of the flag does not say it.
const VALUES: [(&str, &str); 9] = [
    ("BASE64", "bytes in standard base64 with padding"),
    (
        "BOOL",
        "`true` or `false`; the flag alone means true, and its value stands behind `=`; files and variables may say \
         `yes`, `no`, `on`, `off` as well",
    ),
    (
        "BYTES",
        "a number of bytes, alone or with `k`, `Ki`, `M`, `Mi`, `G` or `Gi`: `64Mi`",
    ),
    ("COUNT", "a whole number from 1 on"),
    (
        "DURATION",
        "numbers with the units `ns`, `us`, `ms`, `s`, `m`, `h`: `1h30m`, `2.5s`, `100ms`",
    ),
    ("LEVEL", "a level of the log, as its number or its name"),
    (
        "NAME",
        "a name; if only some are allowed, the meaning lists them",
    ),
    ("NUMBER", "a whole number"),
    (
        "REF",
        "a reference: `s3://bucket/key`, `gs://…`, `abfs://…`, `file://…`",
    ),
];

/// The whole page.
pub(super) fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n## What values look like\n\n");
    let values = VALUES.map(|(name, meaning)| vec![format!("`{name}`"), meaning.to_owned()]);
    table(&mut page, &["value", "meaning"], values.into());
    own_settings(&mut page);
    settings_of_the_reference(&mut page);
    flags_of_commands(&mut page);
    page
}

/// The section `copilot`.
fn own_settings(page: &mut String) {
    page.push_str(
        "\n## Section `copilot`\n\n\
         Each is a flag of ours: `copilot.NAME` is `--NAME`. What belongs to one run, such as `--from-remote`, is \
         a flag only. `--log-format` has the key `logger.formatter.type`. A setting counts for the commands in its \
         row; `all` means every command that reads settings. Flyte's own CoPilot refuses a file with this section. \
         The commands that read settings: ",
    );
    let taking = Command::ALL
        .into_iter()
        .filter(|command| takes_settings(*command));
    let taking: Vec<&str> = taking.map(Command::name).collect();
    writeln!(page, "{}.\n", taking.join(", ")).unwrap();
    let row = |key: &'static Key| {
        let flag = key.own_flag().unwrap();
        let (argument, commands) = definitions(flag);
        let described = Described::of(&argument);
        vec![
            format!("`{}`", key.name),
            format!("`{}`", variable(key)),
            commands,
            described.value,
            described.default,
            described.meaning,
        ]
    };
    let columns = ["key", "variable", "commands", "value", "default", "meaning"];
    table(page, &columns, Key::all_own().map(row).collect());
}

/// A flag's definition, and the commands for which the setting counts.
fn definitions(flag: &str) -> (Arg, String) {
    let find = |command: Command| {
        let definition = flags::definition(Some(command));
        let mut arguments = definition.get_arguments();
        let argument = arguments.find(|argument| argument.get_long() == Some(flag));
        Some((command.name(), argument?.clone()))
    };
    let taking = Command::ALL
        .into_iter()
        .filter(|command| takes_settings(*command));
    let having: Vec<(&str, Arg)> = taking.filter_map(find).collect();
    let common = flags::definition(None);
    let mut common = common.get_arguments();
    if common.any(|argument| argument.get_long() == Some(flag)) {
        return (having[0].1.clone(), "all".to_owned());
    }
    let names: Vec<&str> = having.iter().map(|(name, _)| *name).collect();
    (having[0].1.clone(), names.join(", "))
}

/// The sections of the reference.
fn settings_of_the_reference(page: &mut String) {
    page.push_str(
        "\n## Sections `storage` and `logger`\n\n\
         Their flags have the whole name of the key: `--storage.container`.\n\n",
    );
    let theirs = || KEYS.iter().filter(|key| key.own_flag().is_none());
    let row = |key: &Key| {
        let by_variable = if key.flag {
            format!("`{}`", variable(key))
        } else {
            "files only".to_owned()
        };
        let meaning = match key.kind {
            KeyKind::Schemes => "stores for other schemes: `SCHEME: {kind: …, config: {…}}`",
            KeyKind::Headers => "headers of each request to a store: `NAME: VALUE`",
            _ => key.help,
        };
        let default = key.default.filter(|default| !default.is_empty());
        vec![
            format!("`{}`", key.name),
            by_variable,
            kind(key.kind).to_owned(),
            default.map_or_else(String::new, |default| format!("`{default}`")),
            meaning.to_owned(),
        ]
    };
    let columns = ["key", "variable", "value", "default", "meaning"];
    let rows = theirs().filter(|key| key.effect).map(row).collect();
    table(page, &columns, rows);
    let inert: Vec<String> = theirs()
        .filter(|key| !key.effect)
        .map(|key| format!("`{}`", key.name))
        .collect();
    let inert = inert.join(", ");
    writeln!(
        page,
        "\nAccepted without effect, since the reference has them: {inert}."
    )
    .unwrap();
}

/// What a key takes, in the words of flags.
fn kind(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Text => "text",
        KeyKind::Boolean => "`BOOL`",
        KeyKind::Integer => "`NUMBER`",
        KeyKind::Level => "`LEVEL`",
        KeyKind::Duration => "`DURATION`",
        KeyKind::Texts => "list of texts",
        KeyKind::Pairs => "map; as a flag `KEY=VALUE`, again for each key",
        KeyKind::Headers | KeyKind::Schemes => "map",
        KeyKind::Opaque => "anything",
    }
}

/// A table for every command, and one for what all have.
fn flags_of_commands(page: &mut String) {
    page.push_str(
        "\n## Flags\n\n\
         `(key)` in the last column says that a flag is a setting as well.\n",
    );
    let common = flags::definition(None);
    let common: Vec<&Arg> = common.get_arguments().collect();
    flag_table(page, "Every command", &common, &BTreeSet::new(), true);
    page.push_str(
        "\nThose of Kubernetes' client, from `--kubeconfig` on, work with `--watcher kube-api`; the others have no \
         effect.\n",
    );
    let known: BTreeSet<&str> = common.iter().filter_map(|flag| flag.get_long()).collect();
    for command in Command::ALL {
        let definition = flags::definition(Some(command));
        let own: Vec<&Arg> = definition.get_arguments().collect();
        let title = format!("`copilot {}`", command.name());
        let sidecar = flags::definition(Some(Command::Sidecar));
        let of_the_sidecar: BTreeSet<&str> =
            sidecar.get_arguments().filter_map(Arg::get_long).collect();
        // They take the sidecar's command line.
        let takes_the_sidecars = command != Command::Sidecar
            && of_the_sidecar
                .iter()
                .all(|flag| own.iter().any(|own| own.get_long() == Some(flag)));
        let mut known = known.clone();
        if takes_the_sidecars {
            known.extend(of_the_sidecar);
        }
        flag_table(page, &title, &own, &known, takes_settings(command));
        if takes_the_sidecars {
            page.push_str("\nAnd the flags of `copilot sidecar`.\n");
        }
    }
}

/// The flags that are not among `known`; those that help hides are only named. `with_keys`: they may be settings.
fn flag_table(
    page: &mut String,
    title: &str,
    flags: &[&Arg],
    known: &BTreeSet<&str>,
    with_keys: bool,
) {
    let is_shown = |argument: &&&Arg| {
        let name = argument.get_long().unwrap_or_default();
        // The reference's settings have a table of their own.
        !name.is_empty() && !known.contains(name) && !name.contains('.')
    };
    let flags: Vec<&&Arg> = flags.iter().filter(is_shown).collect();
    writeln!(page, "\n### {title}\n").unwrap();
    if flags.is_empty() {
        page.push_str("It has no flags of its own.\n");
        return;
    }
    let (hidden, shown): (Vec<&&Arg>, _) = flags
        .into_iter()
        .partition(|argument| argument.is_hide_set());
    let row = |argument: &&Arg| {
        let described = Described::of(argument);
        let key = described.key.filter(|_| with_keys);
        let key = key.map(|name| format!(" (`{name}`)"));
        vec![
            described.name,
            described.value,
            described.default,
            format!("{}{}", described.meaning, key.unwrap_or_default()),
        ]
    };
    let columns = ["flag", "value", "default", "meaning"];
    table(page, &columns, shown.into_iter().map(row).collect());
    if !hidden.is_empty() {
        let names: Vec<String> = hidden
            .iter()
            .map(|argument| Described::of(argument).name)
            .collect();
        let names = names.join(", ");
        writeln!(
            page,
            "\nKnown from the reference, and hidden from help: {names}."
        )
        .unwrap();
    }
}

/// A flag in words.
struct Described {
    /// Its long and short name.
    name: String,
    /// The name of its value.
    value: String,
    default: String,
    meaning: String,
    /// Its key, if it is a setting.
    key: Option<&'static str>,
}

impl Described {
    fn of(argument: &Arg) -> Self {
        let long = argument.get_long().unwrap_or_default();
        let short = argument.get_short().map(|short| format!(", `-{short}`"));
        let help = argument.get_help().map(ToString::to_string);
        let (help, _) = without(&help.unwrap_or_default(), "variable");
        let (meaning, default_in_words) = without(&help, "default");
        let given: Vec<String> = argument
            .get_default_values()
            .iter()
            .filter(|default| !default.is_empty())
            .map(|default| format!("`{}`", default.to_string_lossy()))
            .collect();
        let takes = argument.get_action().takes_values();
        let names = argument.get_value_names().unwrap_or_default();
        let mut value = names
            .first()
            .map_or_else(String::new, |name| format!("`{name}`"));
        if matches!(argument.get_action(), ArgAction::Append) {
            value.push_str(", again for each");
        }
        Self {
            name: format!("`--{long}`{}", short.unwrap_or_default()),
            value: if takes { value } else { String::new() },
            default: default_in_words.unwrap_or_else(|| given.join(", ")),
            meaning,
            key: Key::of_own_flag(long).map(|key| key.name),
        }
    }
}

/// A help text without its part `[name: …]`, and what stands in that part.
fn without(help: &str, name: &str) -> (String, Option<String>) {
    let mark = format!(" [{name}: ");
    let Some((before, rest)) = help.split_once(&mark) else {
        return (help.to_owned(), None);
    };
    let (inside, after) = rest.split_once(']').unwrap_or((rest, ""));
    (format!("{before}{after}"), Some(inside.to_owned()))
}

fn table(page: &mut String, columns: &[&str], rows: Vec<Vec<String>>) {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    page.push_str(&line(&columns));
    page.push_str(&line(&vec!["---".to_owned(); columns.len()]));
    for row in rows {
        let escaped: Vec<String> = row.iter().map(|cell| in_a_cell(cell)).collect();
        page.push_str(&line(&escaped));
    }
}

/// A text as a cell shows it: `|` would end the cell, and `*` and `<` mean something outside code.
fn in_a_cell(text: &str) -> String {
    let mut is_code = false;
    let mut cell = String::new();
    for letter in text.chars() {
        is_code ^= letter == '`';
        if letter == '|' || (!is_code && matches!(letter, '*' | '<' | '[')) {
            cell.push('\\');
        }
        cell.push(if letter == '\n' { ' ' } else { letter });
    }
    cell.trim().to_owned()
}
