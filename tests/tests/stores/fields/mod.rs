//! What Copilot needs of a store's answers: the table of `docs/stores.md`, row by row.
//!
//! Each row takes one field of one answer, leaves it out, garbles it, and sends it with two values. A
//! server in process (`server`) gives the answers, with that flaw (`answer`), and `scenario` asks for them.
//! `table` has the rows.

mod answer;
mod request;
mod scenario;
mod server;
mod table;

use std::fmt;

use answer::{Flaw, How};
use scenario::{Asker, Client};

/// What comes of an answer with a flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The same as without it.
    Works,
    /// The same, after a look at the object.
    Looks,
    /// The same, after a look at the list of parts.
    Lists,
    /// An error, which has these words.
    Refused(&'static str),
}

/// A field of an answer.
#[derive(Debug)]
struct Row {
    /// The answer, by what was asked for.
    answer: &'static str,
    clients: &'static [Client],
    field: &'static str,
    left_out: Outcome,
    /// Something that cannot be read.
    garbled: (&'static [u8], Outcome),
    /// The field comes once more, with this value.
    twice: (&'static str, Outcome),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Works => "works",
            Self::Looks => "works, by a HEAD",
            Self::Lists => "works, by a list of parts",
            Self::Refused(_) => "refused",
        })
    }
}

impl Row {
    /// The row as the document has it, without its reason.
    fn shown(&self) -> [String; 6] {
        let clients: Vec<&str> = self.clients.iter().map(|client| client.name()).collect();
        [
            self.answer.to_owned(),
            clients.join(", "),
            format!("`{}`", self.field),
            self.left_out.to_string(),
            self.garbled.1.to_string(),
            self.twice.1.to_string(),
        ]
    }

    /// What is wrong with the row, if something is.
    async fn check(&self, askers: &[Asker]) -> Vec<String> {
        let mut wrong = Vec::new();
        let hows = [
            (How::LeftOut, self.left_out),
            (How::Garbled(self.garbled.0), self.garbled.1),
            (How::Twice(self.twice.0), self.twice.1),
        ];
        let asks = |asker: &&Asker| self.clients.contains(&asker.client);
        for asker in askers.iter().filter(asks) {
            for (how, expected) in hows {
                let flaw = Flaw {
                    answer: self.answer,
                    field: self.field,
                    how,
                };
                if let Err(found) = asker.run(flaw).await.matches(expected) {
                    let (answer, field) = (self.answer, self.field);
                    let client = asker.client.name();
                    wrong.push(format!(
                        "{client}, {answer}, {field}, {how:?}: {found}, expected {expected:?}"
                    ));
                }
            }
        }
        wrong
    }
}

#[tokio::test]
async fn each_field_counts_as_the_document_says() {
    let askers = [Client::S3, Client::Google, Client::Azure, Client::Web].map(Asker::start);
    let mut wrong = Vec::new();
    for row in table::rows() {
        wrong.extend(row.check(&askers).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_document_has_the_same_rows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/stores.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once("| answer | store | field |").unwrap();
    let rows = section
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let mut documented: Vec<[String; 6]> = rows
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [answer, store, field, why, outcomes @ ..] = cells.as_slice() else {
                panic!("{line}");
            };
            assert!(!why.is_empty(), "{line}");
            let mut row = vec![*answer, *store, *field];
            row.extend(outcomes);
            let row: Vec<String> = row.into_iter().map(str::to_owned).collect();
            row.try_into().unwrap()
        })
        .collect();
    let mut tested: Vec<[String; 6]> = table::rows().iter().map(Row::shown).collect();
    documented.sort();
    tested.sort();
    for row in &tested {
        assert!(
            documented.contains(row),
            "not in the document: | {} |",
            row.join(" | ")
        );
    }
    assert_eq!(documented, tested);
}
