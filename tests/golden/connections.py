"""DropConnect: masked products by PyTorch and JAX, fed with our mask (`dropouts.keeps`)."""

import jax
import jax.numpy as jnp
import numpy as np
import torch

from dropouts import SEED, keeps, scale
from oracle import JAX, TORCH, File, agree, draw

ROWS, COLS = 4, 6


def op(p, **changes):
    base = {
        "dtype": "f32",
        "rows": ROWS,
        "cols": COLS,
        "p": p,
        "key": {"seed": SEED, "stream": 1, "step": 7, "first_element": 0},
        "bias": True,
        "scaling": "inverted",
        "bits": "sixteen",
    }
    return base | changes


def masks(fields):
    """What is kept of weight and bias; the bias' decisions lie in the upper half of the numbers."""
    key = fields["key"]
    space = {"n": 1, "c": 1, "layout": "channels_first"}
    one = lambda s, first: keeps(
        fields | {"space": space | {"s": s}, "share": "element", "key": key | {"first_element": first}}
    )
    first = key["first_element"]
    return one(ROWS * COLS, first).reshape(ROWS, COLS), one(ROWS, (1 << 63) + first // COLS)


def cases():
    yield "p = 0.5", op(0.5)
    yield "no bias, scaled at test", op(0.3, bias=False, scaling="scale_at_test")
    part = {"seed": SEED, "stream": 2, "step": 8, "first_element": 54}
    yield "second part of a matrix, 32 bits to a decision", op(0.123456789, bits="thirty_two", key=part)
    yield "p = 0", op(0.0)
    yield "p = 1", op(1.0)


def files():
    forward, backward = File("drop_connect"), File("drop_connect_backward")
    for i, (name, fields) in enumerate(cases()):
        (kept, kept_bias), k = masks(fields), scale(fields)
        w, b, dw, db, gw, gb = (
            draw(270 + 10 * i + j, *shape) for j, shape in enumerate([(ROWS, COLS), (ROWS,)] * 3)
        )

        ts = [torch.tensor(v, requires_grad=True) for v in (w, b)]
        yts = [t * torch.tensor(m, dtype=torch.float64) * k for t, m in zip(ts, (kept, kept_bias))]
        dts = torch.autograd.grad(yts, ts, [torch.tensor(dw), torch.tensor(db)])
        mask = lambda w, b: (jnp.where(kept, w * k, 0.0), jnp.where(kept_bias, b * k, 0.0))
        yjs, pull = jax.vjp(mask, jnp.asarray(w), jnp.asarray(b))
        djs = pull((jnp.asarray(dw), jnp.asarray(db)))
        for a, c in zip([t.detach() for t in yts] + list(dts), list(yjs) + list(djs)):
            agree(name, a, c)
        names = lambda *values: dict(zip([n for n in values[0] if fields["bias"] or "bias" not in n], values[1]))
        flat = lambda values: [np.asarray(v).ravel() for v in values]
        pairs = ((TORCH, [t.detach() for t in yts], dts), (JAX, yjs, djs))
        for framework, ys, ds in pairs:
            inputs = names(["weight", "bias"], flat([w, b]))
            forward.add(name, framework, (fields | {"training": True}, inputs, names(["masked_weight", "masked_bias"], flat(ys))))
            inputs = names(["dmasked_weight", "dmasked_bias"], flat([dw, db]))
            there = names(["dweight", "dbias"], flat([gw, gb]))
            written = names(["dweight", "dbias"], flat(ds))
            added = {n: written[n] + there[n] for n in written}
            if i % 2:
                backward.add(name, framework, (fields | {"accumulate": False}, inputs, written))
            backward.add(name + ", accumulated", framework, (fields | {"accumulate": True}, inputs | there, added))
    return [forward, backward]
