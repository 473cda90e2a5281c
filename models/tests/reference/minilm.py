"""Makes minilm.safetensors: what sentence-transformers says of fixed sentences, with the real weights.

    pip install torch==2.15.0 transformers==5.23.0 sentence-transformers==6.2.0 safetensors==0.8.0
    python models/tests/reference/minilm.py target/weights/all-minilm-l6-v2

With `--bench N` it measures instead: sentences per second in batches of 1, 8 and 64, on N threads. `--seconds S` is how
long for each.
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


def bench(model, threads, seconds):
    torch.set_num_threads(threads)
    for batch in (1, 8, 64):
        sentences = [f"{SENTENCES[number % 4]} {number}" for number in range(batch)]
        model.encode(sentences, batch_size=batch)
        started, rounds = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            model.encode(sentences, batch_size=batch)
            rounds += 1
        rate = rounds * batch / (time.perf_counter() - started)
        print(f"batches of {batch}: {rate:.0f} sentences per second on {threads} threads")


def main():
    model = load(sys.argv[1])
    if "--bench" in sys.argv:
        after = lambda word, default: float(sys.argv[sys.argv.index(word) + 1]) if word in sys.argv else default
        bench(model, int(after("--bench", 1)), after("--seconds", 5))
        return
    vectors = model.encode(SENTENCES, convert_to_tensor=True, normalize_embeddings=True)
    out = Path(__file__).with_suffix(".safetensors")
    save_file({"vectors": vectors.float().contiguous()}, out, metadata={"sentences": json.dumps(SENTENCES)})
    print(out, tuple(vectors.shape))


if __name__ == "__main__":
    main()
