"""Monte-Carlo dropout: mean and variance over passes by PyTorch and JAX, which see all passes at once."""

import jax.numpy as jnp
import numpy as np
import torch

from oracle import JAX, TORCH, File, agree, draw, stored


def files():
    file = File("monte_carlo_accumulate")
    for case, (name, unbiased) in enumerate((("unbiased", True), ("biased", False))):
        xs = [draw(330 + 10 * case + i, 23, mean=i % 2) for i in range(5)]
        for framework in (TORCH, JAX):
            steps, mean, m2 = [], None, None
            for seen, x in enumerate(xs):
                # The passes so far, as the state that is stored in float32 stands for them: n values with its mean and its
                # squared deviations.
                n = seen + 1
                if framework == TORCH:
                    so_far = torch.tensor(np.stack(xs[:n]))
                    exact = so_far.mean(0).numpy(), so_far.var(0, unbiased=False).numpy() * n
                else:
                    so_far = jnp.stack([jnp.asarray(v) for v in xs[:n]])
                    exact = np.asarray(so_far.mean(0)), np.asarray(so_far.var(0)) * n
                if seen:
                    array = torch.tensor if framework == TORCH else jnp.asarray
                    x_, mean_, m2_ = array(x), array(mean), array(m2)
                    mean, m2 = (np.asarray(v) for v in (mean_ + (x_ - mean_) / n, m2_ + (x_ - mean_) ** 2 * seen / n))
                    assert np.abs(mean - exact[0]).max() < 1e-6 and np.abs(m2 - exact[1]).max() < 1e-5
                else:
                    mean, m2 = x, np.zeros_like(x)
                fields = {"dtype": "f32", "len": 23, "seen": seen}
                inputs, expected = {"x": x}, {"mean": mean, "m2": m2}
                if not seen:
                    inputs |= {"mean": np.full(23, np.nan), "m2": np.full(23, np.nan)}
                if n == len(xs):
                    fields |= {"variance": name}
                    expected |= {"variance": m2 / (seen if unbiased else n)}
                steps.append((fields, inputs, expected))
                mean, m2 = stored(mean), stored(m2)
            file.add(f"five passes, {name}", framework, *steps)
        whole = np.stack(xs)
        agree(name, torch.tensor(whole).var(0, unbiased=unbiased), jnp.var(whole, axis=0, ddof=int(unbiased)))
    return [file]
