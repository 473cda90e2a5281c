//! What the machine can do at best: the two sides of its roofline (Williams et al., CACM 2009).

use std::time::Instant;

use candle_core::{DType, Device, Result, Tensor};

use crate::report::Report;

pub(crate) fn measure(device: &Device, report: &mut Report) {
    let machine = &mut report.machine;
    machine.processor = match device {
        Device::Cpu => "processor".into(),
        other => format!("{:?}", other.location()),
    };
    machine.threads = std::thread::available_parallelism().map_or(1, usize::from);
    machine.bandwidth_gb = bandwidth(device).expect("copies") / 1e9;
    machine.f32_gflop = product(device, DType::F32).expect("multiplies") / 1e9;
    machine.bf16_gflop = product(device, DType::BF16).expect("multiplies") / 1e9;
}

/// The best of a few times, in seconds, with the device's work done.
pub(crate) fn best(device: &Device, times: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    work()?;
    device.synchronize()?;
    let mut best = f64::MAX;
    for _ in 0..times {
        let started = Instant::now();
        work()?;
        device.synchronize()?;
        best = best.min(started.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// Bytes read and written in a second, of arrays that no cache holds.
fn bandwidth(device: &Device) -> Result<f64> {
    let megabytes = if device.is_cuda() { 2_048 } else { 256 };
    let count = megabytes * 250_000;
    let (from, to) = (Tensor::ones(count, DType::F32, device)?, Tensor::zeros(count, DType::F32, device)?);
    let took = best(device, 5, || to.slice_set(&from, 0, 0))?;
    Ok(2.0 * 4.0 * count as f64 / took)
}

fn product(device: &Device, dtype: DType) -> Result<f64> {
    let size = match (device.is_cuda(), dtype) {
        (true, _) => 8_192,
        (false, DType::F32) => 1_536,
        (false, _) => 512,
    };
    let square = Tensor::ones((size, size), dtype, device)?;
    let took = best(device, 5, || square.matmul(&square).map(drop))?;
    Ok(2.0 * (size as f64).powi(3) / took)
}

/// The processor time of this process so far: fields 14 and 15 of its `stat` file, in ticks of 10 ms.
pub(crate) fn processor_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() * 10.0
}

/// Memory that the program has now, in bytes: the device's, or the process's.
pub(crate) fn memory(device: &Device) -> f64 {
    #[cfg(feature = "cuda")]
    if device.is_cuda() {
        let (free, all) = candle_core::cuda::cudarc::driver::result::mem_get_info().unwrap_or_default();
        return (all - free) as f64;
    }
    debug_assert!(!device.is_cuda());
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<f64>().ok());
    resident.unwrap_or(0.0) * 4_096.0
}
