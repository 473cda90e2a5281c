//! Samples and floats as bytes, little-endian.

/// Bytes that are no whole number of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes are no whole number of values of {each} bytes")]
pub(in crate::remote) struct Misshapen {
    bytes: usize,
    each: usize,
}

pub(in crate::remote) fn bytes_of(samples: &[i16]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(samples.len() * 2);
    for sample in samples {
        bytes.extend_from_slice(&sample.to_le_bytes());
    }
    bytes
}

pub(in crate::remote) fn samples_of(bytes: &[u8]) -> Result<Vec<i16>, Misshapen> {
    let (values, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Misshapen { bytes: bytes.len(), each: 2 });
    }
    Ok(values.iter().map(|value| i16::from_le_bytes(*value)).collect())
}

pub(in crate::remote) fn floats_of(bytes: &[u8]) -> Result<Vec<f32>, Misshapen> {
    let (values, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Misshapen { bytes: bytes.len(), each: 4 });
    }
    Ok(values.iter().map(|value| f32::from_le_bytes(*value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_keep_their_values_and_halves_are_refused() {
        let samples = [0, 1, -1, i16::MAX, i16::MIN];
        assert_eq!(samples_of(&bytes_of(&samples)).expect("whole"), samples);
        let told = samples_of(&[1, 2, 3]).expect_err("a half").to_string();
        assert_eq!(told, "3 bytes are no whole number of values of 2 bytes");
        assert!(floats_of(&[0; 6]).is_err());
        assert_eq!(floats_of(&1.5_f32.to_le_bytes()).expect("whole"), [1.5]);
    }
}
