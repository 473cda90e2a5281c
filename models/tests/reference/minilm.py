"""Makes minilm.safetensors: what sentence-transformers says of fixed sentences, with the real weights.

    pip install torch==2.15.0 transformers==5.23.0 sentence-transformers==6.2.0 safetensors==0.8.0
    python models/tests/reference/minilm.py target/weights/all-minilm-l6-v2

With `--bench N` it measures instead: sentences per second in batches of 32, on N threads.
"""

import json
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

SENTENCES = [
    "Do you have anywhere to leave my car?",
    "is there parking",
    "I'd like to book a haircut for Tuesday at half past three, please.",
    "what time do you shut on saturdays",
    "hello",
    "",
    "No.",
    "Café Zürich — naïve façade, 北京, Ωmega!",
    "my number is 0 1 6 3 2 9 6 0 0 1 2",
    "can you tell doctor o'neill that i'm going to be about ten minutes late because of the traffic on the ring road",
    "The QUICK brown fox; jumps over the lazy dog... twice?!",
    "could somebody call me back about my invoice " * 60,
]


def load(folder):
    words = Transformer(folder, max_seq_length=256)
    pooling = Pooling(384, pooling_mode="mean")
    return SentenceTransformer(modules=[words, pooling, Normalize()], device="cpu")


def bench(model, threads):
    torch.set_num_threads(threads)
    sentences = [f"{SENTENCES[number % 4]} {number}" for number in range(32)]
    model.encode(sentences, batch_size=32)
    started, rounds = time.perf_counter(), 0
    while time.perf_counter() - started < 10:
        model.encode(sentences, batch_size=32)
        rounds += 1
    print(f"{rounds * 32 / (time.perf_counter() - started):.0f} sentences per second on {threads} threads")


def main():
    model = load(sys.argv[1])
    if "--bench" in sys.argv:
        bench(model, int(sys.argv[sys.argv.index("--bench") + 1]))
        return
    vectors = model.encode(SENTENCES, convert_to_tensor=True, normalize_embeddings=True)
    out = Path(__file__).with_suffix(".safetensors")
    save_file({"vectors": vectors.float().contiguous()}, out, metadata={"sentences": json.dumps(SENTENCES)})
    print(out, tuple(vectors.shape))


if __name__ == "__main__":
    main()
