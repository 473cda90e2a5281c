"""Makes the golden values of the published smart-turn weights, which `voice_activity/smart_turn` is tested against.

    pip install -r requirements.txt
    python smart_turn_published.py smart-turn-v3.2-cpu.onnx

The bundled readings are cut at several places and judged by onnxruntime twice: as published, with activations rounded
to 8 bits on the way, and with that rounding taken out of the graph, so that only the weights are 8-bit integers. The
second is what our arithmetic is; the first is what others get. Features are transformers' own. It writes
`smart_turn/published.safetensors`: `<reading>.<samples>` = [as published, without rounding].
"""

import pathlib
import sys
import wave

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import save_file
from transformers import WhisperFeatureExtractor

HERE = pathlib.Path(__file__).parent
SAMPLES = 8 * 16_000


def unrounded(model):
    """The graph with activations that pass QuantizeLinear and DequantizeLinear untouched."""
    came_from = {
        node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "QuantizeLinear"
    }
    kept, instead = [], {}
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear":
            continue
        if node.op_type == "DequantizeLinear" and node.input[0] in came_from:
            instead[node.output[0]] = came_from[node.input[0]]
            continue
        kept.append(node)
    for node in kept:
        for place, name in enumerate(node.input):
            while name in instead:
                name = instead[name]
            node.input[place] = name
    del model.graph.node[:]
    model.graph.node.extend(kept)
    return model


def main():
    published = sys.argv[1]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # Optimised, the graph rounds once more.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    sessions = [
        onnxruntime.InferenceSession(published, options),
        onnxruntime.InferenceSession(unrounded(onnx.load(published)).SerializeToString(), options),
    ]
    extractor = WhisperFeatureExtractor(chunk_length=8)
    golden = {}
    for reading in ("0880", "0920", "0930"):
        with wave.open(str(HERE.parent / "speech" / f"librivox-{reading}.wav")) as file:
            audio = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
        for part in (0.4, 0.6, 0.8, 1.0):
            count = int(len(audio) * part)
            speech = audio[:count].astype(np.float32)[-SAMPLES:] / 32_768
            speech = np.pad(speech, (SAMPLES - len(speech), 0))
            features = extractor(
                speech, sampling_rate=16_000, return_tensors="np", padding="max_length", max_length=SAMPLES,
                truncation=True, do_normalize=True,
            ).input_features
            both = [float(session.run(None, {"input_features": features})[0].flatten()[0]) for session in sessions]
            golden[f"{reading}.{count}"] = np.array(both, dtype=np.float32)
            print(reading, count, both)
    save_file(golden, HERE / "smart_turn" / "published.safetensors")


main()
