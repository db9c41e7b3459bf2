"""Soft orthogonality: the value, and the gradient by automatic differentiation of it."""

import jax
import jax.numpy as jnp
import numpy as np
import torch

from oracle import JAX, TORCH, File, agree, draw


def files():
    value, gradient = File("orthogonal_penalty"), File("orthogonal_penalty_grad")
    for i, (name, rows, cols, gram, strength) in enumerate(
        (
            ("rows", 4, 8, "rows", 0.25),
            ("more rows than columns", 7, 3, "rows", 0.125),
            ("columns", 6, 5, "columns", 0.5),
            ("fewer columns, by themselves", 9, 4, "smaller", 0.25),
            ("as many, so rows", 5, 5, "smaller", 2.0),
        )
    ):
        w, g = draw(900 + i, rows, cols, spread=0.5), draw(920 + i, rows, cols)
        by_row = gram == "rows" or gram == "smaller" and rows <= cols
        fields = {"dtype": "f32", "rows": rows, "cols": cols, "lambda": strength, "gram": gram}

        t = torch.tensor(w, requires_grad=True)
        m = t if by_row else t.T
        loss = strength * torch.linalg.matrix_norm(m @ m.T - torch.eye(m.shape[0])) ** 2
        loss.backward()

        def penalty(w, by_row=by_row, strength=strength):
            m = w if by_row else w.T
            return strength * jnp.sum((m @ m.T - jnp.eye(m.shape[0])) ** 2)

        by_jax = np.asarray(jax.grad(penalty)(jnp.asarray(w)))
        agree(name, loss.item(), penalty(jnp.asarray(w)))
        agree(name, t.grad.numpy(), by_jax)
        for framework, v, d in ((TORCH, loss.item(), t.grad.numpy()), (JAX, penalty(jnp.asarray(w)), by_jax)):
            value.add(name, framework, (fields, {"weight": w}, {"value": [v]}))
            gradient.add(name, framework, (fields, {"weight": w, "grad": g}, {"grad": g + d}))
    return [value, gradient]
