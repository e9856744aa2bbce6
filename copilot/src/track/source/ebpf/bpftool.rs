//! The running kernel's types as `bpftool` reads them, to check our own reader.

use std::{collections::HashMap, env, path::Path, process::Command};

const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// All types, by id.
pub struct Dump {
    types: HashMap<u32, DumpedType>,
    structures: HashMap<String, u32>,
    definitions: HashMap<String, u32>,
    enumerations: HashMap<String, u32>,
    values: HashMap<(u32, String), u32>,
}

struct DumpedType {
    kind: String,
    refers: Option<u32>,
    members: Vec<DumpedMember>,
}

struct DumpedMember {
    name: String,
    of: u32,
    bits: u32,
}

impl Dump {
    /// Dumps the running kernel's types. Returns `None` and prints the reason if it cannot; in CI, as
    /// root, it panics instead.
    pub fn from_kernel() -> Option<Self> {
        let skip = |why: String| {
            let must = env::var("CI").is_ok_and(|value| value == "true")
                && rustix::process::geteuid().is_root();
            assert!(!must, "skipped in CI, where it must run: {why}");
            println!("SKIPPED: comparison with bpftool: {why}");
            None
        };
        if !Path::new(VMLINUX).exists() {
            return skip(format!("{VMLINUX} is missing"));
        }
        let arguments = ["btf", "dump", "file", VMLINUX, "format", "raw"];
        // `/usr/sbin` may be missing in PATH.
        let programs = ["bpftool", "/usr/sbin/bpftool"];
        let run = |program: &&str| Command::new(program).args(arguments).output().ok();
        let Some(output) = programs.iter().find_map(run) else {
            return skip("bpftool cannot be run".to_owned());
        };
        if !output.status.success() {
            return skip(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Some(Self::read(&String::from_utf8_lossy(&output.stdout)))
    }

    fn read(text: &str) -> Self {
        let mut dump = Self {
            types: HashMap::new(),
            structures: HashMap::new(),
            definitions: HashMap::new(),
            enumerations: HashMap::new(),
            values: HashMap::new(),
        };
        let mut current = 0;
        for line in text.lines() {
            let name = quoted(line);
            if let Some(rest) = line.strip_prefix('[') {
                let (id, rest) = rest.split_once("] ").expect("an id is in brackets");
                current = id.parse().expect("an id is a number");
                let kind = rest.split(' ').next().unwrap_or_default().to_owned();
                match kind.as_str() {
                    "STRUCT" => dump.structures.insert(name, current),
                    "ENUM" => dump.enumerations.insert(name, current),
                    "TYPEDEF" => dump.definitions.insert(name, current),
                    _ => None,
                };
                let refers = number_after(line, " type_id=");
                let members = Vec::new();
                dump.types.insert(
                    current,
                    DumpedType {
                        kind,
                        refers,
                        members,
                    },
                );
            } else if let Some(value) = number_after(line, " val=") {
                dump.values.insert((current, name), value);
            } else if let Some(of) = number_after(line, " type_id=") {
                let bits = number_after(line, " bits_offset=").unwrap_or(0);
                let found = dump
                    .types
                    .get_mut(&current)
                    .expect("a member follows its type");
                found.members.push(DumpedMember { name, of, bits });
            }
        }
        dump
    }

    /// The offset of a structure's field in bytes.
    pub fn offset(&self, structure: &str, field: &str) -> Option<u32> {
        let bits = self.bits(*self.structures.get(structure)?, field)?;
        Some(bits / 8)
    }

    /// The value of a name in an enumeration.
    pub fn value(&self, enumeration: &str, name: &str) -> Option<u32> {
        let enumeration = *self.enumerations.get(enumeration)?;
        self.values.get(&(enumeration, name.to_owned())).copied()
    }

    /// How many arguments a tracepoint's handlers take, not counting their own data.
    pub fn arguments(&self, handler: &str) -> Option<usize> {
        let pointer = self.types[self.definitions.get(handler)?].refers?;
        let function = &self.types[&self.types[&pointer].refers?];
        assert_eq!(function.kind, "FUNC_PROTO");
        Some(function.members.len() - 1)
    }

    fn bits(&self, structure: u32, field: &str) -> Option<u32> {
        self.types[&structure].members.iter().find_map(|member| {
            if member.name == field {
                return Some(member.bits);
            }
            let inner = &self.types.get(&member.of)?.kind;
            let is_anonymous = member.name == "(anon)" && (inner == "STRUCT" || inner == "UNION");
            let within = is_anonymous.then(|| self.bits(member.of, field))?;
            Some(member.bits + within?)
        })
    }
}

fn quoted(line: &str) -> String {
    line.split('\'').nth(1).unwrap_or_default().to_owned()
}

fn number_after(line: &str, key: &str) -> Option<u32> {
    let rest = line.split_once(key)?.1;
    rest.split(' ').next()?.parse().ok()
}
