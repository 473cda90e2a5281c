"""Steps of the same shapes in `transformers` as `models/examples/engine_room`, on the same machine.

    pip install -r requirements.txt
    python models/tests/reference/engine_room.py [--device cuda:0] [--dtype bfloat16] [--shape 600m] [--rows 512]
        [--steps 30] [--threads N] [--compile] [--blank 0.5] [--save FOLDER] [--out transformers.json]

A step is what a stream needs in each chunk: the encoder with its caches, and one look of the joint network at each
frame. Tokens are not said (ours also says them), so this side has a little less to do. Every stream is at the same
place in its audio, for the caches of `transformers` have one position for the whole batch.

With `--save` the random weights are left in FOLDER, so that `engine_room --model FOLDER` measures the same ones; the
blank is `--blank` likelier there than any other token. Processor time is that of all threads.
"""

import argparse
import json
import pathlib
import time

import torch
from transformers import NemotronAsrStreamingConfig, NemotronAsrStreamingEncoderConfig, NemotronAsrStreamingForRNNT

SHAPES = {
    "120m": dict(hidden_size=512, num_hidden_layers=17, intermediate_size=2_048),
    "600m": dict(hidden_size=1_024, num_hidden_layers=24, intermediate_size=4_096),
}
LAYERS = {"120m": (1, 1_027), "600m": (2, 1_025)}
SIZES = [1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1_024, 1_536]
MEL = 128


def made(shape, blank, device, dtype):
    torch.manual_seed(7)
    encoder = NemotronAsrStreamingEncoderConfig(
        **SHAPES[shape], num_attention_heads=8, num_mel_bins=MEL, sliding_window=71, default_num_lookahead_tokens=1
    )
    layers, tokens = LAYERS[shape]
    config = NemotronAsrStreamingConfig(
        vocab_size=tokens, blank_token_id=tokens - 1, num_decoder_layers=layers, encoder_config=encoder
    )
    model = NemotronAsrStreamingForRNNT(config).eval()
    with torch.no_grad():
        model.joint.head.bias[-1] += blank
    return model.to(device=device, dtype=dtype)


def save(model, folder):
    """As the hub has it, with a number for each piece."""
    folder = pathlib.Path(folder)
    model.save_pretrained(folder)
    pieces = {f"\u2581{number}": number for number in range(model.config.vocab_size - 1)}
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": pieces}}))
    (folder / "processor_config.json").write_text(json.dumps({"supported_num_lookahead_tokens": [3, 1, 0]}))


def wait(device):
    if device.startswith("cuda"):
        torch.cuda.synchronize()


@torch.inference_mode()
def times(model, device, dtype, rows, lookahead, steps):
    blank = torch.full((rows, 1), model.config.blank_token_id, device=device)
    predicted = model.decoder(blank)
    past, padding, taken, used = None, None, [], 0.0
    # The caches are full after 70 frames, as they are in all but a call's first seconds.
    before = -(-70 // (lookahead + 1)) + 1
    for step in range(before + steps):
        features = 8 * lookahead + 1 if step == 0 else 8 * (lookahead + 1)
        mel = torch.randn(rows, features, MEL, device=device, dtype=dtype) * 2 - 6
        wait(device)
        started, processor = time.perf_counter(), time.process_time()
        got = model.get_audio_features(
            mel, past_key_values=past, padding_cache=padding, num_lookahead_tokens=lookahead, use_cache=True,
            output_attention_mask=False,
        )
        model.joint(encoder_hidden_states=got.pooler_output[:, :, None, :], decoder_hidden_states=predicted[:, None]).argmax(-1).cpu()
        wait(device)
        if step >= before:
            taken.append(1_000 * (time.perf_counter() - started))
            used += 1_000 * (time.process_time() - processor)
        past, padding = got.past_key_values, got.padding_cache
    return sorted(taken), used / steps


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu")
    words.add_argument("--dtype", default="float32")
    words.add_argument("--shape", default=None, choices=list(SHAPES))
    words.add_argument("--rows", type=int, default=None)
    words.add_argument("--steps", type=int, default=30)
    words.add_argument("--threads", type=int, default=None)
    words.add_argument("--blank", type=float, default=0.5)
    words.add_argument("--save", default=None)
    words.add_argument("--compile", action="store_true")
    words.add_argument("--out", default="transformers.json")
    said = words.parse_args()
    on_gpu = said.device.startswith("cuda")
    if said.threads:
        torch.set_num_threads(said.threads)
    torch.backends.cuda.matmul.allow_tf32 = False
    shape = said.shape or ("600m" if on_gpu else "120m")
    model = made(shape, said.blank, said.device, getattr(torch, said.dtype))
    if said.save:
        save(model, said.save)
    if said.compile:
        model.encoder = torch.compile(model.encoder)
    most, out = said.rows or (1_024 if on_gpu else 16), []
    print("shape  chunk ms  streams   p50 ms   p99 ms  processor ms  of period")
    for lookahead in (0, 1, 3):
        chunk = 80 * (lookahead + 1)
        for rows in [size for size in SIZES if size <= most]:
            taken, used = times(model, said.device, getattr(torch, said.dtype), rows, lookahead, said.steps)
            p50, p99 = taken[len(taken) // 2], taken[-(-len(taken) * 99 // 100) - 1]
            print(f"{shape:5}  {chunk:8}  {rows:7}  {p50:7.2f}  {p99:7.2f}  {used:12.1f}  {100 * p99 / chunk:7.0f} %", flush=True)
            out.append(dict(shape=shape, precision=said.dtype, chunk_ms=chunk, streams=rows, p50_ms=p50, p99_ms=p99, processor_ms=used))
            if p99 > 1.5 * chunk:
                break
    threads = None if on_gpu else torch.get_num_threads()
    with open(said.out, "w") as file:
        json.dump(dict(device=said.device, threads=threads, compiled=said.compile, steps=out), file, indent=1)


main()
