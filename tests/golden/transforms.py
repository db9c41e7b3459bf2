"""Gradient transforms: PyTorch's clip_grad_*_ and GradScaler, optax's transformations, Flax's DynamicScale."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

from oracle import JAX, TORCH, File, agree, draw, segment

OPTAX = f"optax {optax.__version__}, {JAX}"
# Three tensors with gaps whose contents must stay, and count for nothing.
SEGMENTS = [segment(0, 17), segment(20, 3), segment(24, 16)]
LEN = 40
NORM_EPS = 1e-6


def gradients(seed):
    return draw(seed, LEN)


def parts(g, segments=SEGMENTS):
    return [g[s["start"] : s["start"] + s["len"]] for s in segments]


def whole(g, tensors, segments=SEGMENTS):
    """The arena with its tensors changed, and its gaps as they were."""
    out = np.array(g)
    for s, t in zip(segments, tensors):
        out[s["start"] : s["start"] + s["len"]] = np.asarray(t).ravel()
    return out


def torch_parameters(tensors):
    all = [torch.nn.Parameter(torch.zeros(np.asarray(t).shape)) for t in tensors]
    for p, t in zip(all, tensors):
        p.grad = torch.tensor(np.asarray(t))
    return all


def by_optax(rule, tensors, params=None):
    tree = [jnp.asarray(t) for t in tensors]
    params = None if params is None else [jnp.asarray(p) for p in params]
    return [np.asarray(t) for t in rule.update(tree, rule.init(tree if params is None else params), params)[0]]


def fields(**changes):
    return {"dtype": "f32", "segments": SEGMENTS} | changes


def by_value(file):
    g = gradients(1)
    g[[2, 21, 30]] = [np.nan, np.inf, -np.inf]
    live = parts(g)
    params = torch_parameters(live)
    torch.nn.utils.clip_grad_value_(params, 0.5)
    by_torch = whole(g, [p.grad for p in params])
    by_jax = whole(g, by_optax(optax.clip(0.5), live))
    assert np.array_equal(by_torch, by_jax, equal_nan=True)
    # A bound of NaN excuses nothing in the test, so the NaN is left out of what both frameworks agree on above.
    g[2] = 0.75
    live = parts(g)
    params = torch_parameters(live)
    torch.nn.utils.clip_grad_value_(params, 0.5)
    for framework, out in (
        (f"{TORCH}, clip_grad_value_", whole(g, [p.grad for p in params])),
        (f"{OPTAX}, clip", whole(g, by_optax(optax.clip(0.5), live))),
    ):
        file.add("both sides", framework, (fields(min=-0.5, max=0.5), {"grad": g}, {"grad": out}))
    g = gradients(2)
    for name, low, high in (("below only", -0.25, None), ("above only", None, 0.5), ("two bounds", -0.1, 0.9)):
        by_torch = whole(g, [torch.clamp(torch.tensor(t), low, high) for t in parts(g)])
        by_jax = whole(g, [jnp.clip(jnp.asarray(t), low, high) for t in parts(g)])
        for framework, out in ((f"{TORCH}, clamp", by_torch), (f"{JAX}, jnp.clip", by_jax)):
            file.add(name, framework, (fields(min=low, max=high), {"grad": g}, {"grad": out}))


def by_global_norm(clip, norm_only):
    for i, (name, spread, most) in enumerate(
        (("clipped", 1.0, 0.7), ("within the limit", 1.0, 50.0), ("squares past f32", 1e30, 2.0), ("squares below f32", 1e-30, 1e-31))
    ):
        g = draw(10 + i, LEN, spread=spread)
        live = parts(g)
        params = torch_parameters(live)
        norm = float(torch.nn.utils.clip_grad_norm_(params, most))
        scale = min(1.0, most / (norm + NORM_EPS))
        out = whole(g, [p.grad for p in params])
        agree(name, out, whole(g, [t * scale for t in live]))
        step = fields(max_norm=most, form="softened"), {"grad": g}
        clip.add(f"{name}, softened", f"{TORCH}, clip_grad_norm_", (*step, {"grad": out, "norm": [norm], "scale": [scale]}))
        norm_only.add(f"{name}, softened", f"{TORCH}, clip_grad_norm_", (*step, {"norm": [norm], "scale": [scale]}))
        norm = float(optax.tree.norm([jnp.asarray(t) for t in live]))
        scale = min(1.0, most / norm)
        out = whole(g, by_optax(optax.clip_by_global_norm(most), live))
        agree(name, out, whole(g, [t * scale for t in live]))
        step = fields(max_norm=most, form="plain"), {"grad": g}
        clip.add(f"{name}, plain", f"{OPTAX}, clip_by_global_norm", (*step, {"grad": out, "norm": [norm], "scale": [scale]}))
        norm_only.add(f"{name}, plain", f"{OPTAX}, clip_by_global_norm", (*step, {"norm": [norm], "scale": [scale]}))


def files():
    out = [File(op) for op in ("clip_by_value", "clip_by_global_norm", "global_norm")]
    value, clip, norm = out
    by_value(value)
    by_global_norm(clip, norm)
    return out
