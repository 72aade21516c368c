//! The account's suppression list of SES.

use aws_sdk_sesv2::operation::delete_suppressed_destination::DeleteSuppressedDestinationError;

use super::Aws;
use crate::fault::{Dependency, Fault};

impl Aws {
    /// Takes an address off the list. Returns whether it was there.
    ///
    /// # Errors
    ///
    /// SES refuses, or cannot be reached.
    pub async fn unsuppress(&self, address: &str) -> Result<bool, Fault> {
        let call = self.ses().delete_suppressed_destination();
        let Err(error) = call.email_address(address).send().await else {
            return Ok(true);
        };
        let missing = error
            .as_service_error()
            .is_some_and(DeleteSuppressedDestinationError::is_not_found_exception);
        if missing {
            return Ok(false);
        }
        let operation = "DeleteSuppressedDestination";
        Err(Fault::from_sdk(Dependency::Provider, operation, &error))
    }
}
