"""Rows, columns and whole matrices: group lasso by autograd, torch.renorm, Keras' constraints as its source states them, optax's
adaptive_grad_clip and centralize."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

from oracle import JAX, TORCH, File, agree, draw

OPTAX = f"optax {optax.__version__}, {JAX}"


def matrix(start, rows, cols, unit="rows", group=0):
    return {"start": start, "rows": rows, "cols": cols, "unit": unit, "group": group}


# A linear layer as PyTorch and as JAX lay it out, and a bias; gaps between, whose contents must stay. Units of 4, 9, 4 and 16.
MATRICES = [matrix(0, 5, 4), matrix(20, 3, 9, "rows", 1), matrix(48, 4, 3, "columns", 1), matrix(60, 1, 16, "whole", 2)]
LEN = 76


def views(x, matrices=MATRICES):
    """Each matrix with its units as rows."""
    out = []
    for m in matrices:
        v = x[m["start"] : m["start"] + m["rows"] * m["cols"]]
        v = v.reshape(1, -1) if m["unit"] == "whole" else v.reshape(m["rows"], m["cols"])
        out.append(v.T if m["unit"] == "columns" else v)
    return out


def whole(x, parts, matrices=MATRICES):
    """The arena with its matrices changed, and its gaps as they were."""
    out = np.array(x)
    for m, p in zip(matrices, parts):
        p = np.asarray(p)
        out[m["start"] : m["start"] + m["rows"] * m["cols"]] = (p.T if m["unit"] == "columns" else p).ravel()
    return out


def fields(**changes):
    return {"dtype": "f32", "matrices": MATRICES} | changes


def weights(seed, spread=1.0):
    """With one unit of zeros."""
    w = draw(seed, LEN, spread=spread)
    w[4:8] = 0.0
    return w


# Factors and roots of sizes that float32 holds, so that thresholds are the same numbers everywhere.
GROUPS = [
    {"lambda": 0.25, "l1": 0.0, "weighting": "root_size"},
    {"lambda": 0.5, "l1": 0.125, "weighting": "root_size"},
    {"lambda": 0.75, "l1": 0.25, "weighting": "one"},
]


def factors(v, m):
    g = GROUPS[m["group"]]
    return g["lambda"] * (v.shape[1] ** 0.5 if g["weighting"] == "root_size" else 1.0), g["l1"]


def safe_norm(v):
    """JAX' derivative of a root is infinite at 0."""
    square = jnp.square(v).sum(1)
    return jnp.where(square == 0, 0.0, jnp.sqrt(jnp.where(square == 0, 1.0, square)))


def penalties(value, grad, prox):
    for seed in (1, 2):
        w, g = weights(seed), draw(10 + seed, LEN)

        def by_torch(w):
            total = 0.0
            for v, m in zip(views(w), MATRICES):
                strength, l1 = factors(v, m)
                total = total + strength * torch.linalg.vector_norm(v, dim=1).sum() + l1 * v.abs().sum()
            return total

        def by_jax(w):
            total = 0.0
            for v, m in zip(views(w), MATRICES):
                strength, l1 = factors(v, m)
                total = total + strength * safe_norm(v).sum() + l1 * (v * jax.lax.stop_gradient(jnp.sign(v))).sum()
            return total

        wt = torch.tensor(w, requires_grad=True)
        omega = by_torch(wt)
        omega.backward()
        vj, gj = jax.value_and_grad(by_jax)(jnp.asarray(w))
        agree("value", omega.detach(), vj)
        agree("gradient", wt.grad, gj)
        for framework, v, d in ((TORCH, omega.item(), wt.grad.numpy()), (JAX, float(vj), np.asarray(gj))):
            value.add(f"sparse groups, {seed}", framework, (fields(groups=GROUPS), {"weight": w}, {"value": [v]}))
            grad.add(
                f"sparse groups, {seed}, by autograd",
                framework,
                (fields(groups=GROUPS), {"weight": w, "grad": g}, {"grad": g + d}),
            )
        step = [0.5, 2.0][seed - 1]
        parts_torch, parts_jax, zeros = [], [], 0
        for v, m in zip(views(w), MATRICES):
            strength, l1 = factors(v, m)
            t = torch.nn.functional.softshrink(torch.tensor(v.copy()), step * l1)
            norm = torch.linalg.vector_norm(t, dim=1, keepdim=True)
            t = torch.where(norm > step * strength, t * (1 - step * strength / norm), 0.0)
            j = jnp.sign(v) * jnp.maximum(jnp.abs(v) - step * l1, 0)
            norm = safe_norm(j)[:, None]
            j = j * jnp.maximum(1 - step * strength / jnp.where(norm == 0, 1e-300, norm), 0)
            parts_torch.append(t.numpy())
            parts_jax.append(j)
            zeros += int((t == 0).all(1).sum())
        assert 0 < zeros < 12, zeros
        agree("prox", whole(w, parts_torch), whole(w, parts_jax))
        for framework, parts in ((TORCH, parts_torch), (JAX, parts_jax)):
            prox.add(
                f"sparse groups, step {step}",
                framework,
                (
                    fields(groups=GROUPS, step=step),
                    {"weight": w},
                    {"weight": whole(w, parts), "zeros": np.array([zeros], np.uint32)},
                ),
            )


def constraints(max_norm, unit_norm, min_max_norm):
    """Keras: keras/src/constraints/constraints.py; its epsilon is 1e-7."""
    w, eps = weights(3, 0.6), 1e-7

    def add(file, name, changes, formula):
        by_torch = [formula(torch, torch.tensor(v.copy()), torch.linalg.vector_norm(torch.tensor(v.copy()), dim=1)[:, None]) for v in views(w)]
        by_jax = [formula(jnp, jnp.asarray(v), jnp.sqrt(jnp.square(v).sum(1))[:, None]) for v in views(w)]
        agree(name, whole(w, by_torch), whole(w, by_jax))
        for framework, parts in ((TORCH, by_torch), (JAX, by_jax)):
            file.add(name, f"{framework}, by formula", (fields(**changes), {"weight": w}, {"weight": whole(w, parts)}))

    for most in (0.75, 1.5):
        by_torch = [torch.renorm(torch.tensor(v.copy()), 2, 0, most) for v in views(w)]
        max_norm.add(
            f"torch form, {most}",
            f"{TORCH}, renorm",
            (fields(max=most, form="torch"), {"weight": w}, {"weight": whole(w, by_torch)}),
        )
        if most > 1:
            continue
        add(max_norm, f"keras form, {most}", {"max": most, "form": "keras"}, lambda _, w, n: w * (n.clip(0, most) / (eps + n)))
        add(
            max_norm,
            f"plain form, {most}",
            {"max": most, "form": "plain"},
            lambda xp, w, n: xp.where(n > most, w * (most / xp.where(n > most, n, 1.0)), w),
        )
    for e in (1e-7, 0.25):
        add(unit_norm, f"UnitNorm, {e}", {"eps": e}, lambda _, w, n: w / (e + n))
    for low, high, rate in ((0.5, 1.25, 1.0), (1.0, 1.5, 0.25)):
        add(
            min_max_norm,
            f"MinMaxNorm, {low} to {high} at {rate}",
            {"min": low, "max": high, "rate": rate},
            lambda _, w, n: w * ((rate * n.clip(low, high) + (1 - rate) * n) / (eps + n)),
        )


def transforms(clip, central):
    # optax clips columns of matrices (inputs, outputs), and vectors as a whole; its kernels of convolutions are HWIO.
    matrices = [matrix(0, 4, 3, "columns"), matrix(12, 12, 5, "columns"), matrix(72, 1, 7, "whole")]
    shapes = [(4, 3), (2, 2, 3, 5), (7,)]
    length = 79
    for clipping, spread in ((0.5, 1.0), (0.25, 1e-3)):
        w, g = draw(20, length, spread=spread), draw(21, length)
        w[[0, 3, 6, 9]] = 0.0
        g[12:72:5] *= 0.01
        tree = lambda x: [jnp.asarray(x[m["start"] : m["start"] + m["rows"] * m["cols"]]).reshape(s) for m, s in zip(matrices, shapes)]
        rule = optax.adaptive_grad_clip(clipping)
        out, _ = rule.update(tree(g), rule.init(tree(w)), tree(w))
        by_optax = np.array(g)
        for m, o in zip(matrices, out):
            by_optax[m["start"] : m["start"] + m["rows"] * m["cols"]] = np.asarray(o).ravel()
        by_torch = []
        for vw, vg in zip(views(w, matrices), views(g, matrices)):
            vw, vg = torch.tensor(vw.copy()), torch.tensor(vg.copy())
            most = clipping * torch.linalg.vector_norm(vw, dim=1, keepdim=True).clamp(min=1e-3)
            norm = torch.linalg.vector_norm(vg, dim=1, keepdim=True)
            by_torch.append(torch.where(norm < most, vg, vg * (most / norm.clamp(min=1e-6))))
        agree("adaptive_clip", by_optax, whole(g, by_torch, matrices))
        step = {"dtype": "f32", "matrices": matrices, "clipping": clipping}
        for framework, x in ((f"{OPTAX}, adaptive_grad_clip", by_optax), (f"{TORCH}, by formula", whole(g, by_torch, matrices))):
            clip.add(f"clipping {clipping}, weights of {spread}", framework, (step, {"weight": w, "grad": g}, {"grad": x}))
    # optax takes the mean over all axes but the first, as of PyTorch's layers and filters (OIHW), and leaves vectors.
    matrices = [matrix(0, 5, 4), matrix(20, 3, 18), matrix(76, 1, 7, "whole")]
    shapes = [(5, 4), (3, 2, 3, 3), (7,)]
    for offset in (0.0, 3.0):
        g = draw(22, 83, mean=offset)
        tree = [jnp.asarray(g[m["start"] : m["start"] + m["rows"] * m["cols"]]).reshape(s) for m, s in zip(matrices, shapes)]
        out, _ = optax.centralize().update(tree, optax.EmptyState())
        by_optax = np.array(g)
        for m, o in zip(matrices, out):
            by_optax[m["start"] : m["start"] + m["rows"] * m["cols"]] = np.asarray(o).ravel()
        vectors = lambda m, v: v if m["unit"] == "whole" else v - v.mean(1, keepdim=True)
        by_torch = [vectors(m, torch.tensor(v.copy())) for m, v in zip(matrices, views(g, matrices))]
        agree("centralize", by_optax, whole(g, by_torch, matrices))
        step = {"dtype": "f32", "matrices": matrices}
        for framework, x in ((f"{OPTAX}, centralize", by_optax), (f"{TORCH}, by formula", whole(g, by_torch, matrices))):
            central.add(f"rows, mean {offset}", framework, (step, {"grad": g}, {"grad": x}))


def files():
    out = [
        File(op)
        for op in (
            "group_lasso",
            "group_lasso_grad",
            "group_lasso_prox",
            "max_norm",
            "unit_norm",
            "min_max_norm",
            "adaptive_clip",
            "centralize",
        )
    ]
    penalties(*out[:3])
    constraints(*out[3:6])
    transforms(*out[6:])
    return out
