//! The store library as a source of credentials: it keeps and renews what it gives.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::CredentialProvider;

use super::{CredentialSource, Granted, Lifetime, credential_failure, refused_credential};
use crate::store::http::{RequestFailure, causes};

/// A provider of the library.
#[derive(Debug)]
pub(in crate::store) struct FromLibrary<T: Debug>(
    pub(in crate::store) Arc<dyn CredentialProvider<Credential = T>>,
);

#[async_trait]
impl<T: Debug + Send + Sync> CredentialSource<Arc<T>> for FromLibrary<T> {
    async fn fetch(&self) -> Result<Granted<Arc<T>>, RequestFailure> {
        let given = self.0.get_credential().await;
        let credential = given.map_err(|error| match RequestFailure::within(&error) {
            Some(failure) => refused_credential(failure.to_string(), failure),
            None => credential_failure(causes(&error)),
        })?;
        Ok(Granted {
            credential,
            lifetime: Lifetime::KeptBySource,
        })
    }
}
