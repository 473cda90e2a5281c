"""Makes a tiny smart-turn v3 and the golden values that `voice_activity/smart_turn` is tested against.

    pip install -r requirements.txt
    python smart_turn.py

The encoder is transformers' `WhisperEncoder`; pooling and classifier have the layers of `SmartTurnV3Model` in
pipecat-ai/smart-turn (train.py), and features are made and normalised as its inference.py does. It writes to
`smart_turn/`: `model.safetensors` and `golden.safetensors`.
"""

import pathlib

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

HERE = pathlib.Path(__file__).parent / "smart_turn"
SAMPLES = 8 * 16_000


class SmartTurn(nn.Module):
    def __init__(self):
        super().__init__()
        config = WhisperConfig(
            d_model=32, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=48, num_mel_bins=80,
            max_source_positions=400,
        )
        self.encoder = WhisperEncoder(config)
        self.pool_attention = nn.Sequential(nn.Linear(32, 256), nn.Tanh(), nn.Linear(256, 1))
        self.classifier = nn.Sequential(
            nn.Linear(32, 256), nn.LayerNorm(256), nn.GELU(), nn.Dropout(0.1), nn.Linear(256, 64), nn.GELU(),
            nn.Linear(64, 1),
        )

    def forward(self, features):
        frames = self.encoder(features).last_hidden_state
        weights = torch.softmax(self.pool_attention(frames), dim=1)
        return frames, torch.sigmoid(self.classifier((frames * weights).sum(1)))


def main():
    torch.manual_seed(5)
    model = SmartTurn().eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" in name or name.endswith("bias") or name.startswith("classifier.1."):
                weight.add_(0.1 * torch.randn_like(weight))
            elif "embed_positions" not in name:
                weight.copy_(0.25 * torch.randn_like(weight))
    HERE.mkdir(exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, HERE / "model.safetensors")
    rng = np.random.default_rng(3)
    t = np.arange(150_000) / 16_000
    wave = 0.3 * np.sin(2 * np.pi * (150 * t + 40 * t * t)) * (np.sin(5 * t) > -0.3) + 0.02 * rng.standard_normal(t.size)
    audio = np.round(np.clip(wave, -1, 1) * 32_000).astype(np.int16)
    golden = {"audio": torch.from_numpy(audio.astype(np.float32))}
    extractor = WhisperFeatureExtractor(chunk_length=8)
    for name, samples in (("short", audio[:50_000]), ("long", audio)):
        speech = samples.astype(np.float32)[-SAMPLES:] / 32_768
        speech = np.pad(speech, (SAMPLES - len(speech), 0))
        features = extractor(
            speech, sampling_rate=16_000, return_tensors="pt", padding="max_length", max_length=SAMPLES,
            truncation=True, do_normalize=True,
        ).input_features
        with torch.no_grad():
            frames, probability = model(features)
        golden[f"{name}.features"] = features[0, 3:].flatten()[::7].clone()
        golden[f"{name}.encoded"] = frames[:, 300:].clone()
        golden[f"{name}.probability"] = probability.flatten().clone()
        print(name, probability.item())
    save_file(golden, HERE / "golden.safetensors")


main()
