"""Losses: values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
import torch.nn.functional as F

from oracle import JAX, TORCH, File, agree, draw, rng, stored

OPTAX = f"optax {optax.__version__}, {JAX}"


def both(file, name, fields, inputs, gradient, of, by_torch, by_jax):
    """Loss and gradient with respect to the input `of`, by both; `by_*` take the inputs as tensors."""
    tensors = {k: torch.tensor(v) for k, v in inputs.items()}
    tensors[of].requires_grad_()
    loss = by_torch(**tensors)
    loss.sum().backward()
    one = {"loss": loss.detach().numpy().ravel(), gradient: tensors[of].grad.numpy()}
    arrays = {k: jnp.asarray(v) for k, v in inputs.items()}
    rest = {k: v for k, v in arrays.items() if k != of}
    value = by_jax(**arrays)
    grad = jax.grad(lambda x: by_jax(**{of: x}, **rest).sum())(arrays[of])
    two = {"loss": np.asarray(value).ravel(), gradient: np.asarray(grad)}
    for k in one:
        agree(f"{file.op}, {name}: {k}", one[k], two[k])
    for framework, expected in ((TORCH, one), (OPTAX, two)):
        file.add(name, framework, (fields, inputs, expected))


def cross_entropies(file):
    rows, k = 4, 5
    for i, (name, fields) in enumerate(
        (
            ("classes, mean", {}),
            ("classes, sum", {"reduction": "sum"}),
            ("classes, each", {"reduction": "none", "label_smoothing": 0.1}),
            ("class weights, mean", {"class_weight": True}),
            ("class weights and smoothing, mean", {"class_weight": True, "label_smoothing": 0.2}),
            ("PyTorch's ignored class, mean", {"ignore_index": 2**32 - 100}),
            ("ignored class with weights and smoothing", {"ignore_index": 2, "class_weight": True, "label_smoothing": 0.1}),
            ("probabilities, mean", {"target": "probabilities"}),
            (
                "probabilities, weights and smoothing, sum",
                {"target": "probabilities", "class_weight": True, "label_smoothing": 0.2, "reduction": "sum"},
            ),
            ("z-loss", {"z_loss": 0.05}),
            ("confidence penalty, each", {"confidence_penalty": 0.3, "reduction": "none"}),
            ("focal loss with weights", {"focal_gamma": 2.0, "class_weight": True}),
            ("focal loss, gamma 0.5, with z-loss and confidence penalty", {"focal_gamma": 0.5, "z_loss": 0.1, "confidence_penalty": 0.1}),
        )
    ):
        soft = fields.get("target") == "probabilities"
        inputs = {"logits": draw(500 + i, rows, k, spread=2.0)}
        target = rng(520 + i).integers(0, k, rows).astype(np.uint32)
        ignored = fields.get("ignore_index")
        if ignored is not None:
            target[1] = ignored
        if soft:
            inputs["target"] = stored(rng(540 + i).dirichlet(np.ones(k), rows))
        else:
            inputs["target"] = target
        if fields.get("class_weight"):
            inputs["class_weight"] = np.abs(draw(560 + i, k, mean=1.0, spread=0.5))
        e, reduction = fields.get("label_smoothing", 0.0), fields.get("reduction", "mean")
        z_loss, beta, gamma = (fields.get(f, 0.0) for f in ("z_loss", "confidence_penalty", "focal_gamma"))

        def by_torch(logits, target, class_weight=None):
            index = torch.tensor(inputs["target"].astype(np.int64).clip(max=1000)) if not soft else None
            ignore = min(ignored, 1000) if ignored is not None else -100
            t = target if soft else index
            ask = lambda r: F.cross_entropy(logits, t, class_weight, ignore_index=ignore, label_smoothing=e, reduction=r)
            if not (z_loss or beta or gamma):
                return ask(reduction)
            log_p = F.log_softmax(logits, 1)
            p = log_p.exp()
            w = torch.ones(rows) if class_weight is None else class_weight[t]
            right = p.gather(1, t[:, None])[:, 0]
            entropy = -(p * log_p).sum(1)
            each = (1 - right) ** gamma * ask("none") + w * (z_loss * torch.logsumexp(logits, 1) ** 2 - beta * entropy)
            return {"mean": each.sum() / w.sum(), "sum": each.sum(), "none": each}[reduction]

        def by_jax(logits, target, class_weight=None):
            w = jnp.ones(k) if class_weight is None else class_weight
            if soft:
                t, kept, of_row = target, jnp.ones(rows), jnp.ones(rows)
            else:
                kept = jnp.ones(rows) if ignored is None else 1.0 * (target != ignored)
                t = jax.nn.one_hot(jnp.where(kept > 0, target, 0), k)
                of_row = kept * (t @ w)
            each = optax.softmax_cross_entropy(logits, w * optax.smooth_labels(t, e))
            log_p = jax.nn.log_softmax(logits)
            p = jnp.exp(log_p)
            each = each * (1 - (p * t).sum(1)) ** gamma if gamma else each
            other = z_loss * jax.nn.logsumexp(logits, axis=1) ** 2 + beta * (p * log_p).sum(1)
            each = kept * each + of_row * other
            return {"mean": each.sum() / of_row.sum(), "sum": each.sum(), "none": each}[reduction]

        shape = {"dtype": "f32", "rows": rows, "classes": k}
        both(file, name, shape | fields, inputs, "dlogits", "logits", by_torch, by_jax)


def pairwise(file, gradient, cases):
    """Losses of pairs: name, fields, PyTorch's and optax's function of prediction and target, by element."""
    for i, (name, fields, by_torch, by_jax) in enumerate(cases):
        n = 9 + i
        pred, target = draw(600 + i, n), draw(620 + i, n)
        # One meets its target, one is far off.
        target[2] = pred[2]
        pred[3] = target[3] + 5.0
        reduction = fields.get("reduction", "mean")
        jax_reduced = {"mean": jnp.mean, "sum": jnp.sum, "none": lambda v: v}[reduction]
        inputs = {"pred": pred, "target": target}
        torch_of = lambda pred, target: by_torch(pred, target, reduction=reduction)
        jax_of = lambda pred, target: jax_reduced(by_jax(pred, target))
        both(file, name, {"dtype": "f32", "len": n} | fields, inputs, gradient, "pred", torch_of, jax_of)


def mse_losses(file):
    half = lambda p, t, reduction: 0.5 * F.mse_loss(p, t, reduction=reduction)
    each = {"reduction": "none"}
    pairwise(
        file,
        "dpred",
        (
            ("mean", {}, F.mse_loss, optax.squared_error),
            ("sum", {"reduction": "sum"}, F.mse_loss, optax.squared_error),
            ("each", each, F.mse_loss, optax.squared_error),
            ("half", {"form": "half"}, half, optax.l2_loss),
            ("half, each", each | {"form": "half"}, half, optax.l2_loss),
        ),
    )


def l1_losses(file):
    # JAX gives |x| the slope 1 at 0; where equals meet, it takes the mean of both slopes.
    absolute = lambda p, t: jnp.maximum(p - t, t - p)
    pairwise(
        file,
        "dpred",
        (
            ("mean", {}, F.l1_loss, absolute),
            ("sum", {"reduction": "sum"}, F.l1_loss, absolute),
            ("each", {"reduction": "none"}, F.l1_loss, absolute),
        ),
    )


def huber_losses(file):
    huber = lambda d: lambda p, t, reduction: F.huber_loss(p, t, reduction=reduction, delta=d)
    smooth = lambda b: lambda p, t, reduction: F.smooth_l1_loss(p, t, reduction=reduction, beta=b)
    by_optax = lambda d: lambda p, t: optax.huber_loss(p, t, delta=d)
    over = lambda b: lambda p, t: optax.huber_loss(p, t, delta=b) / b
    pairwise(
        file,
        "dpred",
        (
            ("delta 1, mean", {}, huber(1.0), by_optax(1.0)),
            ("delta 0.5, sum", {"delta": 0.5, "reduction": "sum"}, huber(0.5), by_optax(0.5)),
            ("delta 2, each", {"delta": 2.0, "reduction": "none"}, huber(2.0), by_optax(2.0)),
            ("smooth L1, mean", {"form": "smooth_l1"}, smooth(1.0), over(1.0)),
            ("smooth L1, beta 0.25, each", {"form": "smooth_l1", "delta": 0.25, "reduction": "none"}, smooth(0.25), over(0.25)),
            ("smooth L1, beta 0", {"form": "smooth_l1", "delta": 0.0}, smooth(0.0), lambda p, t: jnp.maximum(p - t, t - p)),
        ),
    )


def files():
    cross_entropy, mse, l1, huber = (File(n) for n in ("cross_entropy", "mse_loss", "l1_loss", "huber_loss"))
    cross_entropies(cross_entropy)
    mse_losses(mse)
    l1_losses(l1)
    huber_losses(huber)
    return [cross_entropy, mse, l1, huber]
