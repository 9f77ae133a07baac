//! Who waits for the answer to which command.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use treasury_core::units::RequestId;
use treasury_core::{Answer, CommandError};

use super::EngineError;

/// Who waits for which answer.
#[derive(Debug, Default)]
pub struct Answers {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    closed: bool,
    requests: BTreeMap<RequestId, oneshot::Sender<Result<Answer, CommandError>>>,
}

impl Answers {
    /// Hands an answer to whoever waits for it; nobody may, after a timeout.
    pub fn give(&self, request: RequestId, answer: Result<Answer, CommandError>) {
        let waiting = self.waiting().requests.remove(&request);
        if let Some(waiting) = waiting {
            let _ = waiting.send(answer);
        }
    }

    pub(super) fn wait(this: &Arc<Self>, request: RequestId) -> Result<WaitingFor, EngineError> {
        let (sender, answer) = oneshot::channel();
        let mut waiting = this.waiting();
        if waiting.closed {
            return Err(EngineError::Stopped);
        }
        waiting.requests.insert(request, sender);
        Ok(WaitingFor { answers: Arc::clone(this), request, answer })
    }

    /// No more answers will come: everybody who waits is told.
    pub(super) fn close(&self) {
        let mut waiting = self.waiting();
        waiting.closed = true;
        waiting.requests.clear();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Insert and remove leave the map whole, whatever panics around them.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue of answers; given up when dropped.
pub(super) struct WaitingFor {
    answers: Arc<Answers>,
    request: RequestId,
    answer: oneshot::Receiver<Result<Answer, CommandError>>,
}

impl WaitingFor {
    pub(super) async fn answer(mut self) -> Result<Result<Answer, CommandError>, EngineError> {
        (&mut self.answer).await.map_err(|_| EngineError::Stopped)
    }
}

impl Drop for WaitingFor {
    fn drop(&mut self) {
        self.answers.waiting().requests.remove(&self.request);
    }
}
