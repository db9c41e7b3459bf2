"""Local response normalisation: PyTorch's own, and the formula in JAX (which has no such layer)."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

from oracle import JAX, TORCH, File, agree, draw


def by_formula(x, size, k, a, beta):
    """Over axis 1 of (N, C, S)."""
    c = x.shape[1]
    squares = jnp.pad(x**2, ((0, 0), (size // 2, (size - 1) // 2), (0, 0)))
    total = sum(squares[:, j : j + c] for j in range(size))
    return x * (k + a * total) ** -beta


def files():
    forward, backward = File("local_response_norm"), File("local_response_norm_backward")
    for i, (name, layout, (n, c, s), size, k, alpha, beta, form) in enumerate(
        (
            ("the paper's constants", "channels_first", (1, 7, 6), 5, 2.0, 1e-4, 0.75, "sum"),
            ("PyTorch, large alpha", "channels_first", (2, 6, 4), 5, 1.0, 0.8, 0.75, "mean"),
            ("an even size", "channels_last", (1, 9, 5), 4, 1.0, 1.0, 0.5, "mean"),
            ("TensorFlow's sum, depth_radius 1", "channels_last", (2, 5, 4), 3, 1.0, 1.0, 0.5, "sum"),
            ("more than all channels, beta 0.6", "channels_first", (1, 3, 8), 9, 1.5, 0.5, 0.6, "mean"),
            ("beta 1, size 1", "channels_last", (1, 4, 6), 1, 1.0, 0.7, 1.0, "sum"),
        )
    ):
        x, dy = draw(900 + i, n, c, s, spread=2.0), draw(910 + i, n, c, s)
        space = {"n": n, "c": c, "s": s, "layout": layout}
        fields = {"dtype": "f32", "space": space, "size": size, "k": k, "alpha": alpha, "beta": beta, "alpha_form": form}
        laid = (lambda a: np.asarray(a)) if layout == "channels_first" else (lambda a: np.asarray(a).transpose(0, 2, 1))
        # PyTorch divides by the size.
        tx = torch.tensor(x).requires_grad_()
        y = F.local_response_norm(tx, size, alpha if form == "mean" else alpha * size, beta, k)
        (dx,) = torch.autograd.grad(y, tx, torch.tensor(dy))
        a = alpha / size if form == "mean" else alpha
        yj, pull = jax.vjp(lambda x: by_formula(x, size, k, a, beta), jnp.asarray(x))
        (dxj,) = pull(jnp.asarray(dy))
        agree(name, y.detach().numpy(), yj)
        agree(f"{name}: gradient", dx.numpy(), dxj)
        for framework, out, grad in ((TORCH, y.detach().numpy(), dx.numpy()), (JAX, yj, dxj)):
            forward.add(name, framework, (fields, {"x": laid(x)}, {"y": laid(out)}))
            backward.add(name, framework, (fields, {"x": laid(x), "dy": laid(dy)}, {"dx": laid(grad)}))
    return [forward, backward]
