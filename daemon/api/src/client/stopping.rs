//! What stops something, and what lifts that, from the other side.

use super::{Client, ClientError};
use crate::operations::calls;
use crate::types::{
    AcknowledgeRequest, ClearRequest, CloseBreakerRequest, DoneView, FlagDestinationRequest, FreezeRequest,
    LiftRequest, LiftedView, PanicView, ReasonRequest, StoppedView, StopsView, UnfreezeRequest,
};

impl Client {
    /// Puts a hold on a proposal or its escrow.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn flag(&self, id: &str, reason: &str) -> Result<StoppedView, ClientError> {
        self.call(calls::FLAG, id, &ReasonRequest { reason: reason.to_owned() }).await
    }

    /// Lifts the one hold on a proposal or its escrow.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn clear(&self, id: &str, reason: &str) -> Result<LiftedView, ClientError> {
        self.call(calls::CLEAR, id, &ClearRequest { reason: reason.to_owned() }).await
    }

    /// Sends the void of a proposal.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn void(&self, id: &str, reason: &str) -> Result<DoneView, ClientError> {
        self.call(calls::VOID, id, &ReasonRequest { reason: reason.to_owned() }).await
    }

    /// Holds back whatever pays an account.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn flag_destination(
        &self,
        destination: &str,
        reason: &str,
    ) -> Result<StoppedView, ClientError> {
        let asked = FlagDestinationRequest { destination: destination.to_owned(), reason: reason.to_owned() };
        self.call(calls::FLAG_DESTINATION, "", &asked).await
    }

    /// Stops everything, and takes back what can be taken back.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn panic(&self, reason: &str) -> Result<PanicView, ClientError> {
        self.call(calls::PANIC, "", &ReasonRequest { reason: reason.to_owned() }).await
    }

    /// What must not leave and why.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn stops(&self) -> Result<StopsView, ClientError> {
        self.read(calls::STOPS).await
    }

    /// Lifts stops by their ids, all of them or none.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn lift(&self, stops: &[String], reason: &str) -> Result<LiftedView, ClientError> {
        let asked = LiftRequest { stops: stops.to_vec(), reason: reason.to_owned() };
        self.call(calls::LIFT, "", &asked).await
    }

    /// Says that findings were looked at, and what came of it.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn acknowledge(&self, findings: &[String], reason: &str) -> Result<DoneView, ClientError> {
        let asked = AcknowledgeRequest { findings: findings.to_vec(), reason: reason.to_owned() };
        self.call(calls::ACKNOWLEDGE, "", &asked).await
    }

    /// Freezes one account, or everything.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn freeze(&self, account: Option<&str>, reason: &str) -> Result<StoppedView, ClientError> {
        let asked = FreezeRequest { account: account.map(str::to_owned), reason: reason.to_owned() };
        self.call(calls::FREEZE, "", &asked).await
    }

    /// Lifts the one freeze that stands on an account, or on everything.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn unfreeze(&self, account: Option<&str>, reason: &str) -> Result<LiftedView, ClientError> {
        let asked = UnfreezeRequest { account: account.map(str::to_owned), reason: reason.to_owned() };
        self.call(calls::UNFREEZE, "", &asked).await
    }

    /// Lets automated submissions go on, of one account or of every one.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn close_breaker(&self, account: Option<&str>) -> Result<DoneView, ClientError> {
        let asked = CloseBreakerRequest { account: account.map(str::to_owned) };
        self.call(calls::CLOSE_BREAKER, "", &asked).await
    }
}
