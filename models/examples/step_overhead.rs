//! What batching itself costs per step and per pass, without a model, in a few seconds:
//! `cargo run --release -p models --example step_overhead`. `engine_room` has the same table.

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a bench measures and prints")]

#[path = "engine_room/overhead.rs"]
mod overhead;

fn main() {
    println!("slots   step ns  per row ns   pass ns  per request ns");
    for size in overhead::SIZES {
        let (step, pass) = (overhead::step_ns(size), overhead::pass_ns(size));
        println!(
            "{size:5}  {step:8.0}  {:10.0}  {pass:8.0}  {:14.0}",
            step / size as f64,
            pass / size as f64
        );
    }
}
