"""JAX on the CPU, the whole step in one jit with donated state. Usage: jax-cpu.py FOLDER THREADS"""

import json
import os
import sys
import time

threads = int(sys.argv[2])
os.sched_setaffinity(0, set(range(threads)))
import jax
import jax.numpy as jnp
import numpy as np

folder = sys.argv[1]
task = json.load(open(os.path.join(folder, "tensors.json")))
blob = open(os.path.join(folder, "tensors.bin"), "rb").read()
tensors = {}
for name, t in task["tensors"].items():
    kind = np.int32 if t["dtype"] == "i32" else np.float32
    size = int(np.prod(t["shape"], dtype=np.int64))
    tensors[name] = jnp.array(np.frombuffer(blob, kind, size, t["offset"]).reshape(t["shape"]))
x, y = tensors.pop("x"), tensors.pop("y")


def dense(v, p, name):
    return v @ p[f"net.{name}.W"].T + p[f"net.{name}.b"]


def cross_entropy(l, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(l), y[:, None], axis=1))


def mlp(p, x, y):
    h = jax.nn.relu(dense(x, p, "l1"))
    h = jax.nn.relu(dense(h, p, "l2"))
    return cross_entropy(dense(h, p, "l3"), y)


def block(x, p, name):
    h = jax.lax.conv_general_dilated(x, p[f"net.{name}.K"], (1, 1), ((1, 1), (1, 1)))
    h = jax.nn.relu(h + p[f"net.{name}.b"][None, :, None, None])
    return jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def cnn(p, x, y):
    h = block(block(x, p, "c1"), p, "c2").reshape(x.shape[0], -1)
    return cross_entropy(dense(jax.nn.relu(dense(h, p, "f1")), p, "f2"), y)


def norm(x, p, name):
    mean = jnp.mean(x, -1, keepdims=True)
    var = jnp.mean((x - mean) ** 2, -1, keepdims=True)
    return (x - mean) / jnp.sqrt(var + 1e-5) * p[f"net.{name}.gamma"] + p[f"net.{name}.beta"]


def transformer(p, x, y):
    heads = lambda v: v.reshape(16, 64, 4, 32).transpose(0, 2, 1, 3)
    h = norm(x, p, "norm1")
    q, k, v = (heads(dense(h, p, f"attention.{n}")) for n in ("query", "key", "value"))
    a = jax.nn.softmax(q @ k.transpose(0, 1, 3, 2) / np.float32(np.sqrt(32)))
    z = (a @ v).transpose(0, 2, 1, 3).reshape(16, 64, 128)
    r = x + dense(z, p, "attention.out")
    m = dense(norm(r, p, "norm2"), p, "mlp.l1")
    out = r + dense(jax.nn.gelu(m, approximate=False), p, "mlp.l2")
    return jnp.mean((out - y) ** 2)


loss = {"mlp": mlp, "cnn": cnn, "transformer": transformer}[task["kind"]]


def step(p, m, v, t, x, y):
    value, g = jax.value_and_grad(loss)(p, x, y)
    if task["kind"] == "transformer":
        return value, {n: p[n] - 0.1 * g[n] for n in p}, m, v
    m = {n: 0.9 * m[n] + 0.1 * g[n] for n in p}
    v = {n: 0.999 * v[n] + 0.001 * g[n] * g[n] for n in p}
    a, c = 1e-3 / (1 - 0.9**t), 1 / (1 - 0.999**t)
    p = {n: p[n] - a * m[n] / (jnp.sqrt(c * v[n]) + 1e-8) for n in p}
    return value, p, m, v


compiled = jax.jit(step, donate_argnums=(0, 1, 2))
p = tensors
m = {n: jnp.zeros_like(w) for n, w in p.items()}
v = {n: jnp.zeros_like(w) for n, w in p.items()}
losses, times = [], []
for i in range(8 + task["runs"]):
    start = time.perf_counter()
    value, p, m, v = compiled(p, m, v, float(i + 1), x, y)
    value = float(value)
    jax.block_until_ready(p)
    if i < 8:
        losses.append(value)
    else:
        times.append(1000 * (time.perf_counter() - start))
plural = "" if threads == 1 else "s"
print(json.dumps({"contender": f"JAX {jax.__version__} ({threads} thread{plural})", "losses": losses, "times": times}))
