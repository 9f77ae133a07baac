//! What people are told, from the other side.

use super::{Client, ClientError};
use crate::operations::calls;
use crate::types::{
    AcknowledgeNoticesRequest, AlertView, ChannelView, DeliveriesQuery, DeliveryView, DoneView,
    RedeliverRequest, RedeliveredView, TestChannelRequest, TestedView,
};

impl Client {
    /// Where notices go.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn channels(&self) -> Result<Vec<ChannelView>, ClientError> {
        self.read(calls::CHANNELS).await
    }

    /// Puts a test message into a channel.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn test_channel(&self, channel: &str) -> Result<TestedView, ClientError> {
        let asked = TestChannelRequest { channel: channel.to_owned() };
        self.call(calls::TEST_CHANNEL, "", &asked).await
    }

    /// Notices and how far each channel has come with them, newest first.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn deliveries(&self, asked: &DeliveriesQuery) -> Result<Vec<DeliveryView>, ClientError> {
        self.call(calls::DELIVERIES, "", asked).await
    }

    /// Alerts that somebody has to answer, and those that somebody looks after.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn alerts(&self) -> Result<Vec<AlertView>, ClientError> {
        self.read(calls::ALERTS).await
    }

    /// Says that whoever asks looks after what notices told of.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn acknowledge_notices(
        &self,
        notices: &[String],
        reason: &str,
    ) -> Result<DoneView, ClientError> {
        let asked = AcknowledgeNoticesRequest { notices: notices.to_vec(), reason: reason.to_owned() };
        self.call(calls::ACKNOWLEDGE_NOTICES, "", &asked).await
    }

    /// Sends again what was delivered or given up.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn redeliver(&self, asked: &RedeliverRequest) -> Result<RedeliveredView, ClientError> {
        self.call(calls::REDELIVER, "", asked).await
    }
}
