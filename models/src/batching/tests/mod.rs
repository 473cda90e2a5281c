mod admission;
mod crew;
mod fairness;
mod faults;
mod language;
mod real_time;
mod requests;
mod schedules;
