"""Losses of models side by side: each model by itself, with a weight for each of its rows."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
import torch.nn.functional as F

from oracle import JAX, TORCH, File, agree, draw, rng

OPTAX = f"optax {optax.__version__}, {JAX}"


def shares(seed, rows, models, columns):
    """Shares of a 16th: they add up to 1 in float32 as well, as the gradient of the op supposes."""
    return rng(seed).multinomial(16, np.ones(columns) / columns, (rows, models)) / 16.0


def add(file, name, loss, columns, seed, target, by_torch, by_jax):
    rows, models = target.shape[:2]
    padded = -(-columns // 4) * 4
    prediction, weight = draw(seed, rows, models, columns, spread=2.0), draw(seed + 1, rows, models)
    weight[1, 0] = 0.0
    z, w = torch.tensor(prediction, requires_grad=True), torch.tensor(weight)
    each = by_torch(z, torch.tensor(target))
    (w * each).sum().backward()
    sums = lambda p: (weight * by_jax(p, target)).sum(0)
    one = {"loss": (w * each).sum(0).detach().numpy(), "grad": z.grad.numpy()}
    two = {"loss": np.asarray(sums(prediction)), "grad": np.asarray(jax.grad(lambda p: sums(p).sum())(jnp.asarray(prediction)))}
    hit = np.asarray(prediction.argmax(2) == target.argmax(2))
    right = (weight * hit).sum(0) if loss == "cross_entropy" else np.zeros(models)
    # What fills the last quad counts for nothing; its gradient is 0.
    fill = lambda v, by: np.pad(v, ((0, 0), (0, 0), (0, padded - columns)), constant_values=by)
    fields = {"loss": loss, "models": models, "rows": rows, "columns": columns}
    inputs = {"prediction": fill(prediction, 7.0), "target": fill(target, -3.0), "weight": weight}
    for k in one:
        agree(f"{file.op}, {name}: {k}", one[k], two[k])
    for framework, found in ((TORCH, one), (OPTAX, two)):
        file.add(name, framework, (fields, inputs, {"grad": fill(found["grad"], 0.0), "loss": found["loss"], "right": right}))


def files():
    file = File("batched_loss")
    entropy = lambda z, t: F.cross_entropy(z.flatten(0, 1), t.flatten(0, 1), reduction="none").reshape(z.shape[:2])
    squares = lambda z, t: F.mse_loss(z, t, reduction="none").sum(2)
    classes = lambda seed, rows, models, k: np.eye(k)[rng(seed).integers(0, k, (rows, models))]
    for i, (rows, models, k) in enumerate(((3, 2, 5), (4, 3, 4))):
        t = classes(710 + i, rows, models, k)
        add(file, f"cross-entropy of {k} classes", "cross_entropy", k, 700 + 2 * i, t, entropy, optax.softmax_cross_entropy)
        t = shares(730 + i, rows, models, k)
        add(file, f"cross-entropy of shares of {k}", "cross_entropy", k, 720 + 2 * i, t, entropy, optax.softmax_cross_entropy)
        t = draw(750 + i, rows, models, k)
        by_optax = lambda p, t: optax.squared_error(p, t).sum(2)
        add(file, f"squared error of {k}", "squared_error", k, 740 + 2 * i, t, squares, by_optax)
    return [file]
