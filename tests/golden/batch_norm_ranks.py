"""Batch norm whose batch lies on several ranks.

PyTorch's kernels for it run on CUDA only; these are their formulas by its functions and by JAX's, and its autograd where
there is something to derive.
"""

import jax
import jax.numpy as jnp
import numpy as np
import torch

from batch_norm_fused import activated, by_jax, by_torch
from batch_norms import C, flat, parameters, space, spread, tensor
from oracle import JAX, TORCH, File, agree, draw, stored

column = lambda v: v[:, None]
LEAKY = {"leaky_relu": {"slope": 0.1}}


def two(file, name, fields, inputs, one, other):
    for k in one:
        agree(f"{name}: {k}", one[k], other[k])
    file.add(name, TORCH, (fields, inputs, {k: np.asarray(v) for k, v in one.items()}))
    file.add(name, JAX, (fields, inputs, {k: np.asarray(v) for k, v in other.items()}))


def statistics(file):
    for i, (name, at, mean) in enumerate(
        (
            ("channels first", space("channels_first"), 0.0),
            ("channels last, far from 0", space("channels_last", 2, 3), 1e3),
            ("a rank without a sample", space("channels_first", 0, 3), 0.0),
        )
    ):
        x = draw(1200 + i, at["n"] * C * at["s"], mean=mean)
        cube, m = spread(x, at), at["n"] * at["s"]
        var, mu = torch.var_mean(tensor(cube), (0, 2), correction=0) if m else (torch.zeros(C), torch.zeros(C))
        one = {"count": [float(m)], "mean": mu.numpy(), "m2": (var * m).numpy()}
        mu = jnp.asarray(cube).mean((0, 2)) if m else jnp.zeros(C)
        other = {"count": [float(m)], "mean": mu, "m2": ((jnp.asarray(cube) - column(mu)) ** 2).sum((0, 2))}
        # Far from 0, both lose 3 of float64's 16 digits.
        for k in one:
            agree(f"{name}: {k}", np.asarray(one[k]) / (1 + mean), np.asarray(other[k]) / (1 + mean))
        file.add(name, TORCH, ({"dtype": "f32", "space": at}, {"x": x}, one))
        file.add(name, JAX, ({"dtype": "f32", "space": at}, {"x": x}, {k: np.asarray(v) for k, v in other.items()}))


def merged(np_, counts, means, m2s, eps, update, variance, old):
    """The whole's mean, 1/sqrt(variance + eps) and running statistics, with PyTorch's or JAX's functions."""
    n = np_.asarray(counts)[:, None]
    means, m2s = np_.asarray(means), np_.asarray(m2s)
    m = n.sum()
    mean = (n * means).sum(0) / m
    m2 = (m2s + n * (means - mean) ** 2).sum(0)
    out = {"count": [float(m)], "mean": mean, "rstd": 1 / np_.sqrt(m2 / m + eps)}
    if update:
        of = lambda old, new: (1 - update) * np_.asarray(old) + update * new
        less = 1 if variance == "unbiased" else 0
        out |= {"running_mean": of(old[0], mean), "running_var": of(old[1], m2 / (m - less))}
    return out


def merge(file):
    for i, (name, counts, update, variance) in enumerate(
        (
            ("unequal ranks, one empty, unbiased", [12.0, 0.0, 3.0, 40.0], 0.1, "unbiased"),
            ("biased", [5.0, 7.0], 0.25, "biased"),
            ("no running statistics", [1.0, 1.0, 30.0], None, None),
        )
    ):
        ranks = len(counts)
        fields = {"ranks": ranks, "channels": C, "eps": 1e-5, "running": None}
        if update:
            fields["running"] = {"update": {"momentum": update}, "variance": variance}
        means, m2s = draw(1220 + i, ranks, C, mean=2.0), stored(draw(1230 + i, ranks, C) ** 2 * column(np.asarray(counts)))
        old = [draw(1240 + i, C), stored(draw(1250 + i, C) ** 2)]
        inputs = {"counts": np.asarray(counts), "means": means.ravel(), "m2s": m2s.ravel()}
        if update:
            inputs |= {"running_mean": old[0], "running_var": old[1]}
        args = counts, means, m2s, 1e-5, update, variance, old
        two(file, name, fields, inputs, merged(torch, *args), merged(jnp, *args))


def both_ways(apply, sums, back):
    for i, (name, layout, activation, residual) in enumerate(
        (
            ("plain, channels last", "channels_last", "none", False),
            ("ReLU", "channels_first", "relu", False),
            ("residual and leaky ReLU, channels last", "channels_last", LEAKY, True),
            ("residual and SiLU", "channels_first", "silu", True),
        )
    ):
        at = space(layout, 2, 3)
        n = at["n"] * C * at["s"]
        fields = {"dtype": "f32", "space": at, "weight": True, "bias": True, "activation": activation, "residual": residual}
        x, dy, rest, p = draw(1260 + i, n), draw(1270 + i, n), draw(1280 + i, n), parameters(1290 + 2 * i, fields)
        cube, up, rest_cube = spread(x, at), spread(dy, at), spread(rest, at) if residual else 0.0
        mean, rstd = draw(1300 + i, C), stored(draw(1310 + i, C) ** 2 + 0.5)
        total, product, count = draw(1320 + i, C), draw(1330 + i, C), np.asarray([23.0])
        given = {"mean": mean, "rstd": rstd}

        # PyTorch: the gradients of gamma and beta are the sums, that of the residual is g.
        leaves = [tensor(v, True) for v in (p["weight"], p["bias"], np.broadcast_to(rest_cube, cube.shape).copy())]
        xhat = (tensor(cube) - column(tensor(mean))) * column(tensor(rstd))
        y = by_torch(activation, xhat * column(leaves[0]) + column(leaves[1]) + leaves[2])
        dweight, dbias, g = torch.autograd.grad(y, leaves, tensor(up))
        inner = g - (column(tensor(total)) + xhat * column(tensor(product))) / 23.0
        dx = column(tensor(p["weight"]) * tensor(rstd)) * inner
        one = [y.detach().numpy(), dbias.numpy(), dweight.numpy(), dx.numpy(), g.numpy()]

        xh = (jnp.asarray(cube) - column(mean)) * column(rstd)
        act = lambda w, b, r, xh=xh, activation=activation: by_jax(activation, xh * column(w) + column(b) + r)
        yj, pull = jax.vjp(act, jnp.asarray(p["weight"]), jnp.asarray(p["bias"]), jnp.broadcast_to(rest_cube, cube.shape))
        dwj, dbj, gj = pull(jnp.asarray(up))
        # Linear in g and in the sums: the mean of what the normalised values may not follow is taken off.
        dxj = column(p["weight"] * rstd) * (gj - jnp.stack([column(total) + 0 * xh, xh * column(product)]).sum(0) / 23.0)
        other = [yj, dbj, dwj, dxj, gj]

        order = lambda v, at=at: flat(np.asarray(v), at)
        more = {"residual": rest} if residual else {}
        two(apply, name, fields, {"x": x} | given | p | more, {"y": order(one[0])}, {"y": order(other[0])})
        sign = {} if activation == "none" else activated(fields, p, more, order(one[0]))
        # The sums need the weight only where they form what was activated again.
        alone = {"y": sign["y"]} if "y" in sign else sign
        keys = {"sum_dy": 1, "sum_dy_xhat": 2}
        pick = lambda v: {k: v[i] for k, i in keys.items()}
        two(sums, name, fields, {"x": x, "dy": dy} | given | alone, pick(one), pick(other))
        sign = {"weight": p["weight"]} | sign
        inputs = {"x": x, "dy": dy} | given | sign | {"sum_dy": total, "sum_dy_xhat": product, "count": count}
        pick = lambda v: {"dx": order(v[3])} | ({"dresidual": order(v[4])} if residual else {})
        two(back, name, fields, inputs, pick(one), pick(other))


def files():
    names = ("statistics", "merge", "apply", "backward_sums", "backward_apply")
    out = [File("batch_norm_" + name) for name in names]
    statistics(out[0])
    merge(out[1])
    both_ways(*out[2:])
    return out
