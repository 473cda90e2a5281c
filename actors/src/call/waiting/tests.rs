use std::path::Path;

use super::*;

fn write_wav(path: &Path, rate_hz: u32, channels: u16, seconds: f64) {
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate_hz,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for index in 0..(f64::from(rate_hz) * seconds) as u32 {
        let wave = (f64::from(index) / f64::from(rate_hz) * 441.0 * std::f64::consts::TAU).sin();
        (0..channels).for_each(|_| writer.write_sample((wave * 12_000.0) as i16).unwrap());
    }
    writer.finalize().unwrap();
}

fn write_opus(path: &Path, seconds: usize) {
    let mut encoder = opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Audio).unwrap();
    let mut writer = ogg::PacketWriter::new(std::fs::File::create(path).unwrap());
    let head = [&b"OpusHead"[..], &[1, 1, 0x38, 1, 0x80, 0xbb, 0, 0, 0, 0, 0]].concat();
    writer.write_packet(head, 1, ogg::PacketWriteEndInfo::EndPage, 0).unwrap();
    let tags = [&b"OpusTags"[..], &[0; 8]].concat();
    writer.write_packet(tags, 1, ogg::PacketWriteEndInfo::EndPage, 0).unwrap();
    for packet in 0..seconds * 50 {
        let wave = |at: usize| ((packet * 960 + at) as f64 * 441.0 / 48_000.0 * std::f64::consts::TAU).sin();
        let samples: Vec<i16> = (0..960).map(|at| (wave(at) * 12_000.0) as i16).collect();
        let data = encoder.encode_vec(&samples, 4_000).unwrap();
        let granule = (packet as u64 + 1) * 960;
        let last = packet + 1 == seconds * 50;
        let end =
            if last { ogg::PacketWriteEndInfo::EndStream } else { ogg::PacketWriteEndInfo::NormalPacket };
        writer.write_packet(data, 1, end, granule).unwrap();
    }
}

fn level_dbfs(samples: &[i16]) -> f64 {
    let energy: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    20.0 * ((energy / samples.len() as f64).sqrt() / 32_768.0).log10()
}

/// The largest step from one sample to the next, heard twice in a row.
fn steepest(samples: &[i16]) -> i32 {
    let twice = samples.iter().chain(samples).map(|sample| i32::from(*sample)).collect::<Vec<_>>();
    twice.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max().unwrap()
}

#[test]
fn each_business_hears_its_own_file_and_the_others_the_pattern() {
    let folder = tempfile::tempdir().unwrap();
    write_wav(&folder.path().join("barbers.wav"), 44_100, 2, 2.0);
    write_opus(&folder.path().join("garage.opus"), 3);
    let settings = Settings { folder: folder.path().to_owned(), ..Settings::default() };
    let sounds = WaitingSounds::load(&settings).unwrap();
    let of = |name: &str| sounds.of(&TenantId::new(name)).unwrap().samples.to_vec();
    for (name, seconds) in [("barbers", 2), ("garage", 3), ("florist", 6)] {
        let samples = of(name);
        assert!(samples.len().abs_diff(seconds * 8_000) < 600, "{name}: {}", samples.len());
        assert!((level_dbfs(&samples) + 32.0).abs() < 1.5, "{name}: {}", level_dbfs(&samples));
        // A tone of that level moves so much between two samples, and not more where the end meets the beginning.
        assert!(steepest(&samples) < 700, "{name} clicks: {}", steepest(&samples));
    }
    assert!(of("florist") != of("garage"));
    write_wav(&folder.path().join("default.wav"), 8_000, 1, 1.5);
    let sounds = WaitingSounds::load(&settings).unwrap();
    assert!(sounds.of(&TenantId::new("florist")).unwrap().samples.len() < 12_100);
    let off = WaitingSounds::load(&Settings { sound: Sound::Off, ..settings }).unwrap();
    assert!(off.of(&TenantId::new("barbers")).is_none());
}

#[test]
fn what_can_not_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        folder: folder.path().to_owned(),
        seconds_max: 3,
        files_max: 1,
        file_bytes_max: 1_000_000,
        ..Settings::default()
    };
    let path = folder.path().join("barbers.wav");
    let refused = |settings: &Settings| WaitingSounds::load(settings).unwrap_err().to_string();
    write_wav(&path, 8_000, 1, 0.5);
    assert!(refused(&settings).contains("barbers.wav lasts less than a second"), "{}", refused(&settings));
    write_wav(&path, 8_000, 1, 3.5);
    assert!(refused(&settings).contains("1 s to 3 s"), "{}", refused(&settings));
    write_wav(&path, 8_000, 1, 100.0);
    assert!(refused(&settings).contains("file_bytes_max allows 1000000"), "{}", refused(&settings));
    std::fs::write(&path, b"RIFFnothing").unwrap();
    assert!(refused(&settings).contains("write WAV (PCM) or Ogg/Opus"), "{}", refused(&settings));
    write_wav(&path, 8_000, 1, 2.0);
    std::fs::write(folder.path().join("notes.txt"), b"none").unwrap();
    assert!(refused(&settings).contains("more than 1 sounds"), "{}", refused(&settings));
    let missing = Settings { folder: folder.path().join("none"), ..settings };
    assert!(refused(&missing).contains("calls.call.waiting.folder"), "{}", refused(&missing));
}

#[test]
fn no_file_makes_it_fail() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { folder: folder.path().to_owned(), ..Settings::default() };
    write_opus(&folder.path().join("a.opus"), 2);
    let whole = std::fs::read(folder.path().join("a.opus")).unwrap();
    for at in (0..whole.len().min(600)).step_by(3) {
        let mut broken = whole.clone();
        broken[at] ^= 0x55;
        broken.truncate(whole.len() - at);
        std::fs::write(folder.path().join("a.opus"), broken).unwrap();
        let _ = WaitingSounds::load(&settings);
    }
}
