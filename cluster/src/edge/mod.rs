//! Where calls come in. Any transport makes the same [`actors::call::leg::Leg`].

pub mod carriers;
pub mod media;
pub mod sip_trunk;
