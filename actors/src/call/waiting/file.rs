//! Sounds from files: WAV and Ogg/Opus, to 8 kHz and one channel.

use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use models::audio::{TELEPHONE_HZ, resample};
use ogg::PacketReader;
use opus::{Channels, Decoder};

use super::{Error, Settings};

/// The longest packet of Opus, 120 ms, at 8 kHz.
const OPUS_SAMPLES_MAX: usize = 960;
/// Entries of a folder that are looked at, whatever they are.
const ENTRIES_MAX: usize = 10_000;

/// Every sound of the folder with the name before its ending, in the order of the names.
pub(super) fn read_all(settings: &Settings) -> Result<Vec<(String, Vec<i16>)>, Error> {
    let folder = &settings.folder;
    let unreadable = |why| Error::Unreadable { path: folder.clone(), why };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)?.take(ENTRIES_MAX) {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.is_file() {
            paths.push(path);
        }
    }
    if paths.len() > settings.files_max {
        return Err(Error::Many { path: folder.clone(), most: settings.files_max });
    }
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Ok((name, read(path, settings)?))
        })
        .collect()
}

fn read(path: &Path, settings: &Settings) -> Result<Vec<i16>, Error> {
    let bytes = bounded(path, settings.file_bytes_max)?;
    let most = settings.seconds_max as usize;
    let wrong = |why: String| Error::Sound { path: path.to_owned(), why };
    let samples = match path.extension().map(|ending| ending.to_ascii_lowercase()) {
        Some(ending) if ending == "wav" => wav(&bytes, most).map_err(wrong)?,
        Some(ending) if ending == "opus" || ending == "ogg" => opus_of(bytes, most).map_err(wrong)?,
        _ => return Err(wrong("its ending is none of .wav, .opus and .ogg".into())),
    };
    let rate = TELEPHONE_HZ as usize;
    let short = samples.len() < rate;
    if short || samples.len() > rate * most {
        return Err(Error::Length { path: path.to_owned(), short, most: settings.seconds_max });
    }
    Ok(samples)
}

/// The bytes of a file, however it grows while it is read.
fn bounded(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let unreadable = |why| Error::Unreadable { path: path.to_owned(), why };
    let file = fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    let count = bytes.len() as u64;
    if count > most { Err(Error::Large { path: path.to_owned(), bytes: count, most }) } else { Ok(bytes) }
}

fn wav(bytes: &[u8], seconds_max: usize) -> Result<Vec<i16>, String> {
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).map_err(|why| why.to_string())?;
    let hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format } = reader.spec();
    if !(8_000..=192_000).contains(&sample_rate) || !(1..=8).contains(&channels) {
        return Err(format!("it has {channels} channels at {sample_rate} Hz"));
    }
    // A second more than allowed is enough to tell that it is too long.
    let most = (seconds_max + 1) * sample_rate as usize * usize::from(channels);
    let samples: Vec<f32> = match sample_format {
        hound::SampleFormat::Float => {
            reader.samples::<f32>().take(most).collect::<Result<_, _>>().map_err(|why| why.to_string())?
        }
        hound::SampleFormat::Int => {
            let full = 2_f32.powi(i32::from(bits_per_sample) - 1);
            let scaled =
                reader.samples::<i32>().take(most).map(|read| read.map(|sample| sample as f32 / full));
            scaled.collect::<Result<_, _>>().map_err(|why| why.to_string())?
        }
    };
    let mono: Vec<i16> = samples
        .chunks_exact(usize::from(channels))
        .map(|all| {
            (all.iter().sum::<f32>() / f32::from(channels) * 32_767.0).clamp(-32_768.0, 32_767.0) as i16
        })
        .collect();
    Ok(resample(&mono, sample_rate, TELEPHONE_HZ))
}

/// Ogg/Opus (RFC 7845): the library brings any of it to one channel at 8 kHz.
fn opus_of(bytes: Vec<u8>, seconds_max: usize) -> Result<Vec<i16>, String> {
    let mut reader = PacketReader::new(Cursor::new(bytes));
    let mut decoder = Decoder::new(TELEPHONE_HZ, Channels::Mono).map_err(|why| why.to_string())?;
    let head = reader.read_packet().map_err(|why| why.to_string())?.ok_or("it is empty")?;
    if !head.data.starts_with(b"OpusHead")
        || head.data.get(9).is_none_or(|channels| !(1..=2).contains(channels))
    {
        return Err("it is no Ogg/Opus of one or two channels".into());
    }
    // The samples before the first, at 48 kHz.
    let lead =
        head.data.get(10..12).and_then(|two| two.first_chunk()).map_or(0, |two| u16::from_le_bytes(*two));
    let mut samples = Vec::new();
    while let Some(packet) = reader.read_packet().map_err(|why| why.to_string())? {
        if packet.data.starts_with(b"OpusTags") || packet.data.is_empty() {
            continue;
        }
        let mut out = [0; OPUS_SAMPLES_MAX];
        let count = decoder.decode(&packet.data, &mut out, false).map_err(|why| why.to_string())?;
        samples.extend_from_slice(out.get(..count).unwrap_or_default());
        if samples.len() > (seconds_max + 1) * TELEPHONE_HZ as usize {
            break;
        }
    }
    samples.drain(..usize::from(lead / 6).min(samples.len()));
    Ok(samples)
}
