//! `copilot inspect` and `copilot make`: documents of the platform, shown and made.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::conclude::{RunExit, last_line};
use super::print;
use super::report_file::{ReportFile, ReportFileError};
use super::request::Global;
use super::session::{Session, SessionError};
use crate::describe::{
    self, DescribeError, Document, DocumentForm, InspectRequest, MakeError, MakeRequest, Source,
    SourceError, read_file,
};
use crate::store::{Reference, ReferenceError};
use crate::termination::Termination;
use crate::transfer::{CopyError, Stop};

/// The most bytes of a document: the same as of an input message.
const LARGEST: u64 = 64 << 20;

/// Why a document cannot be shown or made.
#[derive(Debug, Error)]
enum DocumentError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    #[error(transparent)]
    Read(#[from] CopyError),
    #[error("{name}: {cause}")]
    Document {
        name: String,
        #[source]
        cause: DescribeError,
    },
    #[error(transparent)]
    Make(#[from] MakeError),
    #[error("--to {path}: {cause}")]
    Write {
        path: String,
        #[source]
        cause: Box<ReportFileError>,
    },
}

/// Shows a document on standard output.
pub(super) async fn inspect(
    global: &Global,
    request: &InspectRequest,
    termination: &mut Termination,
) -> RunExit {
    match shown(global, request, termination).await {
        Ok(text) => print(&text),
        Err(error) => fail(&error),
    }
}

async fn shown(
    global: &Global,
    request: &InspectRequest,
    termination: &mut Termination,
) -> Result<String, DocumentError> {
    let source = Source::of(&request.source)?;
    let bytes = match &source {
        Source::File(path) => read_file(path)?,
        Source::StandardInput => read_file(Path::new("-"))?,
        Source::Bytes(bytes) => bytes.clone(),
        Source::Object(reference) => fetch(global, reference, termination).await?,
    };
    let document = Document::decode(&bytes, source.name(), request.kind);
    let document = document.map_err(|cause| DocumentError::Document {
        name: match source {
            Source::Bytes(_) => "the base64".to_owned(),
            Source::StandardInput => "standard input".to_owned(),
            _ => request.source.clone(),
        },
        cause,
    })?;
    Ok(match request.form {
        DocumentForm::Words => document.in_words(),
        DocumentForm::Json => format!("{:#}\n", document.to_json()),
        DocumentForm::Yaml => document.to_yaml(),
    })
}

/// Reads an object, until a signal comes.
async fn fetch(
    global: &Global,
    reference: &str,
    termination: &mut Termination,
) -> Result<Vec<u8>, DocumentError> {
    let session = Session::for_people(global)?;
    let reference = Reference::parse(reference)?;
    let stop = Stop::default();
    let mut read = Box::pin(session.engine.read(&reference, LARGEST, &stop));
    let bytes = tokio::select! {
        bytes = &mut read => bytes,
        () = termination.received() => {
            stop.cancel();
            read.await
        }
    };
    Ok(bytes?.to_vec())
}

/// Makes a document: bytes into a file, or base64 on standard output.
pub(super) fn make(request: &MakeRequest) -> RunExit {
    match made(request) {
        Ok(text) => print(&text),
        Err(error) => fail(&error),
    }
}

fn made(request: &MakeRequest) -> Result<String, DocumentError> {
    let bytes = describe::make(request)?.encode();
    let Some(path) = &request.to else {
        return Ok(format!("{}\n", STANDARD.encode(bytes)));
    };
    let written = ReportFile::at(path).replace(&bytes);
    written.map_err(|cause| DocumentError::Write {
        path: path.display().to_string(),
        cause: Box::new(cause),
    })?;
    Ok(String::new())
}

fn fail(error: &DocumentError) -> RunExit {
    last_line(&error.to_string(), None);
    RunExit::Failed
}
