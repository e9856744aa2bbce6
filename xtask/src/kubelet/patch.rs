//! The one change to kubelet: it accepts that a control file of a cgroup does not exist.
//!
//! Where cgroup v1 has the machine's controllers, the cgroup2 tree lacks `cpu.max` and `memory.max`.
//! Kubelet writes a pod's limits there, and fails when such a file does not exist. The changed library
//! skips a control file that does not exist in a cgroup that does. Where all of them exist nothing
//! changes, so the same program is used on every node.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};

use crate::command::execute;

/// The module that is changed.
pub const MODULE: &str = "github.com/opencontainers/cgroups";

/// The text that is inserted where opening the file has failed.
pub const TEXT: &str = "
\t\tif errors.Is(err, os.ErrNotExist) { // this tree lacks the controller
\t\t\tif found, failed := os.Stat(dir); failed == nil && found.IsDir() {
\t\t\t\treturn nil
\t\t\t}
\t\t}";

/// The function, and the line in it after which the text is inserted.
const FUNCTION: &str = "func WriteFile(";
const LINE: &str = "if err != nil {";

/// Copies the module and changes the copy.
pub fn copy(original: &Path, copy: &Path) -> Result<()> {
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    execute(
        std::process::Command::new("cp")
            .arg("-r")
            .arg(original)
            .arg(copy),
    )?;
    // Go's cache is read-only, and so is a copy of it.
    execute(
        std::process::Command::new("chmod")
            .args(["-R", "u+w"])
            .arg(copy),
    )?;
    let file = copy.join("file.go");
    let text = fs::read_to_string(&file)?;
    fs::write(&file, changed(&text)?)?;
    Ok(())
}

fn changed(text: &str) -> Result<String> {
    let function = text
        .find(FUNCTION)
        .context("the library has no function WriteFile")?;
    let line = text[function..]
        .find(LINE)
        .context("its WriteFile does not contain the line to change")?;
    let end = text[function..]
        .find("\n}")
        .context("the end of its WriteFile was not found")?;
    ensure!(
        line < end,
        "its WriteFile does not contain the line to change"
    );
    let at = function + line + LINE.len();
    Ok(format!("{}{TEXT}{}", &text[..at], &text[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_failure_of_write_file_is_changed() {
        let text = "func Other() {\n\tif err != nil {\n}\n\
                    func WriteFile(dir string) error {\n\tif err != nil {\n\t\treturn err\n\t}\n}\n";
        let changed = changed(text).expect("it is changed");
        let (before, after) = changed.split_once(TEXT).expect("the text is in");
        assert!(before.ends_with("error {\n\tif err != nil {"), "{before}");
        assert!(after.starts_with("\n\t\treturn err"), "{after}");
    }

    #[test]
    fn another_library_is_refused() {
        assert!(changed("func WriteFile() {\n}\n if err != nil {").is_err());
        assert!(changed("nothing").is_err());
    }
}
