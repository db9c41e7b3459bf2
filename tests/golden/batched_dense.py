"""Dense layers of many models: products of batches of matrices, their gradients, and the rows that go into them."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

from oracle import JAX, TORCH, File, agree, draw, rng, stored


def by_torch(x, w, bias):
    """x [rows, models, inputs], w [models, inputs (+ 1), outputs]."""
    weight = w[:, : x.shape[2]]
    y = torch.bmm(x.transpose(0, 1), weight).transpose(0, 1)
    return y + w[:, -1] if bias else y


def by_jax(x, w, bias):
    y = jnp.einsum("rmi,mio->rmo", x, w[:, : x.shape[2]])
    return y + w[:, -1] if bias else y


def layers(forward, weight_grad, input_grad):
    for i, (name, models, rows, inputs, outputs, bias) in enumerate(
        (
            ("one model", 1, 3, 4, 8, False),
            ("with a bias", 3, 5, 8, 4, True),
            ("more rows than a tile", 2, 19, 12, 8, False),
            ("many models", 9, 2, 4, 4, True),
        )
    ):
        fields = {"models": models, "rows": rows, "inputs": inputs, "outputs": outputs, "bias": bias}
        # What is in front of the layer: a ReLU and a dropout, of other probabilities for each model.
        p = stored(np.linspace(0.0, 0.8, models))
        z, w = draw(900 + i, rows, models, inputs), draw(910 + i, models, inputs + bias, outputs)
        kept = rng(920 + i).random(z.shape) >= p[:, None]
        dy = draw(930 + i, rows, models, outputs)
        scale = 1 / (1 - p)[:, None]
        gate = stored(np.maximum(z, 0) * kept * scale)

        x, tw = torch.tensor(gate).requires_grad_(), torch.tensor(w).requires_grad_()
        y = by_torch(x, tw, bias)
        (dw,) = torch.autograd.grad(y, tw, torch.tensor(dy))
        tz = torch.tensor(z).requires_grad_()
        h = F.relu(tz) * torch.tensor(kept * scale)
        (dx,) = torch.autograd.grad(by_torch(h, tw, bias), tz, torch.tensor(dy))
        one = (y.detach().numpy(), dw.numpy(), dx.numpy())

        jw = jnp.asarray(w)
        yj, pull = jax.vjp(lambda w: by_jax(jnp.asarray(gate), w, bias), jw)
        _, pull_z = jax.vjp(lambda z: by_jax(jax.nn.relu(z) * (kept * scale), jw, bias), jnp.asarray(z))
        two = tuple(np.asarray(v) for v in (yj, pull(jnp.asarray(dy))[0], pull_z(jnp.asarray(dy))[0]))
        for a, b in zip(one, two):
            agree(name, a, b)
        for framework, (y, dw, dx) in ((TORCH, one), (JAX, two)):
            forward.add(name, framework, (fields, {"x": gate, "w": w}, {"y": y}))
            weight_grad.add(name, framework, (fields, {"x": gate, "dy": dy}, {"dw": dw}))
            input_grad.add(name, framework, (fields, {"dy": dy, "w": w, "gate": gate, "p": p}, {"dx": dx}))


def gathers(file):
    for i, (name, rows, columns, picks, past) in enumerate((("a permutation", 6, 4, 6, False), ("rows that are none", 5, 8, 7, True))):
        source = draw(940 + i, rows, columns)
        order = rng(950 + i).permutation(rows) if not past else rng(950 + i).integers(0, rows, picks)
        if past:
            order[[1, 4]] = rows, 2**32 - 1
        # PyTorch has no row of zeros beyond the last one: give it one.
        padded = torch.cat([torch.tensor(source), torch.zeros(1, columns)])
        one = F.embedding(torch.tensor(np.minimum(order, rows)), padded).numpy()
        two = np.asarray(jnp.take(jnp.asarray(source), jnp.asarray(order), axis=0, mode="fill", fill_value=0))
        agree(name, one, two)
        fields = {"rows": rows, "columns": columns, "picks": picks}
        for framework, out in ((TORCH, one), (JAX, two)):
            file.add(name, framework, (fields, {"source": source, "order": order.astype(np.uint32)}, {"out": out}))


def files():
    made = [File(op) for op in ("batched_dense", "batched_dense_weight_grad", "batched_dense_input_grad", "gather_rows")]
    layers(*made[:3])
    gathers(made[3])
    return made
