"""Batch norm in training: output, saved and running statistics.

PyTorch holds the running variance unbiased, Flax biased: each is the oracle of its own convention.
"""

import flax
import flax.linen as linen
import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

from oracle import JAX, TORCH, File, agree, draw, stored

N, C, S = 2, 3, 3
FLAX = f"flax {flax.__version__}, {JAX}"


def space(layout, n=N, s=S):
    return {"n": n, "c": C, "s": s, "layout": layout}


def spread(x, at):
    """(N, C, S) from memory order."""
    return x.reshape(at["n"], C, at["s"]) if at["layout"] == "channels_first" else moved(x.reshape(at["n"], at["s"], C))


def flat(x, at):
    """Memory order from (N, C, S)."""
    return np.ascontiguousarray(x if at["layout"] == "channels_first" else moved(x)).ravel()


def moved(x):
    return np.moveaxis(x, 2, 1)


def parameters(seed, fields):
    """weight and bias, where the op has them."""
    out = {}
    if fields["weight"]:
        out["weight"] = draw(seed, C, mean=1.0, spread=0.5)
    if fields["bias"]:
        out["bias"] = draw(seed + 1, C)
    return out


def tensor(v, grad=False):
    return None if v is None else torch.tensor(v, requires_grad=grad)


def layer(fields, **more):
    """A Flax layer; its axis of channels is the last one. Not the fast variance: E[x^2] - E[x]^2."""
    names = {"use_scale": fields["weight"], "use_bias": fields["bias"], "use_fast_variance": False, "dtype": jnp.float64}
    return linen.BatchNorm(epsilon=fields["eps"], param_dtype=jnp.float64, **(names | more))


def flax_params(p):
    return {ours: jnp.asarray(p[theirs]) for ours, theirs in (("scale", "weight"), ("bias", "bias")) if theirs in p}


def saved(x, eps):
    """What training saves, per channel, from PyTorch's kernel."""
    _, mean, rstd = torch.native_batch_norm(torch.tensor(x), None, None, None, None, True, 0.0, eps)
    return mean.numpy(), rstd.numpy()


def trained(file):
    base = {"dtype": "f32", "eps": 1e-5, "weight": True, "bias": True, "running": None, "one_value": "error"}
    first, last = space("channels_first"), space("channels_last")
    shifted = {"mean": 1e4, "spread": 1.0}
    for i, (name, fields, data) in enumerate(
        (
            ("channels first", base | {"space": first}, {}),
            ("channels last", base | {"space": last}, {}),
            ("neither weight nor bias", base | {"space": first, "weight": False, "bias": False}, {}),
            ("weight only, channels last", base | {"space": last, "bias": False}, {}),
            ("bias only, eps 1e-3", base | {"space": first, "weight": False, "eps": 1e-3}, {}),
            ("batch norm of plain rows (S = 1)", base | {"space": space("channels_last", 7, 1)}, {}),
            ("mean 10^4 times the spread", base | {"space": first}, shifted),
        )
    ):
        at = fields["space"]
        x, p = draw(100 + i, at["n"] * C * at["s"], **data), parameters(120 + 2 * i, fields)
        cube = spread(x, at)
        mean, rstd = saved(cube, fields["eps"])
        y = F.batch_norm(torch.tensor(cube), None, None, tensor(p.get("weight")), tensor(p.get("bias")), True, 0, fields["eps"])
        variables = {"params": flax_params(p), "batch_stats": {"mean": jnp.zeros(C), "var": jnp.ones(C)}}
        yj, stats = layer(fields, momentum=0.0).apply(
            variables, jnp.asarray(moved(cube)), use_running_average=False, mutable=["batch_stats"]
        )
        yj = moved(np.asarray(yj))
        # Far from zero, both lose 4 of float64's 16 digits.
        agree(name, y.numpy() / (1 + data.get("mean", 0)), yj / (1 + data.get("mean", 0)))
        # With momentum 0, Flax's running statistics are the batch's own.
        mean_j = np.asarray(stats["batch_stats"]["mean"])
        rstd_j = 1 / np.sqrt(np.asarray(stats["batch_stats"]["var"]) + fields["eps"])
        for framework, out, m, r in ((TORCH, y.numpy(), mean, rstd), (FLAX, yj, mean_j, rstd_j)):
            file.add(name, framework, (fields, {"x": x} | p, {"y": flat(out, at), "mean": m, "rstd": r}))


def running(file):
    """Three batches in a row, the running statistics carried from one to the next."""
    rules = (
        ("momentum 0.1", {"momentum": 0.1}, {"momentum": 0.1}),
        ("momentum 0.01", {"momentum": 0.01}, {"momentum": 0.01}),
        ("cumulative (momentum=None)", None, {"momentum": None}),
    )
    for i, (name, update, module) in enumerate(rules):
        for layout in ("channels_first", "channels_last"):
            at = space(layout)
            bn = torch.nn.BatchNorm1d(C, eps=1e-5, **module)
            start = {"running_mean": draw(150 + i, C), "running_var": stored(draw(153 + i, C) ** 2)}
            p = parameters(156 + 2 * i, {"weight": True, "bias": True})
            with torch.no_grad():
                for k, v in (start | p).items():
                    getattr(bn, k).copy_(torch.tensor(v))
            steps = []
            for seen in range(3):
                x = draw(160 + 3 * i + seen, N * C * S, mean=0.5 * seen)
                cube = spread(x, at)
                y = flat(bn(torch.tensor(cube)).detach().numpy(), at)
                expected = {"running_mean": bn.running_mean.numpy().copy(), "running_var": bn.running_var.numpy().copy()}
                mean, rstd = saved(cube, 1e-5)
                for k, v in expected.items():
                    getattr(bn, k).copy_(torch.tensor(stored(v)))
                fields = {"dtype": "f32", "space": at, "eps": 1e-5, "weight": True, "bias": True, "one_value": "error"}
                rule = update or {"cumulative": {"seen": seen}}
                fields["running"] = {"update": rule, "variance": "unbiased"}
                inputs = {"x": x} | p | (start if seen == 0 else {})
                steps.append((fields, inputs, {"y": y, "mean": mean, "rstd": rstd} | expected))
            file.add(f"running statistics, {name}, unbiased, {layout}", TORCH, *steps)
    flax_running(file, "momentum 0.1 (Flax: 0.9), biased", space("channels_last"), 0.1, "error")
    flax_running(file, "one value per channel, biased: the guard changes nothing", space("channels_last", 1, 1), 0.1, "guard")
    one = F.batch_norm
    try:
        one(torch.ones(1, C), None, None, training=True)
        raise AssertionError("PyTorch took one value per channel")
    except ValueError as e:
        # The policy "error" is PyTorch's.
        assert "more than 1 value per channel" in str(e)


def flax_running(file, name, at, a, one_value):
    fields = {"dtype": "f32", "space": at, "eps": 1e-5, "weight": True, "bias": True, "one_value": one_value}
    fields["running"] = {"update": {"momentum": a}, "variance": "biased"}
    module = layer(fields, momentum=1 - a)
    p = parameters(180, fields)
    stats = {"mean": draw(182, C), "var": stored(draw(183, C) ** 2)}
    steps = []
    for t in range(3):
        x = draw(184 + t, at["n"] * at["s"] * C)
        cube = spread(x, at)
        variables = {"params": flax_params(p), "batch_stats": {k: jnp.asarray(v) for k, v in stats.items()}}
        y, after = module.apply(variables, jnp.asarray(moved(cube)), use_running_average=False, mutable=["batch_stats"])
        inputs = {"x": x} | p
        if t == 0:
            inputs |= {"running_mean": stats["mean"], "running_var": stats["var"]}
        stats = {k: stored(v) for k, v in after["batch_stats"].items()}
        mean, rstd = cube.mean((0, 2)), 1 / np.sqrt(cube.var((0, 2)) + 1e-5)
        expected = {"y": flat(moved(np.asarray(y)), at), "mean": mean, "rstd": rstd}
        steps.append((fields, inputs, expected | {"running_mean": stats["mean"], "running_var": stats["var"]}))
    file.add(f"running statistics, {name}", FLAX, *steps)


def files():
    import batch_norm_fused

    train = File("batch_norm")
    trained(train)
    running(train)
    batch_norm_fused.forward(train)
    return [train]
