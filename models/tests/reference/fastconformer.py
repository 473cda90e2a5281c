"""Makes the tiny FastConformer transducer and the golden values that `speech_to_text` is tested against.

    pip install -r requirements.txt
    python fastconformer.py

It builds a random `NemotronAsrStreaming` model (transformers, see requirements.txt), and writes to `fastconformer/`:

- `model.safetensors`, `config.json`, `tokenizer.json`, `processor_config.json`: a folder as the hub has it;
- `tiny.nemo`: the same weights as NeMo packs them. The names are those of NeMo's `ConformerEncoder`, `RNNTDecoder` and
  `RNNTJoint` modules, as in transformers' `convert_nemotron_asr_streaming_to_hf.py`;
- `golden.safetensors`: audio, features, activations of each layer, logits and greedy tokens, computed offline.

The weights are wide (0.15) and no norm is one, no bias nought, so that a missing term is seen.
"""

import io
import json
import pathlib
import re
import tarfile

import numpy as np
import torch
import yaml
from safetensors.torch import save_file
from transformers import (
    NemotronAsrStreamingConfig,
    NemotronAsrStreamingEncoderConfig,
    NemotronAsrStreamingFeatureExtractor,
    NemotronAsrStreamingForRNNT,
)

HERE = pathlib.Path(__file__).parent / "fastconformer"
MEL, LEFT, LOOKAHEADS = 16, 12, [3, 4, 1, 0]
PIECES = ["<unk>"] + [f"\u2581{p}" for p in ["a", "be", "so", "half", "past", "two", "th", "we", "no", "yes"]]
PIECES += ["e", "at", "in", "ing", "re", "er", "s", "ed", "ly", "on", "y", "us", "'", ".", ",", "?", "\u2581I", "\u2581"]
PIECES += ["<EOU>", "<EOB>"]
BLANK = len(PIECES)


def audio():
    """Chirps and noise with pauses: enough to make neighbouring frames differ."""
    rng = np.random.default_rng(7)
    n = (8 * 40 + 1) * 160 + 37
    t = np.arange(n) / 16_000
    tone = 0.3 * np.sin(2 * np.pi * (200 * t + 300 * t * t)) + 0.2 * np.sin(2 * np.pi * 1_900 * t * (1 + 0.1 * np.sin(9 * t)))
    wave = (tone + 0.05 * rng.standard_normal(n)) * (np.sin(2 * np.pi * 1.3 * t) > -0.4)
    return np.round(np.clip(wave, -1, 1) * 32_000).astype(np.int16)


def features(mel, samples=None):
    speech = audio()[:samples].astype(np.float32) / 32_768
    extractor = NemotronAsrStreamingFeatureExtractor(feature_size=mel)
    return extractor(speech, sampling_rate=16_000, return_tensors="pt")["input_features"][0, : len(speech) // 160].contiguous()


def exact(mel, samples=None):
    """The same in 64 bits: in 32, the extractor itself is 2e-4 away from it where a band is nearly silent."""
    speech = torch.from_numpy(audio()[:samples].astype(np.float64) / 32_768)
    speech = torch.cat([speech[:1], speech[1:] - 0.97 * speech[:-1]])
    window = torch.hann_window(400, periodic=False, dtype=torch.float64)
    spectrum = torch.stft(speech, 512, 160, 400, window, return_complex=True, pad_mode="constant", center=True)
    filters = NemotronAsrStreamingFeatureExtractor(feature_size=mel).mel_filters.double()
    return torch.log(filters @ spectrum.abs() ** 2 + 2**-24).T[: len(speech) // 160].float().contiguous()


def model():
    torch.manual_seed(13)
    encoder = NemotronAsrStreamingEncoderConfig(
        hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=48, subsampling_conv_channels=8,
        num_mel_bins=MEL, sliding_window=LEFT + 1, default_num_lookahead_tokens=LOOKAHEADS[0], initializer_range=0.15,
    )
    config = NemotronAsrStreamingConfig(
        vocab_size=BLANK + 1, decoder_hidden_size=24, num_decoder_layers=2, blank_token_id=BLANK,
        encoder_config=encoder,
    )
    made = NemotronAsrStreamingForRNNT(config).eval()
    made.generation_config.decoder_start_token_id = BLANK
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if "norm" in name or name.endswith("bias") or ".bias_" in name:
                weight.add_(0.1 * torch.randn_like(weight))
            elif name.startswith(("decoder.", "joint.")):
                weight.mul_(4)
        made.decoder.embedding.weight[BLANK] = 0
        made.joint.head.bias[BLANK] += 3
        # Centred, so that blanks and pieces take turns.
        encoded = made.encoder(features(MEL)[None], num_lookahead_tokens=LOOKAHEADS[0]).last_hidden_state
        made.encoder_projector.weight.mul_(2)
        made.encoder_projector.bias.sub_(made.encoder_projector(encoded).mean((0, 1)))
    return made


def greedy(made, mel, lookahead):
    out = made.generate(input_features=mel, num_lookahead_tokens=lookahead, max_new_tokens=2_000)
    tokens, steps = out.sequences[0], out.durations[0]
    frames = steps.cumsum(0) - steps
    keep = [i for i in range(1, len(tokens)) if tokens[i] != BLANK]
    return tokens[keep].to(torch.int64), frames[keep].to(torch.int64)


def golden(made):
    out = {"audio": torch.from_numpy(audio().astype(np.float32)), f"features.{MEL}": features(MEL)}
    out |= {f"features.{mel}": features(mel, 8_000) for mel in (80, 128)}
    out |= {f"exact.{mel}": exact(mel, samples) for mel, samples in ((MEL, None), (80, 8_000), (128, 8_000))}
    mel = out[f"features.{MEL}"][None]
    with torch.no_grad():
        for lookahead in LOOKAHEADS:
            got = made.get_audio_features(mel, num_lookahead_tokens=lookahead, output_hidden_states=True)
            if lookahead == LOOKAHEADS[0]:
                out["subsampled"] = made.encoder.subsampling(mel)[0].contiguous()
                for layer, hidden in enumerate(got.hidden_states):
                    out[f"hidden.{layer}"] = hidden[0].clone()
            out[f"encoded.{lookahead}"] = got.last_hidden_state[0].clone()
            out[f"projected.{lookahead}"] = got.pooler_output[0].clone()
            tokens, frames = greedy(made, mel, lookahead)
            out[f"tokens.{lookahead}"], out[f"frames.{lookahead}"] = tokens, frames
            print(lookahead, len(tokens), "tokens in", got.pooler_output.shape[1], "frames", tokens[:24].tolist())
        history = torch.cat([torch.tensor([BLANK]), out[f"tokens.{LOOKAHEADS[0]}"][:12]])
        predicted = made.decoder(history[None])
        out["history"], out["predicted"] = history, predicted[0].clone()
        out["logits"] = made.joint(predicted[:, None], got.pooler_output[:, :9, None])[0].clone()
    return out


def to_nemo(name):
    rules = [
        (r"^encoder\.subsampling\.conv_in\.", "encoder.pre_encode.conv.0."),
        (r"^encoder\.subsampling\.layers\.0\.depthwise_conv\.", "encoder.pre_encode.conv.2."),
        (r"^encoder\.subsampling\.layers\.0\.pointwise_conv\.", "encoder.pre_encode.conv.3."),
        (r"^encoder\.subsampling\.layers\.1\.depthwise_conv\.", "encoder.pre_encode.conv.5."),
        (r"^encoder\.subsampling\.layers\.1\.pointwise_conv\.", "encoder.pre_encode.conv.6."),
        (r"^encoder\.subsampling\.linear\.", "encoder.pre_encode.out."),
        (r"\.conv\.norm\.", ".conv.batch_norm."),
        (r"\.([qkv])_proj\.", r".linear_\1."), (r"\.o_proj\.", ".linear_out."),
        (r"\.relative_k_proj\.", ".linear_pos."), (r"\.bias_([uv])$", r".pos_bias_\1"),
        (r"^decoder\.decoder_projector\.", "joint.pred."),
        (r"^decoder\.embedding\.", "decoder.prediction.embed."),
        (r"^decoder\.lstm\.", "decoder.prediction.dec_rnn.lstm."),
        (r"^encoder_projector\.", "joint.enc."), (r"^joint\.head\.", "joint.joint_net.2."),
    ]
    for pattern, put in rules:
        name = re.sub(pattern, put, name)
    return name


def sentencepiece():
    """A SentencePiece `ModelProto` with nothing but its pieces (field 1: piece 1, score 2, type 3)."""
    out = b""
    for index, piece in enumerate(PIECES):
        text = piece.encode()
        kind = 2 if piece == "<unk>" else 4 if piece.startswith("<E") else 1
        body = b"\x0a" + bytes([len(text)]) + text + b"\x15" + np.float32(-index).tobytes() + b"\x18" + bytes([kind])
        out += b"\x0a" + bytes([len(body)]) + body
    return out


def nemo(made):
    weights = {to_nemo(name): tensor for name, tensor in made.state_dict().items()}
    extractor = NemotronAsrStreamingFeatureExtractor(feature_size=MEL)
    weights["preprocessor.featurizer.window"] = torch.hann_window(400, periodic=False)
    weights["preprocessor.featurizer.fb"] = extractor.mel_filters[None]
    encoder = made.config.encoder_config
    config = {
        "target": "nemo.collections.asr.models.rnnt_bpe_models.EncDecRNNTBPEModel",
        "sample_rate": 16_000,
        "preprocessor": {"normalize": "NA", "window_size": 0.025, "window_stride": 0.01, "features": MEL, "n_fft": 512},
        "encoder": {
            "feat_in": MEL, "n_layers": 3, "d_model": 32, "use_bias": True, "subsampling": "dw_striding",
            "subsampling_factor": 8, "subsampling_conv_channels": 8, "causal_downsampling": True,
            "ff_expansion_factor": encoder.intermediate_size / 32, "self_attention_model": "rel_pos", "n_heads": 4,
            "att_context_size": [[LEFT, right] for right in LOOKAHEADS], "att_context_style": "chunked_limited",
            "xscaling": True, "conv_kernel_size": 9, "conv_norm_type": "layer_norm", "conv_context_size": "causal",
        },
        "decoder": {"prednet": {"pred_hidden": 24, "pred_rnn_layers": 2}, "vocab_size": BLANK},
        "joint": {"jointnet": {"joint_hidden": 24, "activation": "relu"}, "num_classes": BLANK, "vocabulary": PIECES},
        "decoding": {"strategy": "greedy_batch", "greedy": {"max_symbols": 10}},
        "tokenizer": {"type": "bpe", "model_path": "nemo:0123_tokenizer.model"},
    }
    checkpoint = io.BytesIO()
    torch.save(weights, checkpoint)
    with tarfile.open(HERE / "tiny.nemo", "w:") as tar:
        for name, data in (
            ("./model_config.yaml", yaml.safe_dump(config, allow_unicode=True).encode()),
            ("./model_weights.ckpt", checkpoint.getvalue()),
            ("./0123_tokenizer.model", sentencepiece()),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


def main():
    HERE.mkdir(exist_ok=True)
    made = model()
    made.save_pretrained(HERE)
    (HERE / "generation_config.json").unlink(missing_ok=True)
    tokenizer = {
        "version": "1.0",
        "added_tokens": [{"id": 0, "content": "<unk>", "special": True}, {"id": BLANK, "content": "<blank>", "special": True}],
        "model": {"type": "BPE", "vocab": {piece: index for index, piece in enumerate(PIECES)}, "merges": []},
    }
    (HERE / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, indent=1) + "\n")
    processor = {"supported_num_lookahead_tokens": LOOKAHEADS, "default_num_lookahead_tokens": LOOKAHEADS[0]}
    (HERE / "processor_config.json").write_text(json.dumps(processor, indent=1) + "\n")
    save_file(golden(made), HERE / "golden.safetensors")
    nemo(made)


main()
