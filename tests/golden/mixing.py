"""Mixup, CutMix, cutout: the draws once more, from their description, and what torchvision does with them."""

import jax
import jax.numpy as jnp
import numpy as np
import torch

from oracle import JAX, TORCH, File, agree, draw, philox, rng

KEY = {"seed": 0x0123456789ABCDEF, "stream": 4, "step": 9, "first_element": 0}
SMALLEST = float(np.finfo(np.float32).tiny)


def words(key, purpose, number, attempt=0):
    """The two 64-bit numbers of a block."""
    block = (purpose << 60) + (number << 8) + attempt
    a, b, c, d = (int(w) for w in philox(np.array([block], np.uint64), key["seed"], key["stream"], key["step"])[0])
    return a + (b << 32), c + (d << 32)


def unit(w):
    return ((w >> 11) + 1) / 2**53


def below(n, w):
    return (w * n) >> 64


def beta(key, number, alpha):
    """Beta(alpha, alpha), by Ulrich or by Jöhnk."""
    if alpha >= 0.5:
        u, v = map(unit, words(key, 1, number))
        power = 2 / (2 * alpha - 1) if alpha > 0.5 else np.inf
        return (1 + np.sqrt(1 - u**power) * np.cos(2 * np.pi * v)) / 2
    attempt = 0
    while True:
        x, y = (unit(w) ** (1 / alpha) for w in words(key, 1, number, attempt))
        if x + y <= 1:
            # The tests below take no alpha for which both may be 0.
            share = x / (x + y)
            return 0.0 if share < SMALLEST else share
        attempt += 1


def shuffled(key, first, n):
    all_ = list(range(n))
    for i in range(n - 1, 0, -1):
        j = below(i + 1, words(key, 2, first + i)[0])
        all_[i], all_[j] = all_[j], all_[i]
    return all_


def box(key, number, lam, height, width):
    """torchvision.transforms.v2.CutMix.make_params, for a centre drawn here."""
    y, x = (below(d, w) for d, w in zip((height, width), words(key, 3, number)))
    r = 0.5 * np.sqrt(1 - lam)
    h, w = int(r * height), int(r * width)
    return max(y - h, 0), max(x - w, 0), min(y + h, height), min(x + w, width)


def square(key, number, length, height, width):
    """Cutout.__call__ of the authors' program."""
    y, x = (below(d, w) for d, w in zip((height, width), words(key, 3, number)))
    return tuple(int(np.clip(v, 0, d)) for v, d in
                 ((y - length // 2, height), (x - length // 2, width), (y + length // 2, height), (x + length // 2, width)))


def rectangle(key, number, p, scale, ratio, height, width):
    """torchvision.transforms.RandomErasing.get_params."""
    if unit(words(key, 4, number, 255)[0]) > p:
        return 0, 0, 0, 0
    low, high = np.log(ratio)
    for t in range(10):
        a, b = map(unit, words(key, 4, number, 2 * t))
        area = height * width * (scale[0] + a * (scale[1] - scale[0]))
        aspect = np.exp(low + b * (high - low))
        h, w = int(round(np.sqrt(area * aspect))), int(round(np.sqrt(area / aspect)))
        if h < height and w < width:
            i, j = words(key, 4, number, 2 * t + 1)
            top, left = below(height - h + 1, i), below(width - w + 1, j)
            return top, left, top + h, left + w
    return 0, 0, 0, 0


def one_hot(seed, n, classes):
    return np.eye(classes)[rng(seed).integers(0, classes, n)]


def both(file, back, name, fields, x, dy, torch_forward, jax_forward, more, drop=()):
    """`more`: further inputs and outputs of the forward pass, computed by the caller."""
    inputs, outputs = more
    xt = torch.tensor(x, requires_grad=True)
    yt = torch_forward(xt)
    yt.backward(torch.tensor(dy))
    yj, pull = jax.vjp(jax_forward, jnp.asarray(x))
    gj = pull(jnp.asarray(dy))[0]
    agree(name, yt.detach(), yj)
    agree(name, xt.grad, gj)
    behind = {k: v for k, v in fields.items() if k not in drop}
    for framework, y, g in ((TORCH, yt.detach().numpy(), xt.grad.numpy()), (JAX, np.asarray(yj), np.asarray(gj))):
        file.add(name, framework, (fields, {"x": x} | inputs, {"y": y} | outputs))
        back.add(name, framework, (behind, {"dy": dy}, {"dx": g}))


def space(n, c, h, w, last):
    return {"n": n, "c": c, "s": h * w, "layout": "channels_last" if last else "channels_first"}


def mixups(forward, backward):
    n, c, h, w, k = 5, 2, 3, 3, 4
    roll, flip = [n - 1, *range(n - 1)], list(range(n))[::-1]
    first = 7 * c * h * w
    cases = [
        ("one share for the batch, alpha 1, shuffled", {"per_batch": 1.0}, "shuffle", 0),
        ("one share for the batch, alpha 0.3, torchvision's roll", {"per_batch": 0.3}, "roll", 0),
        ("a share for each sample, alpha 0.2, timm's flip", {"per_sample": 0.2}, "flip", 0),
        ("samples 7 to 11 of a larger batch, alpha 2.5", {"per_sample": 2.5}, "shuffle", first),
        ("shares and partners given", {"given": [0.0, 1.0, 0.5, 0.25, 0.9]}, {"given": [1, 0, 3, 4, 2]}, 0),
    ]
    for i, (name, lam, partners, start) in enumerate(cases):
        key = KEY | {"first_element": start}
        number = start // (c * h * w)
        (kind, value), = lam.items()
        shares = {
            "per_batch": lambda: [beta(key, 0, value)] * n,
            "per_sample": lambda: [beta(key, number + j, value) for j in range(n)],
            "given": lambda: value,
        }[kind]()
        named = {"roll": roll, "flip": flip} | ({"shuffle": shuffled(key, number, n)})
        order = np.array(partners["given"] if isinstance(partners, dict) else named[partners])
        x, dy, labels = draw(600 + i, n, c, h, w), draw(610 + i, n, c, h, w), one_hot(620 + i, n, k)
        share = np.array(shares).reshape(n, 1, 1, 1)
        mix = lambda v, at: at(share) * v + (1 - at(share)) * v[order]
        if partners == "roll":
            t = torch.tensor(x)
            assert torch.equal(t.roll(1, 0), t[torch.tensor(order)])
        fields = {"dtype": "f32", "space": space(n, c, h, w, False), "classes": k, "lambda": lam, "partners": partners, "key": key}
        mixed = share[:, :, 0, 0] * labels + (1 - share[:, :, 0, 0]) * labels[order]
        more = ({"labels": labels}, {"mixed": mixed})
        both(forward, backward, name, fields, x, dy, lambda v: mix(v, torch.tensor), lambda v: mix(v, jnp.asarray), more, ("classes",))


def masks(boxes, n, c, h, w, last):
    """True within the boxes, in the layout of the tensor."""
    out = np.zeros((n, c, h, w), bool)
    for j, (top, left, bottom, right) in enumerate(boxes):
        out[j, :, top:bottom, left:right] = True
    return out.transpose(0, 2, 3, 1) if last else out


def given(boxes):
    return [{"top": t, "left": l, "height": b - t, "width": r - l} for t, l, b, r in boxes]


def cutmixes(forward, backward):
    n, c, h, w, k = 3, 2, 4, 3, 3
    fixed = [(0, 0, 2, 2), (1, 1, 4, 3), (0, 0, 0, 0)]
    for i, (name, cut, partners, last) in enumerate((
        ("one box for the batch, alpha 1, shuffled", {"per_batch": 1.0}, "shuffle", False),
        ("torchvision's roll, channels last", {"per_batch": 1.0}, "roll", True),
        ("a box for each sample, alpha 0.6", {"per_sample": 0.6}, "shuffle", False),
        ("boxes of given shares, channels last", {"lambda": [0.1, 0.5, 0.0]}, "flip", True),
        ("one box of a given share", {"lambda": [0.4]}, "roll", False),
        ("boxes given", {"boxes": given(fixed)}, {"given": [1, 2, 0]}, False),
    )):
        key = KEY | {"step": 20 + i}
        (kind, value), = cut.items()
        if kind == "boxes":
            boxes = fixed
        else:
            single = kind == "per_batch" or len(value if kind == "lambda" else "many") == 1
            numbers = [0] * n if single else range(n)
            shares = {
                "per_batch": lambda: [beta(key, 0, value)] * n,
                "per_sample": lambda: [beta(key, j, value) for j in range(n)],
                "lambda": lambda: value * n if single else value,
            }[kind]()
            boxes = [box(key, number, lam, h, w) for number, lam in zip(numbers, shares)]
        order = {"shuffle": shuffled(key, 0, n), "roll": [n - 1, *range(n - 1)], "flip": [2, 1, 0]}.get(str(partners)) or partners["given"]
        shape = (n, h, w, c) if last else (n, c, h, w)
        x, dy, labels = draw(640 + i, *shape), draw(650 + i, *shape), one_hot(660 + i, n, k)
        mask = masks(boxes, n, c, h, w, last)
        lam = np.array([1 - (b - t) * (r - l) / (h * w) for t, l, b, r in boxes]).reshape(n, 1)
        fields = {"dtype": "f32", "space": space(n, c, h, w, last), "width": w, "classes": k, "cut": cut, "partners": partners, "key": key}
        mixed = lam * labels + (1 - lam) * labels[order]
        by_torch = lambda v: torch.where(torch.tensor(mask), v[torch.tensor(order)], v)
        by_jax = lambda v: jnp.where(mask, v[jnp.asarray(order)], v)
        both(forward, backward, name, fields, x, dy, by_torch, by_jax, ({"labels": labels}, {"mixed": mixed}), ("classes",))


def cutouts(forward, backward):
    n, c, h, w = 4, 2, 4, 3
    erasing = {"p": 0.7, "scale": [0.1, 0.5], "ratio": [0.3, 3.3]}
    fixed = [(1, 1, 3, 3)]
    for i, (name, holes, value, last) in enumerate((
        ("a square", {"square": 4}, 0.0, False),
        ("a square of odd side, channels last", {"square": 3}, 0.5, True),
        ("random erasing", {"erasing": erasing}, 0.0, False),
        ("random erasing with a value, channels last", {"erasing": erasing | {"p": 1.0}}, -1.5, True),
        ("one box for all", {"boxes": given(fixed)}, 2.0, False),
    )):
        key = KEY | {"step": 40 + i}
        boxes = {
            "square": lambda: [square(key, j, holes["square"], h, w) for j in range(n)],
            "erasing": lambda: [rectangle(key, j, **holes["erasing"], height=h, width=w) for j in range(n)],
            "boxes": lambda: fixed * n,
        }[next(iter(holes))]()
        shape = (n, h, w, c) if last else (n, c, h, w)
        x, dy, mask = draw(680 + i, *shape), draw(690 + i, *shape), masks(boxes, n, c, h, w, last)
        fields = {"dtype": "f32", "space": space(n, c, h, w, last), "width": w, "holes": holes, "value": value, "key": key}
        by_torch = lambda v: torch.where(torch.tensor(mask), torch.tensor(value), v)
        by_jax = lambda v: jnp.where(mask, value, v)
        both(forward, backward, name, fields, x, dy, by_torch, by_jax, ({}, {}), ("value",))


def files():
    all_ = {op: File(op) for op in ("mixup", "mixup_backward", "cutmix", "cutmix_backward", "cutout", "cutout_backward")}
    mixups(all_["mixup"], all_["mixup_backward"])
    cutmixes(all_["cutmix"], all_["cutmix_backward"])
    cutouts(all_["cutout"], all_["cutout_backward"])
    return list(all_.values())
