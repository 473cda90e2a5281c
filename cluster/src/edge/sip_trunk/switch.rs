//! An address in a configuration file, or the word "off": a key that is absent there stands at its default, so
//! absence can't switch anything off.

use std::net::SocketAddr;

use serde::{Deserialize, Deserializer, Serializer};

/// Stands for no address.
const OFF: &str = "off";

pub(in crate::edge) fn serialize<S: Serializer>(
    address: &Option<SocketAddr>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match address {
        Some(address) => serializer.collect_str(address),
        None => serializer.serialize_str(OFF),
    }
}

pub(in crate::edge) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == OFF {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        serde::de::Error::custom(format_args!("\"{text}\" is neither an address with a port nor \"{OFF}\""))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    #[test]
    fn off_is_read_and_written_and_nonsense_is_told() {
        let settings: Settings = toml::from_str("tcp = \"off\"").expect("reads");
        assert_eq!((settings.udp, settings.tcp), (Settings::default().udp, None));
        let written = toml::to_string(&settings).expect("writes");
        assert!(written.contains("udp = \"0.0.0.0:5060\"\ntcp = \"off\"\ntls = \"off\"\n"), "{written}");
        assert_eq!(toml::from_str::<Settings>(&written).expect("reads"), settings);
        let told = toml::from_str::<Settings>("udp = \"5060\"").expect_err("no address").to_string();
        assert!(told.contains("\"5060\" is neither an address with a port nor \"off\""), "{told}");
    }
}
