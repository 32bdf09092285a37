"""Makes foreign.safetensors: weights as PyTorch and Keras name and lay them out, in the element types that are met, with the results
of the network that they are of.

    python3 tests/runtime/data/make-foreign.py      (needs numpy)
"""

import json
import pathlib
import struct

import numpy as np

here = pathlib.Path(__file__).parent
random = np.random.default_rng(4)
# Multiples of 1/8 below 4: exact in every type.
draw = lambda *shape: random.integers(-24, 25, shape) / 8

w1, b1, w2, b2 = draw(4, 3), draw(4), draw(2, 4), draw(2)


def bfloat16(x):
    return (x.astype("<f4").view("<u4") >> 16).astype("<u2")


tensors = {
    # torch.nn.Sequential(Linear(3, 4), BatchNorm1d(4) without effect, Linear(4, 2)) under `model`.
    "model.layers.0.weight": ("F32", w1.astype("<f4")),
    "model.layers.0.bias": ("F16", b1.astype("<f2")),
    "model.layers.1.num_batches_tracked": ("I64", np.array(7, "<i8")),
    "model.layers.2.weight": ("F64", w2.astype("<f8")),
    "model.layers.2.bias": ("BF16", bfloat16(b2)),
    # keras.layers.Dense: the kernel is [in, out].
    "dense.kernel": ("F32", np.ascontiguousarray(w1.T).astype("<f4")),
    "dense.bias": ("F32", b1.astype("<f4")),
}
header, body = {}, b""
for name, (dtype, array) in tensors.items():
    data = array.tobytes()
    header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(body), len(body) + len(data)]}
    body += data
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
(here / "foreign.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)

x = draw(5, 3)
y = np.maximum(x @ w1.T + b1, 0) @ w2.T + b2
(here / "foreign.json").write_text(json.dumps({"x": x.tolist(), "y": y.tolist()}) + "\n")
