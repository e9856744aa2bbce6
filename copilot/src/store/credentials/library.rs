//! The store library as a source of credentials: it keeps and renews what it gives.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::CredentialProvider;

use super::{CredentialSource, Granted, Lifetime, credential_failure};
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
        let credential = given.map_err(|error| {
            let cause =
                RequestFailure::within(&error).map_or_else(|| causes(&error), ToString::to_string);
            credential_failure(cause)
        })?;
        Ok(Granted {
            credential,
            lifetime: Lifetime::KeptBySource,
        })
    }
}
