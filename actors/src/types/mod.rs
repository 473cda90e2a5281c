//! ◇ The words of the business: values that every part understands, with no behaviour that needs a clock,
//! a socket or a store.

mod appointment;
mod arrival;
mod attestation;
mod business;
mod call_record;
mod call_time;
mod email_address;
mod hand_over;
mod ids;
mod life;
mod message;
mod phone_number;
mod private;
mod tool;
mod user;

pub use appointment::{Booking, BookingState, Contact, Slot};
pub use arrival::{
    Anonymous, Arrival, Arrived, CallBack, CallBackNote, CallBackResult, Callee, Forwarding, Line,
    NumberPattern, RingFirst, RingWhen, Route, Screening, Spam, SpamSign, Turned,
};
pub use attestation::{Attestation, Distrust};
pub use business::{
    Announcement, Business, Closure, Condition, DayOfWeek, Department, Destination, Faq, Hours, OpeningHours,
    Policy, Resource, Service, TransferRule,
};
pub use call_record::{
    CallEvent, CallEventKind, CallQuality, CallRecord, CallResult, EndReason, Heading, Outcome, Speaker,
    TurnLatency,
};
pub use call_time::CallTime;
pub use email_address::EmailAddress;
pub use hand_over::HandOverOutcome;
pub use ids::{BookingId, CallId, Language, MessageId, RecordingId, ResourceId, ServiceId, TenantId, UserId};
pub use life::{Holder, Life};
pub use message::{Message, Urgency};
pub use phone_number::PhoneNumber;
pub use private::Private;
pub use tool::{ToolCall, ToolOutcome, ToolStep, Window};
pub use user::{Role, User};
