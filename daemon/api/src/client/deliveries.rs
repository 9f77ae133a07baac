//! What people are told, from the other side.

use super::{Client, ClientError};
use crate::operations::calls;
use crate::types::{
    ChannelView, DeliveriesQuery, DeliveryView, RedeliverRequest, RedeliveredView, TestChannelRequest,
    TestedView,
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

    /// Sends again what was delivered or given up.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn redeliver(&self, asked: &RedeliverRequest) -> Result<RedeliveredView, ClientError> {
        self.call(calls::REDELIVER, "", asked).await
    }
}
