"""Batch norm in virtual batches: PyTorch's and Flax's batch norm of each of them, one after the other."""

import jax.numpy as jnp
import numpy as np
import torch

from batch_norms import FLAX, C, flat, flax_params, layer, moved, parameters, space, spread
from batch_norm_gradients import jax_backward, torch_backward, weight_of
from oracle import TORCH, File, agree, draw, stored


def parts(cube, size):
    return [cube[i : i + size] for i in range(0, len(cube), size)]


def cases():
    rows = (("channels_first", 2, "unbiased", "sequential"), ("channels_last", 1, "biased", "sequential"))
    return (*rows, ("channels_first", 3, "biased", "mean"), ("channels_last", 2, "unbiased", "mean"))


def forward(file):
    for i, (layout, size, variance, rule) in enumerate(cases()):
        at = space(layout, 6 if size != 2 else 4, 3)
        fields = {"dtype": "f32", "space": at, "virtual_batch": size, "eps": 1e-5, "weight": True, "bias": True}
        fields |= {"running": {"update": {"momentum": 0.1}, "variance": variance}, "ghost_running": rule}
        x, p = draw(1700 + i, at["n"] * C * at["s"], mean=0.5), parameters(1710 + 2 * i, fields)
        old = [draw(1720 + i, C), stored(draw(1730 + i, C) ** 2)]
        cubes = parts(spread(x, at), size)
        m = size * at["s"]
        scale = m / (m - 1) if variance == "unbiased" else 1.0
        name = f"{size} of {at['n']} samples, {variance}, {rule}, {layout}"

        bn = torch.nn.BatchNorm1d(C, eps=1e-5, momentum=0.1)
        with torch.no_grad():
            for k, v in ({"running_mean": old[0], "running_var": old[1]} | p).items():
                getattr(bn, k).copy_(torch.tensor(v))
        y = np.concatenate([bn(torch.tensor(c)).detach().numpy() for c in cubes])
        var, mean = zip(*(torch.var_mean(torch.tensor(c), (0, 2), correction=0) for c in cubes))
        var, mean = torch.stack(var).numpy(), torch.stack(mean).numpy()
        out = {"y": flat(y, at), "mean": mean.ravel(), "rstd": (1 / np.sqrt(var + 1e-5)).ravel()}
        if rule == "mean":
            running = [0.9 * old[0] + 0.1 * mean.mean(0), 0.9 * old[1] + 0.1 * scale * var.mean(0)]
        elif variance == "unbiased":
            running = [bn.running_mean.numpy(), bn.running_var.numpy()]
        else:
            running = list(old)
            for mu, v in zip(mean, var):
                running = [0.9 * running[0] + 0.1 * mu, 0.9 * running[1] + 0.1 * v]
        out |= {"running_mean": running[0], "running_var": running[1]}
        inputs = {"x": x} | p | {"running_mean": old[0], "running_var": old[1]}
        file.add(name, TORCH, (fields, inputs, out))

        stats, ys, each = {"mean": jnp.asarray(old[0]), "var": jnp.asarray(old[1])}, [], []
        for c in cubes:
            for momentum, start, keep in ((0.9, stats, True), (0.0, stats, False)):
                variables = {"params": flax_params(p), "batch_stats": start}
                yj, after = layer(fields, momentum=momentum).apply(
                    variables, jnp.asarray(moved(c)), use_running_average=False, mutable=["batch_stats"]
                )
                if keep:
                    ys.append(moved(np.asarray(yj)))
                    following = after["batch_stats"]
                else:
                    each.append([np.asarray(after["batch_stats"][k]) for k in ("mean", "var")])
            stats = following
        mean, var = (np.stack([e[k] for e in each]) for k in (0, 1))
        other = {"y": flat(np.concatenate(ys), at), "mean": mean.ravel(), "rstd": (1 / np.sqrt(var + 1e-5)).ravel()}
        if rule == "mean":
            other["running_mean"] = 0.9 * old[0] + 0.1 * mean.mean(0)
            other["running_var"] = 0.9 * old[1] + 0.1 * scale * var.mean(0)
        elif variance == "biased":
            other |= {"running_mean": np.asarray(stats["mean"]), "running_var": np.asarray(stats["var"])}
        else:
            continue
        for k in out:
            agree(f"{name}: {k}", out[k], other[k])
        file.add(name, FLAX, (fields, inputs, other))


def backward(file):
    for i, (layout, size) in enumerate((("channels_first", 2), ("channels_last", 3))):
        at = space(layout, 2 * size, 3)
        fields = {"dtype": "f32", "space": at, "virtual_batch": size, "weight": True, "bias": True}
        n = at["n"] * C * at["s"]
        x, dy, p = draw(1740 + i, n), draw(1750 + i, n), parameters(1760 + 2 * i, fields)
        pairs = list(zip(parts(spread(x, at), size), parts(spread(dy, at), size)))
        mean = [stored(c.mean((0, 2))) for c, _ in pairs]
        rstd = [stored(1 / np.sqrt(c.var((0, 2)) + 1e-5)) for c, _ in pairs]
        by_torch = [torch_backward(c, up, m, r, p) for (c, up), m, r in zip(pairs, mean, rstd)]
        by_jax = [jax_backward(c, up, m, r, p) for (c, up), m, r in zip(pairs, mean, rstd)]
        one = {"dx": flat(np.concatenate([g["x"].numpy() for g in by_torch]), at)}
        one |= {"d" + k: sum(g[k].numpy() for g in by_torch) for k in ("weight", "bias")}
        other = {"dx": flat(np.concatenate([moved(dx) for dx, _ in by_jax]), at)}
        other |= {"d" + k: sum(np.asarray(g[j]) for _, g in by_jax) for k, j in (("weight", "scale"), ("bias", "bias"))}
        inputs = {"x": x, "dy": dy, "mean": np.concatenate(mean), "rstd": np.concatenate(rstd)} | weight_of(p)
        for framework, out in ((TORCH, one), (FLAX, other)):
            for k in one:
                agree(f"{layout}: {k}", one[k], out[k])
            file.add(f"{size} of {at['n']} samples, {layout}", framework, (fields, inputs, out))


def files():
    out = [File("batch_norm_ghost"), File("batch_norm_ghost_backward")]
    forward(out[0])
    backward(out[1])
    return out
