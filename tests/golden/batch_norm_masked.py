"""Batch norm of the positions that a mask keeps: Flax's mask, PyTorch's batch norm of the values that remain."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

from batch_norms import FLAX, C, flat, flax_params, layer, moved, parameters, space, spread, tensor
from batch_norm_gradients import jax_backward, torch_backward, weight_of
from oracle import TORCH, File, agree, draw, stored


def words(kept):
    """(N, S) to words of 32 bits, the first position in the lowest bit."""
    bits = np.zeros(-(-kept.size // 32) * 32, np.uint64)
    bits[: kept.size] = kept.ravel()
    return (bits.reshape(-1, 32) << np.arange(32, dtype=np.uint64)).sum(1).astype(np.uint32)


def masks(n, s):
    """Sequences that end somewhere, one of them empty; and positions here and there."""
    ends = np.arange(s)[None, :] < np.array([s, 2, 0, s - 1])[:n, None]
    here = np.random.default_rng(1400).random((n, s)) < 0.6
    return ("padded at the end", ends), ("positions here and there", here)


def cases():
    for i, layout in enumerate(("channels_first", "channels_last")):
        at = space(layout, 4, 5)
        for k, (name, kept) in enumerate(masks(4, 5)):
            yield 10 * i + k, f"{name}, {layout}", at, kept


def forward(file):
    for i, name, at, kept in cases():
        variance = ("unbiased", "biased")[i % 2]
        fields = {"dtype": "f32", "space": at, "eps": 1e-5, "weight": True, "bias": True}
        fields["running"] = {"update": {"momentum": 0.1}, "variance": variance}
        x, p = draw(1410 + i, at["n"] * C * at["s"], mean=0.5), parameters(1430 + 2 * i, fields)
        cube = spread(x, at)
        old = [draw(1450 + i, C), stored(draw(1470 + i, C) ** 2)]
        inputs = {"x": x, "mask": words(kept)} | p | {"running_mean": old[0], "running_var": old[1]}
        # The values that remain are a batch of plain rows.
        rows = tensor(moved(cube)[kept])
        mean, var = rows.mean(0), rows.var(0, correction=0)
        running = [tensor(v).clone() for v in old]
        y = np.zeros_like(moved(cube))
        y[kept] = F.batch_norm(rows, *running, tensor(p["weight"]), tensor(p["bias"]), True, 0.1, 1e-5).numpy()
        y = moved(y)
        if variance == "biased":
            running[1] = 0.9 * tensor(old[1]) + 0.1 * var
        one = {"y": flat(y, at), "mean": mean.numpy(), "rstd": (1 / torch.sqrt(var + 1e-5)).numpy()}
        one |= {"running_mean": running[0].numpy(), "running_var": running[1].numpy()}
        file.add(name, TORCH, (fields, inputs, one))
        variables = {"params": flax_params(p), "batch_stats": {"mean": jnp.asarray(old[0]), "var": jnp.asarray(old[1])}}
        yj, after = layer(fields, momentum=0.9).apply(
            variables, jnp.asarray(moved(cube)), use_running_average=False, mask=kept[:, :, None], mutable=["batch_stats"]
        )
        yj = moved(np.where(kept[:, :, None], np.asarray(yj), 0.0))
        agree(name, y, yj)
        agree(f"{name}: the mean", running[0], after["batch_stats"]["mean"])
        if variance == "biased":
            of = {k: np.asarray(v) for k, v in after["batch_stats"].items()}
            agree(f"{name}: the variance", running[1], of["var"])
            other = one | {"y": flat(yj, at), "running_mean": of["mean"], "running_var": of["var"]}
            file.add(name, FLAX, (fields, inputs, other))


def backward(file):
    for i, name, at, kept in cases():
        fields = {"dtype": "f32", "space": at, "weight": True, "bias": True}
        n = at["n"] * C * at["s"]
        x, dy, p = draw(1500 + i, n), draw(1520 + i, n), parameters(1540 + 2 * i, fields)
        rows, up = (moved(spread(v, at))[kept] for v in (x, dy))
        mean, rstd = stored(rows.mean(0)), stored(1 / np.sqrt(rows.var(0) + 1e-5))
        inputs = {"x": x, "dy": dy, "mean": mean, "rstd": rstd} | weight_of(p) | {"mask": words(kept)}

        def whole(dx, kept=kept, at=at):
            out = np.zeros((at["n"], at["s"], C))
            out[kept] = dx
            return flat(moved(out), at)

        cubes = rows[:, :, None], up[:, :, None]
        grads = torch_backward(*cubes, mean, rstd, p)
        one = {"dx": whole(grads["x"].numpy()[:, :, 0]), "dweight": grads["weight"].numpy(), "dbias": grads["bias"].numpy()}
        dxj, dpj = jax_backward(*cubes, mean, rstd, p)
        other = {"dx": whole(dxj[:, 0, :]), "dweight": np.asarray(dpj["scale"]), "dbias": np.asarray(dpj["bias"])}
        for k in one:
            agree(f"{name}: {k}", one[k], other[k])
        file.add(name, TORCH, (fields, inputs, one))
        file.add(name, FLAX, (fields, inputs, other))


def files():
    out = [File("batch_norm_masked"), File("batch_norm_masked_backward")]
    forward(out[0])
    backward(out[1])
    return out
