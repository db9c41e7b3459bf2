"""Makes path_wide.json, what scikit-learn says about paths of data with more features than rows, of features that are nearly the same, and
of classes that a line can separate; beside path.py, with the same requirements: v/bin/python path_wide.py

The data are drawn by a generator that the test has, too, so that they need no file. Each value is that of a minimum, not of a solver: the
features that scikit-learn's solver uses are solved for by Newton's steps, and the conditions of a minimum are asserted for all features, to
1e-11 of the strength at which the first feature enters.
"""

import json
import pathlib
import re
import warnings

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression, enet_path

HERE = pathlib.Path(__file__).parent
PIN = re.search(r"^scikit-learn==(\S+)$", (HERE / "requirements.txt").read_text(), re.M)[1]
assert sklearn.__version__ == PIN, f"scikit-learn {sklearn.__version__}: see requirements.txt"
warnings.filterwarnings("ignore")


def draw(seed, count):
    """Integers from -500 to 500, by the multiplier of Knuth's MMIX."""
    out, state = np.empty(count), seed
    for i in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out[i] = (state >> 33) % 1001 - 500
    return out


def data(kind, rows, features):
    x = draw(rows, rows * features).reshape(rows, features)
    noise = draw(features, rows)
    if kind == "alike":
        # The second half is the first, but for the thousandth part.
        half = features // 2
        x[:, half:] = 1000 * x[:, :half] + x[:, half:]
    y = 3 * x[:, 0] - 2 * x[:, 1] + x[:, 2] + noise / 4
    if kind == "classes":
        y = (y > 0).astype(float)
    return x, y


def strengths(x, y, ratio, count, last):
    largest = np.abs(x.T @ (y - y.mean())).max() / len(y) / ratio
    return largest * last ** (np.arange(count) / (count - 1))


def polished(x, y, coef, intercept, strength, ratio, logistic, unit):
    """Newton's steps on the features in use, with features let in and out until the conditions hold."""
    n = len(y)
    used = np.flatnonzero(np.abs(coef) > 1e-7 * np.abs(coef).max(initial=0))
    b, sign = np.append(coef[used], intercept), np.sign(coef[used])
    for _ in range(100):
        z = np.column_stack([x[:, used], np.ones(n)])
        ridge, pull = strength * (1 - ratio) * np.append(np.ones(len(used)), 0), strength * ratio * np.append(sign, 0)
        for _ in range(30):
            mean = 1 / (1 + np.exp(-(z @ b))) if logistic else z @ b
            weight = mean * (1 - mean) if logistic else np.ones(n)
            slope = z.T @ (mean - y) / n + pull + ridge * b
            b = b - np.linalg.solve(z.T @ (z * weight[:, None]) / n + np.diag(ridge), slope)
        mean = 1 / (1 + np.exp(-(z @ b))) if logistic else z @ b
        gradient = x.T @ (mean - y) / n
        wrong = np.sign(b[:-1]) != sign
        if wrong.any():
            keep = ~wrong
            used, sign, b = used[keep], sign[keep], np.append(b[:-1][keep], b[-1])
            continue
        out = np.zeros(x.shape[1])
        out[used] = b[:-1]
        outside = np.where(out == 0, np.abs(gradient) - strength * ratio, -1.0)
        j = int(outside.argmax())
        if outside[j] > 1e-11 * unit:
            used, sign, b = np.append(used, j), np.append(sign, -np.sign(gradient[j])), np.insert(b, len(used), 0.0)
            continue
        inside = np.where(out != 0, np.abs(gradient + strength * (1 - ratio) * out + strength * ratio * np.sign(out)), 0.0)
        assert inside.max() < 1e-11 * unit and abs((mean - y).mean()) < 1e-11 * unit, (strength, inside.max() / unit)
        return out, b[-1]
    raise AssertionError(f"{strength}: no minimum")


def case(kind, rows, features, ratio, count, last):
    x, y = data(kind, rows, features)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    lambdas, logistic = strengths(x, y, ratio, count, last), kind == "classes"
    unit = lambdas[0] * ratio
    found = []
    if not logistic:
        _, path, _ = enet_path(x, y - y.mean(), l1_ratio=ratio, alphas=lambdas, tol=1e-12, max_iter=10**5)
    for i, strength in enumerate(lambdas):
        if logistic:
            model = LogisticRegression(solver="saga", l1_ratio=ratio, C=1 / (rows * strength), tol=1e-9, max_iter=10**5).fit(x, y)
            first = (model.coef_[0], model.intercept_[0])
        else:
            first = (path[:, i], y.mean())
        found.append(polished(x, y, *first, strength, ratio, logistic, unit))
    moved = max(np.abs(found[-1][0] - first[0])) / np.abs(first[0]).max()
    print(f"{kind} {rows} x {features}, ratio {ratio}: scikit-learn's own last values are {moved:.1e} away")
    used = [[[int(j), b[j]] for j in np.flatnonzero(b)] for b, _ in found]
    return {
        "kind": kind, "rows": rows, "features": features, "l1_ratio": ratio,
        "lambdas": lambdas.tolist(), "coefficients": used, "intercepts": [b for _, b in found],
    }  # fmt: skip


cases = [
    case("plain", 20, 500, 1.0, 12, 1e-3),
    case("plain", 60, 400, 1.0, 10, 1e-4),
    case("plain", 30, 200, 0.5, 10, 1e-3),
    case("alike", 80, 24, 1.0, 10, 1e-4),
    case("classes", 60, 150, 1.0, 10, 1e-2),
    case("classes", 40, 6, 1.0, 10, 1e-3),
    case("classes", 60, 150, 0.5, 8, 1e-2),
]
file = {"made_by": f"scikit-learn {PIN}", "cases": cases}
(HERE / "path_wide.json").write_text(json.dumps(file, separators=(",", ":")).replace('{"kind"', '\n{"kind"') + "\n")
