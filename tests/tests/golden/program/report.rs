//! How a failure is reported: exit code, error documents, last log line; compared with the reference.

use copilot::idl::{ContainerError, container_error, execution_error::ErrorKind};
use copilot_tests::binary::Ended;
use copilot_tests::site::Site;
use copilot_tests::task::{DOCUMENTS, files};

use crate::case::Case;

/// The names under a vector's output prefix, and where that is in the store.
fn prefix(case: &Case) -> &str {
    let prefix = case.json["to_output_prefix"].as_str().unwrap();
    prefix.strip_prefix("s3://data/").unwrap()
}

/// Checks that the run succeeded, and reported no error anywhere.
pub fn succeeded(case: &Case, site: &Site, ended: &Ended) -> Result<(), String> {
    if ended.code() != 0 || !ended.message().is_empty() {
        return Err(format!("exit {}: {}", ended.code(), ended.stderr));
    }
    let left = files(&site.server.file("data", prefix(case)));
    let documents: Vec<_> = left
        .keys()
        .filter(|name| *name != "outputs.pb" && *name != "other.pb")
        .collect();
    if documents.is_empty() {
        Ok(())
    } else {
        Err(format!("a success left {documents:?}"))
    }
}

/// Checks that a failure's report contains this, and names what the reference's report names.
pub fn failed(case: &Case, site: &Site, ended: &Ended, words: &[&str]) -> Result<(), String> {
    let document = document(case, site)?;
    let said = &document.message;
    // A wrong flag is wrong usage, which no other run can mend.
    let is_usage = said.starts_with("--");
    let (code, kind, shown) = if is_usage && !said.starts_with("--interface") {
        (2, container_error::Kind::NonRecoverable, "not recoverable")
    } else {
        (1, container_error::Kind::Recoverable, "recoverable")
    };
    if ended.code() != code {
        return Err(format!("exit {}: {}", ended.code(), ended.stderr));
    }
    let named = named(case.message());
    for word in words
        .iter()
        .copied()
        .chain(named.iter().map(String::as_str))
    {
        if !said.contains(word) {
            return Err(format!("{said:?} lacks {word:?}"));
        }
    }
    // As in the reference, which says `recoverable` of every failure and never whose it is.
    let by_user = said.starts_with("User Error: ") || said.starts_with("output \"");
    let origin = if by_user {
        ErrorKind::User
    } else {
        ErrorKind::Unknown
    };
    let expected = (kind.into(), origin.into());
    if (document.kind, document.origin) != expected {
        return Err(format!("{document:?}"));
    }
    let last = ended.message();
    if last.starts_with(&format!("Error: {} ({shown}", document.code))
        && last.ends_with(said.trim_end())
    {
        Ok(())
    } else {
        Err(format!("the last words are {last:?}"))
    }
}

/// The error document, which exists under both names, or under the one in the flags.
fn document(case: &Case, site: &Site) -> Result<ContainerError, String> {
    let flags = case.json["root_flags"].as_array().unwrap();
    let given = flags.iter().position(|flag| flag == "--err-output-name");
    let names = match given {
        Some(at) => vec![flags[at + 1].as_str().unwrap()],
        None => DOCUMENTS.to_vec(),
    };
    let left = files(&site.server.file("data", prefix(case)));
    if left.keys().map(String::as_str).collect::<Vec<_>>() != names {
        return Err(format!("left {:?}, expected {names:?}", left.keys()));
    }
    let documents = names
        .iter()
        .map(|name| copilot::idl::decode_error_document(&left[*name][..]).unwrap());
    let documents: Vec<ContainerError> = documents
        .map(|document| document.error.unwrap_or_default())
        .collect();
    let theirs = case.json["error_document"]["error"]["code"].as_str();
    let first = documents[0].clone();
    let same = documents.iter().all(|document| *document == first);
    match theirs {
        Some(code) if code != first.code => Err(format!("code {}, expected {code}", first.code)),
        _ if !same => Err(format!("{documents:?}")),
        _ => Ok(first),
    }
}

/// What the reference's message names, in our form: variables quoted, references as they are.
fn named(message: &str) -> Vec<String> {
    let variables = message
        .split("variable [")
        .skip(1)
        .filter_map(|rest| rest.split_once(']'))
        .map(|(name, _)| format!("{name:?}"));
    let references = message
        .split([' ', '[', ']'])
        .filter_map(|word| word.find("s3://").map(|at| &word[at..]))
        .map(|reference| reference.trim_end_matches([':', ',', '.']).to_owned());
    variables.chain(references).collect()
}
