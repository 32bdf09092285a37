"""Makes the data files of the loaders' tests with NumPy and the reference safetensors library.

    python3 tests/runtime/data/make.py      (needs numpy and safetensors)
"""

import gzip
import pathlib
import struct

import numpy as np
from safetensors.numpy import save_file

here = pathlib.Path(__file__).parent
counting = np.arange(24).reshape(2, 3, 4)

np.save(here / "f32.npy", counting.astype("<f4") / 8)
np.save(here / "f64-big-endian.npy", counting.astype(">f8") - 7.5)
np.save(here / "i64.npy", counting.astype("<i8") - 12)
np.save(here / "f16.npy", np.array([0, 1.5, -2, 65504, 6e-8, np.inf], "<f2"))
np.save(here / "bool.npy", counting % 3 == 0)
np.save(here / "fortran.npy", np.asfortranarray(counting.astype("<i2")))
np.save(here / "scalar.npy", np.float32(3.25))
np.save(here / "records.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
np.savez(here / "two.npz", x=counting.astype("<f4"), y=np.array([1, 0], "u1"))
np.savez_compressed(here / "one.npz", whatever=counting.astype("<u2"))

images = (np.arange(3 * 4 * 5) * 4 % 256).astype("u1").reshape(3, 4, 5)
idx = struct.pack(">BBBB3I", 0, 0, 8, 3, *images.shape) + images.tobytes()
(here / "images-idx3-ubyte").write_bytes(idx)
(here / "images-idx3-ubyte.gz").write_bytes(gzip.compress(idx, mtime=0))
labels = struct.pack(">BBBBI", 0, 0, 8, 1, 3) + bytes([2, 0, 1])
(here / "labels-idx1-ubyte").write_bytes(labels)
(here / "f32.idx").write_bytes(
    struct.pack(">BBBB2I", 0, 0, 13, 2, 2, 3) + np.arange(6).astype(">f4").tobytes()
)

save_file(
    {
        "net.W": (counting.astype("<f4") / 8).reshape(6, 4),
        "net.b": np.array([1, -1, 0.5], "<f4"),
        "step": np.array(7, "<i4"),
        "mask": np.array([True, False, True]),
        "key": np.array([1, 4294967295], "<u4"),
    },
    here / "reference.safetensors",
    metadata={"about": "a test"},
)
