//! Engines against real libraries and real speech.
