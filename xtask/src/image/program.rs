//! A binary that goes into the image: for which processor it is, that it needs no other file, and what was linked
//! into it. All of that is read from the file, since a binary may come from anywhere.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use object::{
    Endianness, Object as _, ObjectSection as _, elf,
    read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _},
};

use crate::architecture::Architecture;

/// How the C library of GNU introduces itself.
const C_LIBRARY: &[u8] = b"GNU C Library (";

/// How rustc signs what it compiles.
const COMPILER: &str = "rustc version ";

/// A binary.
#[derive(Clone, Debug)]
pub struct Program {
    /// The processor.
    pub architecture: Architecture,
    /// The file.
    pub bytes: Vec<u8>,
    /// How the C library in it introduces itself, if it does.
    pub c_library: Option<String>,
    /// The version of rustc, and so of Rust's standard library, if the file says.
    pub rust: Option<String>,
}

impl Program {
    /// Reads a binary.
    ///
    /// # Errors
    /// It cannot be read, is no program of a known processor, or needs other files to run.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        Self::parse(bytes).with_context(|| format!("{} cannot be packed", path.display()))
    }

    fn parse(bytes: Vec<u8>) -> Result<Self> {
        let file = ElfFile64::<Endianness>::parse(bytes.as_slice()).context(
            "it is not an ELF program of 64 bits: give the path of a Copilot binary for Linux",
        )?;
        let endian = file.endian();
        let header = file.elf_header();
        let architecture = match header.e_machine(endian) {
            elf::EM_X86_64 => Architecture::Amd64,
            elf::EM_AARCH64 => Architecture::Arm64,
            other => bail!(
                "it is for the processor number {other} of ELF: images are made for amd64 and arm64"
            ),
        };
        let kind = header.e_type(endian);
        ensure!(
            kind == elf::ET_EXEC || kind == elf::ET_DYN,
            "it is an ELF file of type {kind}, not a program"
        );
        let needs_loader = file
            .elf_program_headers()
            .iter()
            .any(|part| part.p_type(endian) == elf::PT_INTERP);
        ensure!(
            !needs_loader,
            "it is linked dynamically, and the image holds no libraries: build it with `cargo xtask build`"
        );
        let comments = file.section_by_name(".comment");
        let comments = comments.and_then(|section| section.data().ok());
        let rust = comments.and_then(compiler);
        let c_library = c_library(&bytes);
        Ok(Self {
            architecture,
            bytes,
            c_library,
            rust,
        })
    }
}

/// The version of rustc that signed the comments, which end with a zero each.
fn compiler(comments: &[u8]) -> Option<String> {
    comments.split(|byte| *byte == 0).find_map(|comment| {
        let comment = std::str::from_utf8(comment).ok()?;
        let version = comment.strip_prefix(COMPILER)?.split(' ').next()?;
        Some(version.to_owned())
    })
}

/// The line with which the C library in a program introduces itself.
fn c_library(bytes: &[u8]) -> Option<String> {
    let at = bytes
        .windows(C_LIBRARY.len())
        .position(|window| window == C_LIBRARY)?;
    let line = bytes[at..].split(|byte| *byte == b'\n' || *byte == 0);
    let line = std::str::from_utf8(line.into_iter().next()?).ok()?;
    (line.len() < 200).then(|| line.trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest ELF file with one program header.
    fn elf(machine: u16, kind: u16, part: u32) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\0");
        bytes[16..18].copy_from_slice(&kind.to_le_bytes());
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[20] = 1;
        bytes[32] = 64; // where the program headers begin
        bytes[52] = 64; // the size of this header
        bytes[54] = 56; // the size of a program header
        bytes[56] = 1; // how many there are
        bytes[64..68].copy_from_slice(&part.to_le_bytes());
        bytes
    }

    #[test]
    fn a_static_program_is_taken_for_both_processors() {
        for (machine, expected) in [
            (elf::EM_X86_64, Architecture::Amd64),
            (elf::EM_AARCH64, Architecture::Arm64),
        ] {
            let program =
                Program::parse(elf(machine, elf::ET_DYN, elf::PT_LOAD)).expect("it is static");
            assert_eq!(program.architecture, expected);
        }
    }

    #[test]
    fn what_would_not_run_in_the_image_is_refused_with_the_reason() {
        let cases = [
            (b"#!/bin/sh\n".to_vec(), "not an ELF program"),
            (
                elf(elf::EM_RISCV, elf::ET_DYN, elf::PT_LOAD),
                "amd64 and arm64",
            ),
            (
                elf(elf::EM_X86_64, elf::ET_REL, elf::PT_LOAD),
                "not a program",
            ),
            (
                elf(elf::EM_X86_64, elf::ET_DYN, elf::PT_INTERP),
                "cargo xtask build",
            ),
        ];
        for (bytes, words) in cases {
            let error = format!("{:#}", Program::parse(bytes).expect_err(words));
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Program::read(Path::new("/nonexistent/copilot")).expect_err("no such file");
        assert!(format!("{error:#}").contains("/nonexistent/copilot"));
    }

    #[test]
    fn what_was_linked_into_a_program_is_read_from_it() {
        let comments = b"Linker: LLD 22\0rustc version 1.95.0 (598 2026-04-14)\0GCC: 12\0";
        assert_eq!(compiler(comments).as_deref(), Some("1.95.0"));
        assert_eq!(compiler(b"GCC: 12\0"), None);
        let text = b"\0GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\nCopyright";
        assert_eq!(
            c_library(text).as_deref(),
            Some("GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36")
        );
        assert_eq!(c_library(b"musl"), None);
    }
}
