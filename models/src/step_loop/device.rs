//! What the engines of one device share.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::batching::{Admission, AdmissionSettings, Grant, Member, Refusal, Tenant};

/// A device and what its engines have promised. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Device {
    admission: Arc<Mutex<Admission>>,
}

/// The right to one stream on some engines, given back when dropped. A call asks once for its hearing and its
/// speaking, and its streams share the grant.
#[derive(Debug)]
pub struct HeldGrant {
    grant: Option<Grant>,
    tenant: Tenant,
    device: Device,
}

impl Device {
    /// A device without engines.
    #[must_use]
    pub fn new(settings: AdmissionSettings) -> Self {
        Self { admission: Arc::new(Mutex::new(Admission::new(settings))) }
    }

    /// One stream on each of `members`, or nothing.
    ///
    /// # Errors
    /// [`Refusal`], which says what is full.
    pub fn grant(&self, tenant: Tenant, members: &[Member]) -> Result<Arc<HeldGrant>, Refusal> {
        let grant = self.admission.lock().grant(tenant, members)?;
        Ok(Arc::new(HeldGrant { grant: Some(grant), tenant, device: self.clone() }))
    }

    /// The part of the time that the device is busy if all its streams are ready at once; none where an engine
    /// was not measured for as many.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        self.admission.lock().share(&[])
    }

    pub(super) fn add(&self, slots: usize, periods: &[Duration]) -> Member {
        self.admission.lock().add(slots, periods)
    }

    pub(super) fn set_pace(&self, member: Member, pace: usize) {
        self.admission.lock().set_pace(member, pace);
    }

    pub(super) fn record_at(&self, member: Member, pace: usize, rows: usize, took: Duration) {
        self.admission.lock().record_at(member, pace, rows, took);
    }

    pub(super) fn set_ready(&self, member: Member, ready: bool) {
        self.admission.lock().set_ready(member, ready);
    }

    pub(super) fn record(&self, member: Member, rows: usize, took: Duration) {
        self.admission.lock().record(member, rows, took);
    }

    pub(super) fn forget(&self, member: Member) {
        self.admission.lock().forget(member);
    }

    pub(super) fn limit(&self, member: Member, slots: usize) {
        self.admission.lock().limit(member, slots);
    }
}

impl HeldGrant {
    pub(super) fn tenant(&self) -> Tenant {
        self.tenant
    }
}

impl Drop for HeldGrant {
    fn drop(&mut self) {
        if let Some(grant) = self.grant.take() {
            self.device.admission.lock().release(grant);
        }
    }
}
