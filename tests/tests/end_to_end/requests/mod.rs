//! The effect of settings: each key in each spelling, from flags, files and environment, checked in the
//! requests of the built program. The store is a server on loopback. If a key leads to a public host, a
//! proxy on loopback records the request instead.

mod amazon;
mod keys;
mod others;
mod platforms;

use std::fs;
use std::thread;

use copilot_tests::binary::{self, Ended};
use copilot_tests::recorder::{Asked, Recorder};

/// Settings, and the request that they cause. In all texts `HOST` stands for the server, `PORT` for its
/// port and `DIR` for a directory of this row.
struct Row {
    /// Root flags, separated by white space.
    arguments: String,
    /// Files below the directory.
    files: &'static [(&'static str, &'static str)],
    variables: &'static [(&'static str, &'static str)],
    /// Where the inputs are.
    from: &'static str,
    /// [`shown`] of the request for the inputs.
    sees: &'static str,
}

impl Row {
    fn new(arguments: impl Into<String>, sees: &'static str) -> Self {
        Self {
            arguments: arguments.into(),
            files: &[],
            variables: &[],
            from: "s3://data/t",
            sees,
        }
    }

    fn files(self, files: &'static [(&'static str, &'static str)]) -> Self {
        Self { files, ..self }
    }

    fn variables(self, variables: &'static [(&'static str, &'static str)]) -> Self {
        Self { variables, ..self }
    }

    fn sees(self, sees: &'static str) -> Self {
        Self { sees, ..self }
    }

    fn from(self, from: &'static str) -> Self {
        Self { from, ..self }
    }

    /// Runs a download that finds nothing.
    fn run(&self) -> (Vec<Asked>, Ended) {
        let services = Recorder::start(|asked| match asked.line() {
            line if line.contains("/token") => (
                200,
                "{\"access_token\":\"TOKEN\",\"expires_in\":3599}".to_owned(),
            ),
            _ => (404, String::new()),
        })
        .unwrap();
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().display().to_string();
        let host = services.host();
        let (_, port) = host.split_once(':').unwrap();
        let real = |text: &str| {
            let text = text.replace("HOST", &host).replace("PORT", port);
            text.replace("DIR", &dir)
        };
        for (name, text) in self.files {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, real(text)).unwrap();
        }
        let mut command = binary::command();
        let variables = self
            .variables
            .iter()
            .map(|(name, value)| (name, real(value)));
        command
            .envs(variables)
            .args(real(&self.arguments).split_whitespace());
        let ended = binary::fail_download(&mut command, self.from, &place.path().join("in"));
        (services.asked(), ended)
    }

    fn check(&self) {
        let (asked, ended) = self.run();
        // There are other requests at the same time.
        let store = |asked: &&Asked| {
            let line = asked.line();
            line.contains("/t/inputs") || line.starts_with("CONNECT")
        };
        let seen = asked.iter().find(store).map_or_else(String::new, shown);
        let context = || format!("{}\n{}", self.arguments, ended.stderr);
        assert_eq!(seen, self.sees, "{}", context());
    }
}

/// Checks rows in parallel, since some wait for a proxy that refuses them.
fn check(rows: &[Row]) {
    thread::scope(|scope| {
        for row in rows {
            scope.spawn(|| row.check());
        }
    });
}

/// Describes a request: method, target, credentials, and other parts that depend on settings.
fn shown(asked: &Asked) -> String {
    // Google's client writes dots like this.
    let mut words = vec![asked.line().replace("%2E", ".")];
    if let Some(authorization) = asked.header("authorization") {
        let credential = authorization.split_once("Credential=");
        let parts = credential.map(|(_, rest)| rest.split('/').collect::<Vec<_>>());
        let whole = || {
            authorization
                .split(':')
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let who = parts.map_or_else(whole, |parts| format!("{} in {}", parts[0], parts[2]));
        words.push(format!("as {who}"));
    }
    for header in ["x-amz-security-token", "x-team"] {
        if let Some(value) = asked.header(header) {
            words.push(format!("{header}={value}"));
        }
    }
    words.join(" ")
}

/// The flags of the store's keys, as platforms pass them: two elements for each.
fn pairs(kind: &str, pairs: &[&str]) -> String {
    let pairs = pairs
        .iter()
        .map(|pair| format!(" --storage.stow.config {pair}"));
    format!(
        "--storage.container=data --storage.type=stow --storage.stow.kind={kind}{}",
        pairs.collect::<String>()
    )
}
