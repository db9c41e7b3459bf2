"""Batch renormalisation (Ioffe, 2017), by the paper's formula: r and d are constants to the gradient.

Neither PyTorch nor Flax has the layer; these are their functions and their autograd with `detach` and `stop_gradient`.
"""

import jax
import jax.numpy as jnp
import numpy as np
import torch

from batch_norms import C, flat, parameters, space, spread, tensor
from oracle import JAX, TORCH, File, agree, draw, stored

column = lambda v: v[:, None]
BOUNDS = ((3.0, 5.0), (1.1, 0.3), (1.0, 0.0))


def by_torch(x, weight, bias, center, variance, r_max, d_max):
    var, mean = torch.var_mean(x, (0, 2), correction=0)
    batch, running = torch.sqrt(var + 1e-5), torch.sqrt(variance + 1e-5)
    r = torch.clamp(batch / running, 1 / r_max, r_max).detach()
    d = torch.clamp((mean - center) / running, -d_max, d_max).detach()
    xhat = (x - column(mean)) / column(batch)
    return (xhat * column(r) + column(d)) * column(weight) + column(bias), mean, var, r, d


def by_jax(x, weight, bias, center, variance, r_max, d_max):
    mean, var = jnp.mean(x, (0, 2)), jnp.var(x, (0, 2))
    batch, running = jnp.sqrt(var + 1e-5), jnp.sqrt(variance + 1e-5)
    r = jax.lax.stop_gradient(jnp.clip(batch / running, 1 / r_max, r_max))
    d = jax.lax.stop_gradient(jnp.clip((mean - center) / running, -d_max, d_max))
    xhat = (x - column(mean)) / column(batch)
    return (xhat * column(r) + column(d)) * column(weight) + column(bias), mean, var, r, d


def forward(file):
    for i, (r_max, d_max) in enumerate(BOUNDS):
        at = space(("channels_first", "channels_last")[i % 2], 3, 4)
        variance = ("unbiased", "biased")[i % 2]
        fields = {"dtype": "f32", "space": at, "eps": 1e-5, "weight": True, "bias": True, "r_max": r_max, "d_max": d_max}
        fields["running"] = {"update": {"momentum": 0.1}, "variance": variance}
        x, p = draw(1600 + i, at["n"] * C * at["s"], mean=0.5), parameters(1610 + 2 * i, fields)
        old = [draw(1620 + i, C, mean=0.5, spread=0.5), stored(draw(1630 + i, C) ** 2 + 0.1)]
        less = 1 if variance == "unbiased" else 0
        m = at["n"] * at["s"]
        args = (spread(x, at), p["weight"], p["bias"], *old)
        outs = []
        for lib, apply in ((torch, by_torch), (np, by_jax)):
            given = [tensor(v) if lib is torch else jnp.asarray(v) for v in args]
            y, mean, var, r, d = (np.asarray(v) for v in apply(*given, r_max, d_max))
            out = {"y": flat(y, at), "mean": mean, "rstd": 1 / np.sqrt(var + 1e-5), "correction": np.concatenate([r, d])}
            out["running_mean"] = 0.9 * old[0] + 0.1 * mean
            out["running_var"] = 0.9 * old[1] + 0.1 * var * m / (m - less)
            outs.append(out)
        name = f"r up to {r_max:g}, d up to {d_max:g}, {variance}"
        for k in outs[0]:
            agree(f"{name}: {k}", outs[0][k], outs[1][k])
        inputs = {"x": x} | p | {"running_mean": old[0], "running_var": old[1]}
        for framework, out in zip((TORCH, JAX), outs):
            file.add(name, framework, (fields, inputs, out))


def fixed(value, like):
    """`value`, with the derivative of `like`: what was saved in float32, and depends on x all the same."""
    return like + (tensor(value) - like).detach() if torch.is_tensor(like) else like + jax.lax.stop_gradient(value - like)


def backward(file):
    for i, layout in enumerate(("channels_first", "channels_last")):
        at = space(layout, 3, 4)
        fields = {"dtype": "f32", "space": at, "weight": True, "bias": True}
        n = at["n"] * C * at["s"]
        x, dy, p = draw(1640 + i, n), draw(1650 + i, n), parameters(1660 + 2 * i, fields)
        r, d = stored(np.exp(0.5 * draw(1670 + i, C))), draw(1680 + i, C)
        cube, up = spread(x, at), spread(dy, at)
        mean, rstd = stored(cube.mean((0, 2))), stored(1 / np.sqrt(cube.var((0, 2)) + 1e-5))

        def statistics(lib, x, mean=mean, rstd=rstd):
            """As saved, with the derivatives that they have: rstd's is -rstd^3/2 of the variance's, the variance about `mean`."""
            mu = fixed(mean, x.mean((0, 2)))
            hold = (lambda v: v.detach()) if lib is torch else jax.lax.stop_gradient
            var = ((x - column(hold(mu))) ** 2).mean((0, 2))
            cube = tensor(rstd) if lib is torch else jnp.asarray(rstd)
            return mu, fixed(rstd, -0.5 * cube**3 * var)

        leaves = [tensor(v, True) for v in (cube, p["weight"], p["bias"])]
        mu, s = statistics(torch, leaves[0])
        y = ((leaves[0] - column(mu)) * column(s) * column(tensor(r)) + column(tensor(d))) * column(leaves[1]) + column(leaves[2])
        one = [g.numpy() for g in torch.autograd.grad(y, leaves, tensor(up))]

        def apply(x, weight, bias, r=r, d=d):
            mu, s = statistics(jnp, x)
            return ((x - column(mu)) * column(s) * column(r) + column(d)) * column(weight) + column(bias)

        _, pull = jax.vjp(apply, jnp.asarray(cube), jnp.asarray(p["weight"]), jnp.asarray(p["bias"]))
        other = [np.asarray(g) for g in pull(jnp.asarray(up))]
        inputs = {"x": x, "dy": dy, "mean": mean, "rstd": rstd, "weight": p["weight"], "correction": np.concatenate([r, d])}
        for framework, (dx, dweight, dbias) in ((TORCH, one), (JAX, other)):
            agree(f"{layout}: dx", dx, one[0])
            out = {"dx": flat(dx, at), "dweight": dweight, "dbias": dbias}
            file.add(f"r and d given, {layout}", framework, (fields, inputs, out))


def files():
    out = [File("batch_renorm"), File("batch_renorm_backward")]
    forward(out[0])
    backward(out[1])
    return out
