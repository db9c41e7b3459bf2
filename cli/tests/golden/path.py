"""Makes path.json, what scikit-learn says about regularization paths: python -m venv v; v/bin/pip install -r requirements.txt;
v/bin/python path.py

Data: ../../data/diabetes.csv.gz, features standardized (÷ n). Linear paths by enet_path of the centred target; logistic ones, of
whether the target is above its median, by LogisticRegression with C = 1/(n·λ). All in float64; a few of
Newton's steps on the features that are used remove what a solver's tolerance left. That the conditions of a minimum hold then to
1e-9 of the strength is asserted, so the values are those of the problem and not of a solver.
"""

import gzip
import json
import pathlib
import re

import numpy as np
import sklearn
from sklearn.linear_model import ElasticNetCV, LogisticRegression, enet_path
from sklearn.model_selection import PredefinedSplit

HERE = pathlib.Path(__file__).parent
PIN = re.search(r"^scikit-learn==(\S+)$", (HERE / "requirements.txt").read_text(), re.M)[1]
assert sklearn.__version__ == PIN, f"scikit-learn {sklearn.__version__}: see requirements.txt"

table = np.genfromtxt(gzip.open(HERE / "../../data/diabetes.csv.gz", "rt"), delimiter=",", skip_header=1)
x, y = table[:, :-1], table[:, -1]
x = (x - x.mean(axis=0)) / x.std(axis=0)
n = len(y)
folds = np.arange(n) % 10
above = (y > np.median(y)).astype(float)


def strengths(target, ratio, count):
    """From the least λ that leaves no feature, or from that of a share of 0.001 of L1, down to a thousandth of it."""
    largest = np.abs(x.T @ (target - target.mean())).max() / n / max(ratio, 1e-3)
    return largest * 1e-3 ** (np.arange(count) / (count - 1))


def check(gradient, coef, strength, ratio, what):
    """0 is in the subdifferential: -gradient = λ·(r·sign(b) + (1-r)·b), or within λ·r where b is 0."""
    for j, b in enumerate(coef):
        pull = -gradient[j] - strength * (1 - ratio) * b
        miss = abs(pull - strength * ratio * np.sign(b)) if b else abs(pull) - strength * ratio
        assert miss < 1e-9 * strength, f"{what}: {miss / strength}"


def polished(coef, intercept, target, strength, ratio, link, what):
    """The solver's values, after Newton's steps on the features that it uses: they leave what its tolerance left."""
    # At the first strength of all, a solver may leave next to nothing instead of nothing.
    coef = np.where(np.abs(coef) < 1e-9, 0.0, coef)
    used = np.flatnonzero(coef)
    z = np.column_stack([x[:, used], np.ones(n)])
    b, sign = np.append(coef[used], intercept), np.append(np.sign(coef[used]), 0)
    ridge = strength * (1 - ratio) * np.append(np.ones(len(used)), 0)
    for _ in range(4):
        mean, weight = link(z @ b)
        slope = z.T @ (mean - target) / n + strength * ratio * sign + ridge * b
        b = b - np.linalg.solve(z.T @ (z * weight[:, None]) / n + np.diag(ridge), slope)
    assert np.abs(b[:-1] - coef[used]).max(initial=0) <= 1e-4 * np.abs(coef).max(initial=0), f"{what}: moved"
    out = np.zeros_like(coef)
    out[used] = b[:-1]
    assert (np.sign(out) == np.sign(coef)).all()
    mean, _ = link(x @ out + b[-1])
    assert abs((mean - target).mean()) < 1e-9
    check(x.T @ (mean - target) / n, out, strength, ratio, what)
    return out, b[-1]


def identity(z):
    return z, np.ones_like(z)


def sigmoid(z):
    p = 1 / (1 + np.exp(-z))
    return p, p * (1 - p)


def linear(ratio, with_folds):
    lambdas = strengths(y, ratio, 100)
    _, found, _ = enet_path(x, y - y.mean(), l1_ratio=ratio, alphas=lambdas, tol=1e-13, max_iter=10**6)
    all = [polished(b, y.mean(), y, s, ratio, identity, f"linear {ratio} {s}") for s, b in zip(lambdas, found.T)]
    case = {"model": "linear", "l1_ratio": ratio, "lambdas": lambdas}
    case |= {"coefficients": [b.tolist() for b, _ in all], "intercepts": [b for _, b in all]}
    if with_folds:
        cv = ElasticNetCV(l1_ratio=ratio, alphas=lambdas, cv=PredefinedSplit(folds), tol=1e-10, max_iter=10**6).fit(x, y)
        case |= {"cv_mean": cv.mse_path_.mean(axis=1), "cv_best": cv.alpha_}
    return case


def logistic(ratio):
    lambdas = strengths(above, ratio, 25)
    all = []
    for strength in lambdas:
        solver = "lbfgs" if ratio == 0 else "saga"
        model = LogisticRegression(solver=solver, l1_ratio=ratio, C=1 / (n * strength), tol=1e-10, max_iter=10**6)
        model.fit(x, above)
        found = (model.coef_[0], model.intercept_[0])
        all.append(polished(*found, above, strength, ratio, sigmoid, f"logistic {ratio} {strength}"))
    case = {"model": "logistic", "l1_ratio": ratio, "lambdas": lambdas}
    return case | {"coefficients": [b.tolist() for b, _ in all], "intercepts": [b for _, b in all]}


def plain(value):
    return np.asarray(value).tolist() if isinstance(value, (list, np.ndarray, np.generic)) else value


cases = [linear(1.0, True), linear(0.5, True), linear(0.0, False), logistic(1.0), logistic(0.5), logistic(0.0)]
file = {"made_by": f"scikit-learn {PIN}", "folds": "row number modulo 10", "cases": [{k: plain(v) for k, v in c.items()} for c in cases]}
(HERE / "path.json").write_text(json.dumps(file, indent=None, separators=(",", ":")).replace('{"model"', '\n{"model"') + "\n")
