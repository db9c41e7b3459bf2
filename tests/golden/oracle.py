"""What the case files share: data, storage in float32, Philox, and how the values are written down."""

import json

import jax
import numpy as np
import torch

jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

TORCH = f"PyTorch {torch.__version__.split('+')[0]}"
JAX = f"JAX {jax.__version__}"


def stored(values):
    """What a float32 buffer holds of `values`, as float64: the only rounding in the whole oracle."""
    return np.asarray(values, np.float64).astype(np.float32).astype(np.float64)


def rng(seed):
    return np.random.default_rng(seed)


def draw(seed, *shape, mean=0.0, spread=1.0):
    """Normal numbers that float32 can hold."""
    return stored(mean + spread * rng(seed).standard_normal(shape))


def weights(seed, n):
    """Normal numbers among which are both zeros, so that sign(0) is asked for."""
    w = draw(seed, n)
    w[1::11] = 0.0
    w[4::17] = -0.0
    return w


def agree(what, a, b):
    """Two oracles in float64 say the same."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    scale = max(1.0, float(np.abs(a).max(initial=0.0)))
    assert np.abs(a - b).max(initial=0.0) <= 1e-12 * scale, f"{what}: {np.abs(a - b).max()}"


def segment(start, length, group=0):
    return {"start": start, "len": length, "group": group}


class File:
    """The golden values of one op."""

    def __init__(self, op):
        self.op, self.cases = op, []

    def add(self, name, framework, *steps):
        """`steps` are `(fields, inputs, expected)`; what a later step does not list as input, it finds as the step
        before left it."""
        self.cases.append((name, framework, steps))


def number(x):
    """The shortest text that gives the same float32, also when read as float64 first."""
    x = np.float32(x)
    if np.isnan(x):
        return '"nan"'
    if np.isinf(x):
        return '"inf"' if x > 0 else '"-inf"'
    for digits in range(1, 10):
        text = f"{x:.{digits}g}"
        if np.float32(float(text)) == x:
            return text
    raise AssertionError(x)


def array(values):
    values = np.asarray(values)
    if values.dtype.kind in "ui":
        return "[" + ",".join(str(int(v)) for v in values.ravel()) + "]"
    return "[" + ",".join(number(v) for v in values.ravel()) + "]"


def table(values):
    return "{\n" + ",\n".join(f"    {json.dumps(k)}: {array(v)}" for k, v in values.items()) + "}"


def unsigned(values):
    """Zeros without their sign: a product with a mask has either, and which one is nobody's convention."""
    return {k: np.asarray(v) + 0 for k, v in values.items()}


def write(path, file):
    """One array to a line, so that a change of the values can be read as a difference of the file. Frameworks whose
    float32 values are the same to the bit share a case."""
    cases = {}
    for name, framework, steps in file.cases:
        rows = [
            f'  {{"op": {json.dumps({"op": file.op, **fields})},\n'
            f'   "inputs": {table(inputs)},\n   "expected": {table(unsigned(expected))}}}'
            for fields, inputs, expected in steps
        ]
        cases.setdefault((name, ",\n".join(rows)), []).append(framework)
    texts = [
        f' {{"name": {json.dumps(name)}, "frameworks": {json.dumps(frameworks)}, "steps": [\n{rows}]}}'
        for (name, rows), frameworks in cases.items()
    ]
    with open(path, "w", encoding="utf-8") as out:
        out.write('{"cases": [\n' + ",\n".join(texts) + "\n]}\n")
    return len(texts)


# Philox4x32-10 (Salmon et al., SC'11), vectorised over blocks; written from the paper, held against XLA's in `dropouts`.


def philox(blocks, seed, stream, step):
    """The four words of each block, shape (len(blocks), 4)."""
    low = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    blocks = np.asarray(blocks, np.uint64)
    fill = lambda v: np.full(blocks.shape, v, np.uint64)
    c = [blocks & low, blocks >> half, fill(step), fill(stream)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(p1 >> half) ^ c[1] ^ np.uint64(k0), p1 & low, (p0 >> half) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=-1).astype(np.uint32)
