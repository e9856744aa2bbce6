//! The options of the program `kubelet`, as `cargo xtask kubelet` passes them.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::choice::Choice;
use super::node::{CgroupDriver, Kind};
use super::scenario::{Pids, Privilege};
use super::table::scenarios;

/// How many pods run at the same time by default.
const AT_ONCE: usize = 10;

/// The options.
#[derive(Clone, Debug)]
pub struct Options {
    /// The archive of the image with the program under test.
    pub image: PathBuf,
    /// The kubelet.
    pub kubelet: PathBuf,
    /// The folder of a containerd 2, if it is used.
    pub containerd: Option<PathBuf>,
    /// The folder of the programs of a control plane.
    pub control_plane: Option<PathBuf>,
    /// The folder for nodes and logs.
    pub directory: PathBuf,
    /// The kinds of nodes, one after the other.
    pub kinds: Vec<Kind>,
    /// The cgroup driver whose names they use; without it, each in turn.
    pub names: Option<CgroupDriver>,
    /// How often each pod runs.
    pub rounds: u32,
    /// Which pods.
    pub choice: Choice,
    /// How many pods run at the same time.
    pub at_once: usize,
    /// Whether the node is busy.
    pub load: bool,
    /// Whether logs of pods that passed are kept, too.
    pub keep: bool,
    /// The file for the results as JSON.
    pub json: Option<PathBuf>,
}

impl Options {
    /// Parses the command line.
    pub fn parse(words: &[String]) -> Result<Self> {
        let mut options = Self {
            image: PathBuf::new(),
            kubelet: PathBuf::new(),
            containerd: None,
            control_plane: None,
            directory: PathBuf::new(),
            kinds: vec![Kind::Hybrid, Kind::V2],
            names: None,
            rounds: 1,
            choice: Choice::default(),
            at_once: AT_ONCE,
            load: true,
            keep: false,
            json: None,
        };
        let mut words = words.iter().map(String::as_str);
        while let Some(name) = words.next() {
            match name {
                "--part" => options.choice.part = true,
                "--keep" => options.keep = true,
                "--no-load" => options.load = false,
                _ => {
                    let value = words
                        .next()
                        .with_context(|| format!("{name} has no value"))?;
                    options.take(name, value)?;
                }
            }
        }
        Ok(options)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "--image" => self.image = value.into(),
            "--kubelet" => self.kubelet = value.into(),
            "--containerd" => self.containerd = Some(value.into()),
            "--cluster" => {
                self.control_plane = Some(value.into());
                self.choice.cluster = true;
            }
            "--directory" => self.directory = value.into(),
            "--json" => self.json = Some(value.into()),
            "--rounds" => self.rounds = value.parse().context("--rounds")?,
            "--at-once" => self.at_once = value.parse::<usize>().context("--at-once")?.max(1),
            "--node" => {
                self.kinds = vec![one_of(name, value, &[Kind::Hybrid, Kind::V2], Kind::name)?];
            }
            "--names" => {
                let all = [CgroupDriver::Cgroupfs, CgroupDriver::Systemd];
                self.names = Some(one_of(name, value, &all, CgroupDriver::name)?);
            }
            "--privilege" => {
                let found = one_of(name, value, Privilege::ALL, Privilege::name)?;
                self.choice.privilege = Some(found);
            }
            "--pids" => self.choice.pids = Some(one_of(name, value, Pids::ALL, Pids::name)?),
            "--scenario" => {
                if !scenarios().any(|scenario| scenario.name.starts_with(value)) {
                    let all: Vec<&str> = scenarios().map(|scenario| scenario.name).collect();
                    bail!("no scenario {value}: there are {}", all.join(", "));
                }
                self.choice.scenarios.push(value.to_owned());
            }
            _ => bail!("no such option: {name}"),
        }
        Ok(())
    }

    /// The cgroup names for the nodes of a round, beginning with the usual ones for their kind.
    #[must_use]
    pub fn names_of(&self, kind: Kind, round: u32) -> CgroupDriver {
        let usual = [CgroupDriver::Cgroupfs, CgroupDriver::Systemd];
        let first = usize::from(kind == Kind::V2);
        let turn = usize::from(round.is_multiple_of(2));
        self.names.unwrap_or(usual[(first + turn) % 2])
    }
}

fn one_of<T: Copy>(name: &str, value: &str, all: &[T], called: fn(T) -> &'static str) -> Result<T> {
    let found = all.iter().copied().find(|one| called(*one) == value);
    found.with_context(|| {
        let all: Vec<&str> = all.iter().copied().map(called).collect();
        format!("{name} is one of {}", all.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_names_have_their_turn_on_each_node() {
        let options = Options::parse(&[]).expect("nothing is asked for");
        let of = |kind, round| options.names_of(kind, round);
        assert_eq!(of(Kind::Hybrid, 1), CgroupDriver::Cgroupfs);
        assert_eq!(of(Kind::V2, 1), CgroupDriver::Systemd);
        assert_eq!(of(Kind::Hybrid, 2), CgroupDriver::Systemd);
        assert_eq!(of(Kind::V2, 2), CgroupDriver::Cgroupfs);
    }

    #[test]
    fn what_nobody_knows_is_refused() {
        for words in [
            &["--node", "v3"][..],
            &["--what"],
            &["--scenario", "nothing"],
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert!(Options::parse(&words).is_err(), "{words:?}");
        }
    }
}
