mod asking;
mod fake;
mod hanging;
mod schedules;
