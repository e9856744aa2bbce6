//! Values whose data does not stand in `outputs.pb`: blobs, schemas and structured datasets (spec
//! §4.6; the latter two are ours). Their literal holds a reference and the declared type: format,
//! dimensionality, columns.
//!
//! The data either lies in the output directory and is uploaded, or main has uploaded it itself and
//! left a file that holds the reference.

use std::borrow::Cow;
use std::ffi::OsStr;

use super::draft::Draft;
use super::item::Item;
use super::plan::{BlobNames, BlobOutput};
use super::problem::{OutputRule, ReferenceRule};
use super::reference;
use super::view::{EntryKind, OutputView};
use crate::idl::blob_type::BlobDimensionality;
use crate::idl::literal_type::Type;
use crate::idl::{
    Blob, BlobMetadata, BlobType, Literal, LiteralType, Schema, SchemaType, StructuredDataset,
    StructuredDatasetMetadata, StructuredDatasetType, scalar,
};
use crate::literal::object_name::object_name;

/// The format of datasets that flytekit calls so, and the one file beneath the reference that it reads then.
const CSV: &str = "csv";
const CSV_FILE: &str = ".csv";

/// Where the data is.
pub enum Data<'a> {
    /// In the output directory. The function makes the reference of a blob from the segments of its
    /// name.
    Uploaded(&'a mut dyn FnMut(&[String]) -> String),
    /// In a store, where main has put it; the output directory holds references. The function
    /// refuses a reference that others cannot follow.
    Referenced(&'a dyn Fn(&str) -> Result<(), ReferenceRule>),
}

/// The literal of data of this type at a reference. None for a type without data.
pub fn referring(declared: &LiteralType, uri: String) -> Option<Literal> {
    let value = match declared.r#type.clone()? {
        Type::Blob(blob) => {
            let metadata = Some(BlobMetadata { r#type: Some(blob) });
            scalar::Value::Blob(Blob { metadata, uri })
        }
        Type::Schema(schema) => {
            let r#type = Some(schema);
            scalar::Value::Schema(Schema { uri, r#type })
        }
        Type::StructuredDatasetType(dataset) => {
            let metadata = Some(StructuredDatasetMetadata {
                structured_dataset_type: Some(dataset),
            });
            scalar::Value::StructuredDataset(Box::new(StructuredDataset { uri, metadata }))
        }
        _ => return None,
    };
    Some(value.into())
}

/// Makes the literals of values with data.
pub struct DataPlanner<'a, V> {
    view: &'a V,
    names: BlobNames,
    data: Data<'a>,
}

impl<'a, V: OutputView> DataPlanner<'a, V> {
    pub fn new(view: &'a V, names: BlobNames, data: Data<'a>) -> Self {
        Self { view, names, data }
    }

    /// Whether main has uploaded the data itself.
    pub fn is_referenced(&self) -> bool {
        matches!(self.data, Data::Referenced(_))
    }

    /// A file or a directory, as the type declares.
    pub fn blob(
        &mut self,
        blob: &BlobType,
        declared: &LiteralType,
        item: &Item<'_>,
        draft: &mut Draft,
    ) -> Result<Literal, OutputRule> {
        let expected = BlobDimensionality::try_from(blob.dimensionality)
            .map_err(|_| OutputRule::unsupported(declared))?;
        let path = || item.shown(self.view);
        match (expected, item.kind()) {
            (BlobDimensionality::Single, EntryKind::File)
            | (BlobDimensionality::Multipart, EntryKind::Directory)
            // The upload refuses these.
            | (_, EntryKind::Special(_)) => {}
            // A file with a reference stands for either.
            _ if self.is_referenced() => {}
            (_, EntryKind::File) => {
                return Err(OutputRule::IsFile {
                    declared: declared.to_string(),
                    path: path(),
                });
            }
            (_, EntryKind::Directory) => {
                return Err(OutputRule::IsDirectory {
                    declared: declared.to_string(),
                    path: path(),
                });
            }
        }
        let metadata = BlobMetadata {
            r#type: Some(blob.clone()),
        };
        let uri = self.reference(item, None, draft)?;
        let metadata = Some(metadata);
        Ok(scalar::Value::Blob(Blob { metadata, uri }).into())
    }

    /// A file or a directory.
    pub fn schema(
        &mut self,
        schema: &SchemaType,
        item: &Item<'_>,
        draft: &mut Draft,
    ) -> Result<Literal, OutputRule> {
        let uri = self.reference(item, None, draft)?;
        let r#type = Some(schema.clone());
        Ok(scalar::Value::Schema(Schema { uri, r#type }).into())
    }

    /// A file or a directory. If the type leaves the format open, the extension decides it. A CSV file goes where
    /// flytekit looks for it.
    pub fn dataset(
        &mut self,
        dataset: &StructuredDatasetType,
        item: &Item<'_>,
        draft: &mut Draft,
    ) -> Result<Literal, OutputRule> {
        let mut declared = dataset.clone();
        if declared.format.is_empty() {
            item.extension().clone_into(&mut declared.format);
        }
        let is_csv_file = declared.format == CSV && item.kind() == EntryKind::File;
        let uri = self.reference(item, is_csv_file.then_some(CSV_FILE), draft)?;
        let metadata = Some(StructuredDatasetMetadata {
            structured_dataset_type: Some(declared),
        });
        let dataset = StructuredDataset { uri, metadata };
        Ok(scalar::Value::StructuredDataset(Box::new(dataset)).into())
    }

    /// Adds the data to the draft and makes its reference; or reads the reference that main wrote. With `below`
    /// the data lies beneath its reference, under this name.
    fn reference(
        &mut self,
        item: &Item<'_>,
        below: Option<&str>,
        draft: &mut Draft,
    ) -> Result<String, OutputRule> {
        item.special(self.view)?;
        if let Data::Referenced(check) = self.data {
            let reference = self.written_reference(item, check)?;
            draft.count(reference.len() as u64)?;
            return Ok(reference);
        }
        let names = match self.names {
            BlobNames::Reference => item.names.clone(),
            BlobNames::KeepExtension => self.segments(item)?,
        };
        let remote = names.into_iter().map(object_name);
        let mut remote: Vec<String> = remote.map(Cow::into_owned).collect();
        let Data::Uploaded(uri) = &mut self.data else {
            return Ok(String::new());
        };
        let uri = uri(&remote);
        remote.extend(below.map(str::to_owned));
        // Twice: the plan keeps the path and the name beside the reference.
        draft.count(2 * uri.len() as u64)?;
        draft.add_blob(BlobOutput {
            variable: item.names.first().copied().unwrap_or_default().to_owned(),
            path: item.found.path.clone(),
            kind: if item.is_directory() {
                BlobDimensionality::Multipart
            } else {
                BlobDimensionality::Single
            },
            size: item.found.entry.size,
            remote,
        });
        Ok(uri)
    }

    /// The reference that a file holds.
    fn written_reference(
        &self,
        item: &Item<'_>,
        check: &dyn Fn(&str) -> Result<(), ReferenceRule>,
    ) -> Result<String, OutputRule> {
        let refused = |rule| OutputRule::Reference {
            path: item.shown(self.view),
            rule,
        };
        if item.is_directory() {
            return Err(refused(ReferenceRule::Directory));
        }
        let content = match item.content(self.view, reference::LONGEST, String::new) {
            Err(OutputRule::TooLarge { size, limit, .. }) => {
                return Err(refused(ReferenceRule::TooLong { size, limit }));
            }
            content => content?,
        };
        let text = reference::read(content).map_err(refused)?;
        check(text).map_err(refused)?;
        Ok(text.to_owned())
    }

    /// The names on the path to the data.
    fn segments<'i>(&self, item: &'i Item<'_>) -> Result<Vec<&'i str>, OutputRule> {
        let names = item.found.path.iter();
        names
            .map(OsStr::to_str)
            .collect::<Option<_>>()
            .ok_or_else(|| OutputRule::FileName {
                path: item.shown(self.view),
            })
    }
}
