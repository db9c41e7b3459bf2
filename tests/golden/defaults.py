"""Makes defaults/frameworks.json, the parameters of the frameworks' functions and classes and their defaults, by inspection:
KERAS_BACKEND=jax v/bin/python defaults.py

tests/it/frameworks.rs holds docs/from-frameworks.md against it. A parameter without a default is {"required": true}. What says where
and how something is computed, and not what, is left out. What the page says of Keras' optimizers, of which there are no golden values, is
asserted here.
"""

import inspect
import json
import os
import pathlib

HERE = pathlib.Path(__file__).parent

NAMES = """
torch.optim.SGD torch.optim.Adam torch.optim.AdamW torch.optim.RMSprop torch.optim.Adagrad
torch.optim.Adamax torch.optim.NAdam optax.adamax keras.optimizers.Adamax keras.optimizers.Nadam
optax.sgd optax.adam optax.adamw optax.lion optax.rmsprop optax.adagrad
keras.optimizers.SGD keras.optimizers.Adam keras.optimizers.AdamW keras.optimizers.Lion keras.optimizers.RMSprop
keras.optimizers.Adagrad keras.optimizers.Ftrl
torch.nn.BatchNorm1d torch.nn.LayerNorm torch.nn.RMSNorm torch.nn.GroupNorm torch.nn.InstanceNorm1d torch.nn.LocalResponseNorm
flax.linen.BatchNorm flax.linen.LayerNorm flax.linen.RMSNorm flax.linen.GroupNorm flax.linen.InstanceNorm flax.linen.SpectralNorm
keras.layers.BatchNormalization keras.layers.LayerNormalization keras.layers.RMSNormalization keras.layers.GroupNormalization
keras.layers.SpectralNormalization torch.nn.utils.parametrizations.spectral_norm
torch.nn.Dropout torch.nn.AlphaDropout flax.linen.Dropout keras.layers.Dropout keras.layers.AlphaDropout
keras.layers.GaussianDropout keras.layers.GaussianNoise
torch.nn.CrossEntropyLoss torch.nn.HuberLoss torch.nn.SmoothL1Loss torch.nn.MSELoss torch.nn.L1Loss
keras.losses.CategoricalCrossentropy keras.losses.Huber optax.losses.huber_loss
torch.nn.utils.clip_grad_norm_ optax.clip_by_global_norm optax.adaptive_grad_clip optax.add_noise
torch.amp.GradScaler keras.optimizers.LossScaleOptimizer
optax.ema torch.optim.swa_utils.get_ema_avg_fn
keras.constraints.MaxNorm keras.constraints.UnitNorm keras.constraints.MinMaxNorm torch.renorm
keras.regularizers.L1 keras.regularizers.L2 keras.regularizers.L1L2
sklearn.linear_model.ElasticNet sklearn.linear_model.Lasso sklearn.linear_model.Ridge sklearn.linear_model.LogisticRegression
""".split()

# Where and how something is computed or called.
ASIDE = set(
    """self params parameters inner_optimizer args kwargs name names parent device dtype param_dtype mu_dtype accumulator_dtype foreach
    fused capturable differentiable use_fast_variance axis_name axis_index_groups promote_stats force_float32_reductions
    rng_collection deterministic parametrizations module n_jobs verbose random_state copy_X precompute warm_start selection
    synchronized seed key error_if_nonfinite inplace collection_name layer_instance layer input enabled
    initializer scale_init bias_init beta_initializer gamma_initializer moving_mean_initializer moving_variance_initializer
    update_stats""".split()
)


def find(name):
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found = __import__(".".join(parts[:cut]), fromlist=["_"])
        except ImportError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise AssertionError(name)


def plain(value):
    """A default as JSON has it."""
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    assert value is None or isinstance(value, (bool, int, float, str)), value
    return value


def parameters(thing):
    try:
        signature = inspect.signature(thing)
    except ValueError:
        # A function in C++ has none; all that is recorded of it is that it is there.
        return {}
    out = {}
    for name, parameter in signature.parameters.items():
        if name in ASIDE or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        required = parameter.default is parameter.empty
        out[name] = {"required": True} if required else plain(parameter.default)
    return out


def keras_means():
    """Keras' steps are those of the page's remarks: where eps is added, what decays, what FTRL's l2 and beta are."""
    import jax
    import keras
    import numpy as np

    jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    grads = [np.random.default_rng(i).standard_normal(5) for i in range(4)]

    def same(optimizer, start, step):
        variable, w = keras.Variable(np.full(5, start)), np.full(5, start)
        for t, g in enumerate(grads, 1):
            optimizer.apply([keras.ops.convert_to_tensor(g)], [variable])
            w = step(t, g, w)
            off = np.abs(np.asarray(variable) - w).max()
            assert off <= 1e-12, f"{optimizer.name}: off by {off}"

    m, s, z = np.zeros(5), np.zeros(5), np.zeros(5)

    def adam(t, g, w):
        m[:], s[:] = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        late = 1 - 0.999**t
        return w - 0.1 * m / (1 - 0.9**t) / (np.sqrt(s / late) + 1e-2 / np.sqrt(late)) - 0.1 * 0.2 * w

    same(keras.optimizers.AdamW(0.1, weight_decay=0.2, epsilon=1e-2), 1.0, adam)
    m[:], s[:] = 0, 0

    def adamax(t, g, w):
        m[:], s[:] = 0.9 * m + 0.1 * g, np.maximum(0.999 * s, abs(g))
        return w - 0.1 * m / (1 - 0.9**t) / (s + 1e-2)

    same(keras.optimizers.Adamax(0.1, epsilon=1e-2), 1.0, adamax)
    m[:], s[:] = 0, 0

    def nadam(t, g, w):
        m[:], s[:] = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        mu = 0.9 * (1 - 0.5 * 0.96 ** np.arange(1, t + 2))
        ahead = (1 - mu[-2]) / (1 - mu[:-1].prod()) * g + mu[-1] / (1 - mu.prod()) * m
        return w - 0.1 * ahead / (np.sqrt(s / (1 - 0.999**t)) + 1e-2)

    same(keras.optimizers.Nadam(0.1, epsilon=1e-2), 1.0, nadam)
    m[:], s[:] = 0, 0

    def rmsprop(t, g, w):
        s[:] = 0.9 * s + 0.1 * g * g
        m[:] = 0.5 * m + g / np.sqrt(s + 1e-2)
        return w - 0.1 * m

    same(keras.optimizers.RMSprop(0.1, momentum=0.5, epsilon=1e-2), 1.0, rmsprop)
    s[:] = 0.1

    def adagrad(t, g, w):
        s[:] = s + g * g
        return w - 0.1 * g / np.sqrt(s + 1e-2)

    same(keras.optimizers.Adagrad(0.1, epsilon=1e-2), 1.0, adagrad)
    s[:] = 0.1

    def ftrl(t, g, w):
        z[:] = z + g - (np.sqrt(s + g * g) - np.sqrt(s)) / 0.3 * w
        s[:] = s + g * g
        return -np.sign(z) * np.maximum(abs(z) - 0.2, 0) / ((0.7 + np.sqrt(s)) / 0.3 + 2 * 0.1)

    strengths = {"l1_regularization_strength": 0.2, "l2_regularization_strength": 0.1}
    same(keras.optimizers.Ftrl(0.3, beta=0.7, **strengths), 0.0, ftrl)


def main():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import flax
    import keras
    import optax
    import sklearn
    import torch

    keras_means()
    versions = {m.__name__: m.__version__.split("+")[0] for m in (torch, optax, flax, keras, sklearn)}
    out = {"versions": versions, "parameters": {name: parameters(find(name)) for name in sorted(NAMES)}}
    text = json.dumps(out, indent=1, ensure_ascii=False)
    (HERE / "defaults/frameworks.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
