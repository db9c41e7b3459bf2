"""Philox words and dropout.

No framework draws our mask, so the mask comes from `oracle.philox` and what it does to a tensor from the frameworks: the
product by autograd in both, PyTorch's own backward kernel fed with our mask, and both frameworks' dropout itself where
no randomness is left (p = 0, p = 1, inference). `conventions` shows on draws of their own that their masked products,
p and broadcasting mean what ours do.
"""

import flax
import flax.linen as linen
import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

from oracle import JAX, TORCH, File, agree, draw, philox, rng, stored

SEED = 0x0123456789ABCDEF
FLAX = f"flax {flax.__version__}, {JAX}"


def words(file):
    """XLA's Philox puts its 64-bit key into counter words 2 and 3 as well: our step and stream."""
    for seed, first, n in ((0, 0, 64), (SEED, 0, 37), (SEED, (1 << 32) - 3, 41), (0xFEDCBA9876543210, 5 << 33, 64)):
        state = jnp.array([seed, first], dtype=jnp.uint64)
        algorithm = jax.lax.RandomAlgorithm.RNG_PHILOX
        _, out = jax.lax.rng_bit_generator(state, (n,), dtype=jnp.uint32, algorithm=algorithm)
        step, stream = seed & 0xFFFFFFFF, seed >> 32
        blocks = np.arange((n + 3) // 4, dtype=np.uint64) + np.uint64(first)
        assert (philox(blocks, seed, stream, step).ravel()[:n] == np.asarray(out)).all()
        fields = {"len": n, "seed": seed, "stream": stream, "step": step, "first_block": first}
        file.add(f"seed {seed:#x}, from block {first}", f"XLA of {JAX}", (fields, {}, {"words": np.asarray(out)}))


def threshold(p, bits):
    return round((1 << bits) * (1 - p))


def keeps(op):
    """1 for every element kept, in memory order."""
    space, key, bits = op["space"], op["key"], 16 if op["bits"] == "sixteen" else 32
    n, c, s = space["n"], space["c"], space["s"]
    shape = {
        "element": (n, c, s),
        "channel": (n, c, 1),
        "sample": (n, 1, 1),
        "position": (n, 1, s),
        "batch_element": (1, c, s),
        "batch_channel": (1, c, 1),
        "batch_position": (1, 1, s),
        "batch": (1, 1, 1),
    }[op["share"]]
    # Where samples have decisions of their own, those of the samples before this tensor come first.
    first = key["first_element"] * shape[1] * shape[2] // (c * s) if shape[0] == n else 0
    i = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(first)
    one, two, three = np.uint64(1), np.uint64(2), np.uint64(3)
    if bits == 16:
        w = philox(i >> three, key["seed"], key["stream"], key["step"])
        w = w[np.arange(len(i)), (i & three).astype(int)].astype(np.uint64)
        draws = (w >> (np.uint64(16) * ((i >> two) & one))) & np.uint64(0xFFFF)
    else:
        w = philox(i >> two, key["seed"], key["stream"], key["step"])
        draws = w[np.arange(len(i)), (i & three).astype(int)].astype(np.uint64)
    kept = np.broadcast_to((draws < np.uint64(threshold(op["p"], bits))).reshape(shape), (n, c, s))
    if space["layout"] == "channels_last":
        kept = np.moveaxis(kept, 1, 2)
    return np.ascontiguousarray(kept).ravel()


def scale(op):
    """The host computes it in float64 and the kernel gets it as float32."""
    bits = 16 if op["bits"] == "sixteen" else 32
    t = threshold(op["p"], bits)
    return 1.0 if op["scaling"] == "scale_at_test" or t == 0 else float(stored((1 << bits) / t))


def packed(kept):
    bits = np.resize(np.concatenate([kept, np.zeros(-len(kept) % 32, bool)]), (len(kept) + 31) // 32 * 32)
    return np.packbits(bits.astype(np.uint8), bitorder="little").view("<u4").astype(np.uint32)


def op(p, **changes):
    base = {
        "dtype": "f32",
        "space": {"n": 3, "c": 5, "s": 7, "layout": "channels_first"},
        "p": p,
        "key": {"seed": SEED, "stream": 1, "step": 7, "first_element": 0},
        "share": "element",
        "scaling": "inverted",
        "bits": "sixteen",
        "mask": "recompute",
    }
    assert not set(changes) - set(base)
    return base | changes


def cases():
    last = {"n": 3, "c": 5, "s": 7, "layout": "channels_last"}
    flat = {"n": 1, "c": 1, "s": 131, "layout": "channels_first"}
    yield "p = 0.2", op(0.2)
    yield "one axis, p = 0.5", op(0.5, space=flat)
    yield "channels last", op(0.3, space=last)
    yield "mask per channel (dropout2d)", op(0.5, share="channel")
    yield "mask per channel, channels last", op(0.5, share="channel", space=last)
    yield "mask per sample (drop-path)", op(0.4, share="sample", space={"n": 9, "c": 2, "s": 5, "layout": "channels_first"})
    steps = {"n": 3, "c": 4, "s": 2, "layout": "channels_last"}
    second = {"seed": SEED, "stream": 2, "step": 8, "first_element": 16}
    yield "one mask for all steps, time as s (variational)", op(0.5, share="channel", space=steps)
    yield "one mask for all steps, time as n (variational)", op(0.5, share="batch_element", space=steps)
    yield "mask per position", op(0.5, share="position", space=steps, key=second)
    yield "mask per channel of the batch", op(0.5, share="batch_channel", space=steps)
    yield "mask per position of the batch", op(0.5, share="batch_position", space=steps | {"layout": "channels_first"})
    yield "one decision", op(0.5, share="batch", space=steps)
    yield "scaled at test", op(0.5, scaling="scale_at_test")
    yield "32 bits to a decision", op(0.123456789, bits="thirty_two")
    yield "stored mask", op(0.1, mask="store")
    yield "second part of a batch", op(0.25, key={"seed": SEED, "stream": 2, "step": 8, "first_element": 105})


def masked(forward, backward):
    for i, (name, fields) in enumerate(cases()):
        kept, k = keeps(fields), scale(fields)
        x, dy = draw(50 + i, len(kept)), draw(70 + i, len(kept))
        mask = {"mask": packed(kept)} if fields["mask"] == "store" else {}

        xt = torch.tensor(x, requires_grad=True)
        yt = xt * torch.tensor(kept, dtype=torch.float64) * k
        (dxt,) = torch.autograd.grad(yt, xt, torch.tensor(dy))
        own = torch.ops.aten.native_dropout_backward(torch.tensor(dy), torch.tensor(kept), k)
        agree(name, dxt, own)

        yj, pull = jax.vjp(lambda x, kept=kept, k=k: jnp.where(kept, x * k, 0.0), jnp.asarray(x))
        (dxj,) = pull(jnp.asarray(dy))
        agree(name, yt.detach(), yj)
        agree(name, dxt, dxj)
        for framework, y, dx in ((TORCH, yt.detach().numpy(), dxt.numpy()), (JAX, np.asarray(yj), np.asarray(dxj))):
            forward.add(name, framework, (fields | {"training": True}, {"x": x}, {"y": y} | mask))
            backward.add(name, framework, (fields, {"dy": dy} | mask, {"dx": dx}))


def certain(forward, backward):
    """Where nothing is random, the frameworks' own functions are the oracle."""
    x, dy = draw(90, 105), draw(91, 105)
    for p in (0.0, 1.0):
        xt = torch.tensor(x, requires_grad=True)
        yt = F.dropout(xt, p, training=True)
        (dxt,) = torch.autograd.grad(yt, xt, torch.tensor(dy))
        layer = linen.Dropout(rate=p, deterministic=False)
        yj, pull = jax.vjp(lambda x: layer.apply({}, x, rngs={"dropout": jax.random.key(0)}), jnp.asarray(x))
        (dxj,) = pull(jnp.asarray(dy))
        for framework, y, dx in ((TORCH, yt.detach().numpy(), dxt.numpy()), (FLAX, np.asarray(yj), np.asarray(dxj))):
            forward.add(f"p = {p:g}, the framework's own", framework, (op(p) | {"training": True}, {"x": x}, {"y": y}))
            backward.add(f"p = {p:g}, the framework's own", framework, (op(p), {"dy": dy}, {"dx": dx}))
    for framework, y in (
        (TORCH, F.dropout(torch.tensor(x), 0.3, training=False).numpy()),
        (FLAX, np.asarray(linen.Dropout(rate=0.3, deterministic=True).apply({}, jnp.asarray(x)))),
    ):
        forward.add("inference is the identity", framework, (op(0.3) | {"training": False}, {"x": x}, {"y": y}))
    fields = op(0.25, scaling="scale_at_test") | {"training": False}
    forward.add("inference, scaled at test: the mean over masks", TORCH, (fields, {"x": x}, {"y": 0.75 * x}))


def conventions():
    """p drops, what is kept is divided by 1-p, masks are shared as ours: on draws of the frameworks' own."""
    torch.manual_seed(1)
    n, p = 1_000_000, 0.3
    x = torch.tensor(rng(95).uniform(1.0, 2.0, n))
    apply = linen.Dropout(rate=p, deterministic=False).apply
    for name, y in (
        ("torch", F.dropout(x, p).numpy()),
        ("flax", np.asarray(apply({}, jnp.asarray(x.numpy()), rngs={"dropout": jax.random.key(1)}))),
    ):
        kept = y != 0
        agree(name, y[kept], x.numpy()[kept] / (1 - p))
        assert abs(kept.mean() - (1 - p)) < 5 * np.sqrt(p * (1 - p) / n), name
    ones = torch.ones(64, 16, 5, 5)
    whole = F.dropout2d(ones, p).numpy().reshape(64 * 16, -1)
    assert (whole == whole[:, :1]).all() and 0 < (whole[:, 0] == 0).mean() < 1
    for shared in ((1, 2), (0,), (3,), (0, 3), (0, 1, 2)):
        layer = linen.Dropout(rate=p, broadcast_dims=shared, deterministic=False)
        whole = np.asarray(layer.apply({}, jnp.ones((8, 5, 5, 16)), rngs={"dropout": jax.random.key(2)}))
        one = whole[tuple(slice(0, 1) if axis in shared else slice(None) for axis in range(4))]
        assert (whole == one).all() and 0 < (one == 0).mean() < 1


def files():
    stream, forward, backward = File("philox"), File("dropout"), File("dropout_backward")
    words(stream)
    masked(forward, backward)
    certain(forward, backward)
    conventions()
    return [stream, forward, backward]
