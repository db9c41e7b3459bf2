"""Clipping of each tensor by its own norm, and projections of weights: PyTorch and optax. Noise on gradients: optax' schedule."""

import math
from unittest import mock

import jax.numpy as jnp
import numpy as np
import optax
import torch
from optax import projections

from oracle import JAX, TORCH, File, agree, draw, philox, segment, weights

OPTAX = f"optax {optax.__version__}, {JAX}"
# Three tensors of different norms, one of them without elements, with gaps whose contents must stay.
SEGMENTS = [segment(0, 9), segment(12, 0), segment(12, 3), segment(16, 12)]
LEN, NORM_EPS = 28, 1e-6


def arena(values):
    """Tensors of norms far apart: the first is small, the others are not."""
    values = np.array(values)
    values[:9] = np.float32(0.01) * values[:9]
    return values.astype(np.float32).astype(np.float64)


def parts(values):
    return [values[s["start"] : s["start"] + s["len"]] for s in SEGMENTS]


def each(values, rule):
    """The arena with `rule` applied to each tensor by itself."""
    out = np.array(values)
    for s, t in zip(SEGMENTS, parts(values)):
        if len(t):
            out[s["start"] : s["start"] + s["len"]] = np.asarray(rule(t))
    return out


def fields(**changes):
    return {"dtype": "f32", "segments": SEGMENTS} | changes


def norms(values, most, eps):
    norm = np.array([float(np.sqrt(np.sum(t * t))) for t in parts(values)])
    scale = [1.0 if n + eps <= most else most / (n + eps) for n in norm]
    return {"norm": norm, "scale": np.array(scale)}


def by_torch_norm(most):
    def rule(t):
        p = torch.nn.Parameter(torch.zeros(len(t)))
        p.grad = torch.tensor(t)
        torch.nn.utils.clip_grad_norm_([p], most)
        return p.grad

    return rule


def by_optax_norm(most):
    rule = optax.clip_by_global_norm(most)
    return lambda t: rule.update(jnp.asarray(t), rule.init(jnp.asarray(t)))[0]


def clip_by_norm(file):
    g = arena(draw(1, LEN))
    for form, eps, framework, rule in (
        ("softened", NORM_EPS, f"{TORCH}, clip_grad_norm_ of each parameter", by_torch_norm(0.7)),
        ("plain", 0.0, f"{OPTAX}, clip_by_global_norm of each tensor", by_optax_norm(0.7)),
    ):
        expected = {"grad": each(g, rule)} | norms(g, 0.7, eps)
        agree(form, expected["grad"], each(g, lambda t: t * norms_factor(t, 0.7, eps)))
        file.add(form, framework, (fields(max_norm=0.7, form=form), {"grad": g}, expected))


def norms_factor(t, most, eps):
    norm = math.sqrt(float(np.sum(t * t)))
    return 1.0 if norm + eps <= most else most / (norm + eps)


def l2_ball(file):
    w = arena(weights(2, LEN))
    by_optax = each(w, lambda t: projections.projection_l2_ball(jnp.asarray(t), 1.5))
    # renorm bounds the norm of each slice of a tensor: here the one slice is the whole of it. It adds 1e-7 to the norm.
    torch_eps = 1e-7
    by_torch = each(w, lambda t: torch.renorm(torch.tensor(t)[None], 2, 0, 1.5)[0])
    assert np.abs(by_torch - by_optax).max() < 2 * torch_eps * np.abs(w).max()
    file.add("radius 1.5", f"{OPTAX}, projection_l2_ball", (fields(radius=1.5), {"weight": w}, {"weight": by_optax} | norms(w, 1.5, 0.0)))


def box_constraint(file):
    w = weights(3, LEN)
    for name, low, high in (("both sides", -0.5, 0.5), ("below only", -0.25, None), ("two bounds", -0.1, 0.9)):
        ends = -np.inf if low is None else low, np.inf if high is None else high
        for framework, out in (
            (f"{TORCH}, clamp_", each(w, lambda t: torch.tensor(t).clamp_(low, high))),
            (f"{OPTAX}, projection_box", each(w, lambda t: projections.projection_box(jnp.asarray(t), *ends))),
        ):
            file.add(name, framework, (fields(min=low, max=high), {"weight": w}, {"weight": out}))


def non_negative(file):
    w = weights(4, LEN)
    for framework, out in (
        (f"{TORCH}, clamp_", each(w, lambda t: torch.tensor(t).clamp_(min=0))),
        (f"{OPTAX}, projection_non_negative", each(w, lambda t: projections.projection_non_negative(jnp.asarray(t)))),
    ):
        file.add("weights", framework, (fields(), {"weight": w}, {"weight": out}))


def normals(first, count, seed, stream, step):
    """Box and Muller's transform of pairs of Philox words: cosine, then sine, of the angle of the second, by the first's radius."""
    blocks = np.arange(first // 4, (first + count + 3) // 4, dtype=np.uint64)
    unit = (philox(blocks, seed, stream, step) >> np.uint32(8)).astype(np.float64) / 2.0**24
    radius, angle = np.sqrt(-2 * np.log1p(-unit[:, ::2])), 2 * np.pi * unit[:, 1::2]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1).ravel()[first % 4 :][:count]


def gradient_noise(file):
    g = draw(5, LEN)
    for name, eta, gamma, step, first in (("first step", 0.3, 0.55, 0, 0), ("later", 1.0, 0.75, 12, 2**34 - 16)):
        seed, stream = 0x0123456789ABCDEF, 3
        z = normals(first, LEN, seed, stream, step)
        # optax' own update with our normal numbers in place of its own: a whole tensor at a time, so the arena is one.
        rule = optax.add_noise(eta, gamma, 0)
        state = rule.init(jnp.asarray(g))._replace(count=jnp.int32(step))
        with mock.patch.object(optax.tree, "random_like", lambda *_, **__: jnp.asarray(z)):
            noisy = np.asarray(rule.update(jnp.asarray(g), state)[0])
        agree(name, noisy, g + math.sqrt(eta / (1 + step) ** gamma) * z)
        out = np.where(live(), noisy, g)
        key = {"seed": seed, "stream": stream, "step": step, "first_element": first}
        level = {"annealed": {"eta": eta, "gamma": gamma}}
        file.add(name, f"{OPTAX}, add_noise with Philox' normals", (fields(level=level, key=key), {"grad": g}, {"grad": out}))


def live():
    mask = np.zeros(LEN, bool)
    for s in SEGMENTS:
        mask[s["start"] : s["start"] + s["len"]] = True
    return mask


def files():
    out = []
    for make in (clip_by_norm, l2_ball, box_constraint, non_negative, gradient_noise):
        out.append(File(make.__name__))
        make(out[-1])
    return out
