mod fake;
mod faults;
mod overload;
mod streams;
