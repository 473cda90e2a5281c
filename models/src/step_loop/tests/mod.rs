mod canary;
mod fake;
mod faults;
mod overload;
mod pace;
mod streams;
