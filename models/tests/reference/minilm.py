"""Makes minilm.safetensors: what sentence-transformers says of fixed sentences, with the real weights.

    pip install -r models/tests/reference/requirements.txt
    python models/tests/reference/minilm.py target/weights/all-minilm-l6-v2

The weights are the folder that `strowger weights pull` fills; nothing is fetched. Vectors are kept in 16 bits, which
moves a cosine by less than 1e-6.

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
    " ",
    "\t\n",
    "a",
    "?!...",
    "👋 can you 📅 book me in 🙏",
    "e\u0301 and \u00e9 are the same letter",
    "ПРИВЕТ, можно записаться на завтра?",
    "مرحبا هل أنتم مفتوحون",
    "今日は予約できますか",
    "naïve ﬁle ｆｕｌｌ ｗｉｄｔｈ",
    "zero\u200bwidth and soft\u00adhyphen",
    "null \u0000 byte and \ufffd replacement",
    "https://example.org/book?when=tomorrow&at=15:00#now",
    "x" * 150,
    "antidisestablishmentarianism " * 3,
    "[CLS] mask [MASK] and [SEP] are words that a caller may not say",
    "word " * 253,
    "word " * 254,
    "word " * 255,
    "word " * 300,
    "1234567890 " * 100,
]
UNDERSTANDING = Path(__file__).parents[3] / "actors" / "tests" / "understanding"


def sentences():
    """The above, and those by which understanding is measured."""
    files = [UNDERSTANDING / f"{name}.txt" for name in ("barbers", "barbers_nothing", "garage", "garage_nothing")]
    lines = [line.strip() for file in files for line in file.read_text().splitlines()]
    said = [line.split(": ", 1)[1] for line in lines if line and not line.startswith("#")]
    return SENTENCES + said


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
    said = sentences()
    # One by one, so that nothing is padded.
    vectors = model.encode(said, batch_size=1, convert_to_tensor=True, normalize_embeddings=True)
    out = Path(__file__).with_suffix(".safetensors")
    save_file({"vectors": vectors.half().contiguous()}, out, metadata={"sentences": json.dumps(said)})
    print(out, tuple(vectors.shape))


if __name__ == "__main__":
    main()
