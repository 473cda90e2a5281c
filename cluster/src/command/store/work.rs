//! Work that takes longer than an answer: begun, and waited for.

use std::time::Duration;

use crate::command::Error;
use crate::command::access::Access;
use crate::operator::{Answer, Job, JobOutcome, Request};

/// How often it is asked whether it is over.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Has work done, and waits for what comes of it.
pub(super) async fn done(access: &Access, job: Job) -> Result<JobOutcome, Error> {
    let Answer::JobStarted { number } = access.ask(Request::StartJob(job)).await? else {
        return Err(Error::OtherAnswer);
    };
    loop {
        match access.ask(Request::Job { number }).await? {
            Answer::JobGoesOn => tokio::time::sleep(LOOK_EVERY).await,
            Answer::JobDone(outcome) => return Ok(outcome),
            _ => return Err(Error::OtherAnswer),
        }
    }
}
