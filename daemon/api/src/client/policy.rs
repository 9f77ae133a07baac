//! What people ask about a policy.

use super::{Client, ClientError};
use crate::operations::calls;
use crate::types::{
    ActivateRequest, ActivatedView, ConfirmRequest, ConfirmedView, DestinationsView, ExplainRequest,
    ExplainView, PolicyCheckView, PolicyRequest, PolicyShadowView, PolicyTestRequest, PolicyTestView,
    ProveRequest, ProveView,
};

impl Client {
    /// The address book, and who of it is known.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn destinations(&self) -> Result<DestinationsView, ClientError> {
        self.read(calls::DESTINATIONS).await
    }

    /// Says that an entry of the address book is whose it is said to be.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn confirm_destination(
        &self,
        address: &str,
        reason: &str,
    ) -> Result<ConfirmedView, ClientError> {
        let asked = ConfirmRequest { address: address.to_owned(), reason: reason.to_owned() };
        self.call(calls::CONFIRM_DESTINATION, "", &asked).await
    }

    /// What is wrong with a table of rules, and what of it is hardly meant.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn policy_check(&self, asked: &PolicyRequest) -> Result<PolicyCheckView, ClientError> {
        self.call(calls::POLICY_CHECK, "", asked).await
    }

    /// What policy would say of a payment, and why.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn policy_explain(&self, asked: &ExplainRequest) -> Result<ExplainView, ClientError> {
        self.call(calls::POLICY_EXPLAIN, "", asked).await
    }

    /// What another table would have said of what was proposed.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn policy_test(&self, asked: &PolicyTestRequest) -> Result<PolicyTestView, ClientError> {
        self.call(calls::POLICY_TEST, "", asked).await
    }

    /// Whether a table can let something happen.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn policy_prove(&self, asked: &ProveRequest) -> Result<ProveView, ClientError> {
        self.call(calls::POLICY_PROVE, "", asked).await
    }

    /// What the second policy said beside the one in force.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn policy_shadow(&self) -> Result<PolicyShadowView, ClientError> {
        self.call(calls::POLICY_SHADOW, "", &()).await
    }

    /// Wants the table in force that waits.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn policy_activate(&self, policy: &str, reason: &str) -> Result<ActivatedView, ClientError> {
        let asked = ActivateRequest { policy: policy.to_owned(), reason: reason.to_owned() };
        self.call(calls::POLICY_ACTIVATE, "", &asked).await
    }
}
