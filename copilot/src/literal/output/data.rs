//! What is uploaded rather than read: blobs, schemas and structured datasets (spec §4.6; the latter
//! two are ours); or is in its place already, and its file holds the reference. The declared type goes
//! into the literal: format, dimensionality, columns.

use super::item::Item;
use super::plan::{BlobNames, BlobOutput};
use super::planner::{Data, Planner, unsupported};
use super::problem::OutputRule;
use super::view::{EntryKind, OutputView};
use crate::idl::blob_type::BlobDimensionality;
use crate::idl::{
    Blob, BlobMetadata, BlobType, Literal, LiteralType, Schema, SchemaType, StructuredDataset,
    StructuredDatasetMetadata, StructuredDatasetType, scalar,
};

impl<V: OutputView> Planner<'_, V> {
    /// A file, or a directory, as the type declares.
    pub(super) fn blob(
        &mut self,
        blob: &BlobType,
        declared: &LiteralType,
        item: &Item<'_>,
    ) -> Result<Literal, OutputRule> {
        let expected =
            BlobDimensionality::try_from(blob.dimensionality).map_err(|_| unsupported(declared))?;
        let path = || item.shown(self.view);
        match (expected, item.kind()) {
            (BlobDimensionality::Single, EntryKind::File)
            | (BlobDimensionality::Multipart, EntryKind::Directory)
            // The upload refuses them.
            | (_, EntryKind::Special(_)) => {}
            // A file with a reference stands for either.
            _ if self.data.is_referenced() => {}
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
        let uri = self.reference(item)?;
        let metadata = Some(metadata);
        Ok(scalar::Value::Blob(Blob { metadata, uri }).into())
    }

    /// A file or a directory.
    pub(super) fn schema(
        &mut self,
        schema: &SchemaType,
        item: &Item<'_>,
    ) -> Result<Literal, OutputRule> {
        let uri = self.reference(item)?;
        let r#type = Some(schema.clone());
        Ok(scalar::Value::Schema(Schema { uri, r#type }).into())
    }

    /// A file or a directory. A format that the type leaves open is what the extension says.
    pub(super) fn dataset(
        &mut self,
        dataset: &StructuredDatasetType,
        item: &Item<'_>,
    ) -> Result<Literal, OutputRule> {
        let uri = self.reference(item)?;
        let mut declared = dataset.clone();
        if declared.format.is_empty() {
            item.extension().clone_into(&mut declared.format);
        }
        let metadata = Some(StructuredDatasetMetadata {
            structured_dataset_type: Some(declared),
        });
        let dataset = StructuredDataset { uri, metadata };
        Ok(scalar::Value::StructuredDataset(Box::new(dataset)).into())
    }

    /// Notes what to upload and gives its reference; or reads the reference, where it is in its
    /// place.
    fn reference(&mut self, item: &Item<'_>) -> Result<String, OutputRule> {
        item.special(self.view)?;
        if let Data::Referenced(check) = self.data {
            return self.written_reference(item, check);
        }
        self.count(0)?;
        let remote = match self.options.blob_names {
            BlobNames::Reference => item.names.iter().map(|name| (*name).to_owned()).collect(),
            BlobNames::KeepExtension => self.segments(item)?,
        };
        let Data::Uploaded(uri) = &mut self.data else {
            return Ok(String::new());
        };
        let uri = uri(&remote);
        self.noted.blobs.push(BlobOutput {
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

    /// The names on the path to it.
    fn segments(&self, item: &Item<'_>) -> Result<Vec<String>, OutputRule> {
        let names = item.found.path.iter();
        names
            .map(|name| name.to_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| OutputRule::FileName {
                path: item.shown(self.view),
            })
    }
}
