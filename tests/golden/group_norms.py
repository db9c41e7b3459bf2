"""Group and instance norm: output, saved statistics, gradients."""

import flax.linen as linen
import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

from batch_norms import FLAX, flax_params, moved, tensor
from oracle import JAX, TORCH, File, agree, draw, stored
from row_norms import frozen


def cube_of(x, at):
    """(N, C, S) from memory order, for any number of channels."""
    n, c, s = at["n"], at["c"], at["s"]
    return x.reshape(n, c, s) if at["layout"] == "channels_first" else moved(x.reshape(n, s, c))


def flat_of(x, at):
    """Memory order from (N, C, S)."""
    return np.ascontiguousarray(x if at["layout"] == "channels_first" else moved(x)).ravel()


def by_jax(x, params, mean, rstd, groups):
    """The op from statistics that were saved in float32: their rounding is not to be differentiated."""
    n, c, s = x.shape
    lines = x.reshape(n, groups, -1)
    mu = frozen(mean, lines.mean(2, keepdims=True), 1.0)
    r = frozen(rstd, ((lines - mean) ** 2).mean(2, keepdims=True), -0.5 * rstd**3)
    return ((lines - mu) * r).reshape(n, c, s) * params["weight"][:, None] + params["bias"][:, None]


def norms(op, rows):
    forward, backward = File(op), File(op + "_backward")
    for i, (name, shape, groups, layout, weight, bias, eps, shift) in enumerate(rows):
        n, c, s = shape
        at = {"n": n, "c": c, "s": s, "layout": layout}
        fields = {"dtype": "f32", "space": at, "weight": weight, "bias": bias}
        fields |= {"groups": groups} if op == "group_norm" else {}
        seed = (2100 if op == "group_norm" else 2200) + 5 * i
        x, dy = cube_of(draw(seed, n * c * s, mean=shift), at), cube_of(draw(seed + 1, n * c * s), at)
        if name.startswith("one channel"):
            x = x.copy()
            x[:, 1] = stored(x[:, 1] + 1e4)
        p = {"weight": draw(seed + 2, c, mean=1.0, spread=0.5)} if weight else {}
        p |= {"bias": draw(seed + 3, c)} if bias else {}
        w, b = tensor(p.get("weight")), tensor(p.get("bias"))
        _, mean, rstd = torch.native_group_norm(tensor(x), w, b, n, c, s, groups, eps)
        names = {"use_scale": weight, "use_bias": bias, "use_fast_variance": False, "dtype": jnp.float64}
        names |= {"epsilon": eps, "param_dtype": jnp.float64}
        if op == "group_norm":
            y = F.group_norm(tensor(x), groups, w, b, eps).numpy()
            layer = linen.GroupNorm(num_groups=groups, **names)
        else:
            y = F.instance_norm(tensor(x), None, None, w, b, True, 0.0, eps).numpy()
            layer = linen.InstanceNorm(**names)
        yj = moved(np.asarray(layer.apply({"params": flax_params(p)}, jnp.asarray(moved(x)))))
        # Far from zero, both lose digits of float64.
        far = 1 + 1e4 * (shift > 1 or name.startswith("one channel"))
        agree(name, y / far, yj / far)
        mean, rstd = mean.numpy(), rstd.numpy()
        for framework, out in ((TORCH, y), (FLAX, yj)):
            expected = {"y": flat_of(out, at), "mean": mean.ravel(), "rstd": rstd.ravel()}
            forward.add(name, framework, (fields | {"eps": eps}, {"x": flat_of(x, at)} | p, expected))
        if far > 1:
            continue
        mean, rstd = stored(mean), stored(rstd)
        full = {"weight": p.get("weight", np.ones(c)), "bias": p.get("bias", np.zeros(c))}
        args = (tensor(dy), tensor(x), tensor(mean), tensor(rstd), tensor(full["weight"]), n, c, s, groups, [True] * 3)
        by_torch = [np.asarray(g) for g in torch.ops.aten.native_group_norm_backward(*args)]
        lines = (mean.reshape(n, groups, 1), rstd.reshape(n, groups, 1))
        _, pull = jax.vjp(lambda x, q: by_jax(x, q, *lines, groups), jnp.asarray(x), {k: jnp.asarray(v) for k, v in full.items()})
        dx, rest = pull(jnp.asarray(dy))
        of_jax = [np.asarray(dx), np.asarray(rest["weight"]), np.asarray(rest["bias"])]
        for framework, grads in ((TORCH, by_torch), (JAX, of_jax)):
            expected = {"dx": flat_of(grads[0].reshape(n, c, s), at)}
            expected |= {"d" + k: g for k, g in zip(("weight", "bias"), grads[1:]) if fields[k]}
            given = {"x": flat_of(x, at), "dy": flat_of(dy, at), "mean": mean.ravel(), "rstd": rstd.ravel()}
            given |= {k: v for k, v in p.items() if k == "weight"}
            backward.add(name, framework, (fields, given, expected))
        for a, b in zip(by_torch, of_jax):
            agree(f"{name}: gradients", a.reshape(b.shape), b)
    return [forward, backward]


def files():
    first, last = "channels_first", "channels_last"
    groups = norms(
        "group_norm",
        (
            ("channels first", (2, 6, 3), 2, first, True, True, 1e-5, 0.0),
            ("channels last", (2, 6, 4), 3, last, True, True, 1e-5, 0.0),
            ("one group, weight only", (3, 4, 2), 1, last, True, False, 1e-5, 0.3),
            ("a group per channel, bias only, Keras' eps 1e-3", (1, 4, 5), 4, first, False, True, 1e-3, 0.0),
            ("plain rows (S = 1), neither, Flax's eps 1e-6", (3, 8, 1), 2, first, False, False, 1e-6, 0.0),
            ("mean 10^4 times the spread", (1, 4, 4), 2, last, True, True, 1e-5, 1e4),
            ("one channel of four far from the others", (1, 4, 4), 1, first, True, True, 1e-5, 0.0),
        ),
    )
    instances = norms(
        "instance_norm",
        (
            ("channels first", (2, 3, 5), 3, first, True, True, 1e-5, 0.0),
            ("channels last", (3, 4, 3), 4, last, True, True, 1e-5, 0.0),
            ("neither weight nor bias", (2, 3, 4), 3, first, False, False, 1e-5, 0.3),
            ("weight only, Flax's eps 1e-6", (2, 2, 4), 2, last, True, False, 1e-6, 0.0),
            ("bias only", (1, 3, 4), 3, first, False, True, 1e-3, 0.0),
            ("mean 10^4 times the spread", (1, 2, 6), 2, last, True, True, 1e-5, 1e4),
        ),
    )
    return [*groups, *instances]
