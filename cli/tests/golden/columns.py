"""Makes columns.csv, a table as people have them, and columns.json, what pandas and scikit-learn make of it: python -m venv v;
v/bin/pip install -r requirements.txt; v/bin/python columns.py

The table has a text column of four levels and missing cells, one of two levels, one of integers that are codes, numbers with missing
cells, and a column that names the folds. pandas makes the indicators (get_dummies; missing cells are a level of their own, of two levels
the second alone has one), a missing number is the column's mean, all is standardized (÷ n) on all rows, and scikit-learn fits the paths.
That the conditions of a minimum hold is asserted, so the values are those of the problem and not of a solver.
"""

import json
import pathlib
import re

import numpy as np
import pandas as pd
import sklearn
from sklearn.linear_model import ElasticNetCV, enet_path
from sklearn.model_selection import PredefinedSplit

HERE = pathlib.Path(__file__).parent
PINS = dict(re.findall(r"^(\S+)==(\S+)$", (HERE / "requirements.txt").read_text(), re.M))
assert sklearn.__version__ == PINS["scikit-learn"] and pd.__version__ == PINS["pandas"], "see requirements.txt"

rng = np.random.default_rng(18)
N = 90
city = rng.choice(["Bern", "Lima", "Oslo", "São Paulo"], N, p=[0.4, 0.3, 0.2, 0.1])
member = rng.choice(["no", "yes"], N, p=[0.35, 0.65])
code = rng.choice([3, 10, 7], N, p=[0.5, 0.3, 0.2])
age = rng.integers(18, 80, N)
income = np.round(rng.lognormal(3, 0.7, N), 2)
fold = rng.choice(["a", "b", "c", "d"], N)
effect = {"Bern": 0.0, "Lima": 2.5, "Oslo": -1.5, "São Paulo": 4.0}
y = np.array([effect[c] for c in city]) + 1.8 * (member == "yes") - 2.2 * (code == 7) + 0.05 * age + 0.03 * income
y = np.round(y + rng.normal(0, 1.0, N), 3)
text = pd.DataFrame({"city": city, "member": member, "fold": fold, "age": age, "income": income, "code": code, "y": y}).astype(str)
for column, words, count in [("city", ["", "NA"], 7), ("age", ["", "n/a", "?"], 9), ("income", ["NaN"], 4)]:
    for i, row in enumerate(rng.choice(N, count, replace=False)):
        text.loc[row, column] = words[i % len(words)]
text.to_csv(HERE / "columns.csv", index=False, lineterminator="\n")

# Read as pandas reads it, with the words for missing values that it does not know.
table = pd.read_csv(HERE / "columns.csv", na_values=["?"])
assert table[["age", "income"]].isna().sum().tolist() == [9, 4] and table["city"].isna().sum() == 7
dummies = {
    "city": pd.get_dummies(table["city"], prefix="city", prefix_sep="=", dummy_na=True, dtype=float),
    "member": pd.get_dummies(table["member"], prefix="member", prefix_sep="=", drop_first=True, dtype=float),
    "code": pd.get_dummies(table["code"], prefix="code", prefix_sep="=", dtype=float),
}
features = pd.concat([dummies["city"], dummies["member"], table[["age", "income"]], dummies["code"]], axis=1)
features = features.rename(columns={"city=nan": "city=(missing)"})
means = features.mean()
x = features.fillna(means).to_numpy()
x = (x - x.mean(axis=0)) / x.std(axis=0)
y = table["y"].to_numpy()
folds = table["fold"].map({"a": 0, "b": 1, "c": 2, "d": 3}).to_numpy()


def check(coef, strength, ratio, what):
    """0 is in the subdifferential."""
    slope = x.T @ (x @ coef + y.mean() - y) / N
    for j, b in enumerate(coef):
        pull = -slope[j] - strength * (1 - ratio) * b
        miss = abs(pull - strength * ratio * np.sign(b)) if b else abs(pull) - strength * ratio
        assert miss < 1e-7 * strength, f"{what}: {miss / strength}"


cases = []
for ratio in [1.0, 0.5]:
    largest = np.abs(x.T @ (y - y.mean())).max() / N / ratio
    lambdas = [float(f"{largest * 0.98 * 1e-2 ** (i / 11):.6g}") for i in range(12)]
    _, found, _ = enet_path(x, y - y.mean(), l1_ratio=ratio, alphas=lambdas, tol=1e-14, max_iter=10**7)
    for strength, coef in zip(lambdas, found.T):
        check(coef, strength, ratio, f"{ratio} {strength}")
    cv = ElasticNetCV(l1_ratio=ratio, alphas=lambdas, cv=PredefinedSplit(folds), tol=1e-12, max_iter=10**7).fit(x, y)
    cases.append({
        "l1_ratio": ratio,
        "lambdas": lambdas,
        "coefficients": found.T.tolist(),
        "cv_mean": cv.mse_path_.mean(axis=1).tolist(),
        "cv_best": float(cv.alpha_),
    })
file = {
    "made_by": f"pandas {PINS['pandas']}, scikit-learn {PINS['scikit-learn']}",
    "features": features.columns.tolist(),
    "means": means.tolist(),
    "cases": cases,
}
(HERE / "columns.json").write_text(json.dumps(file, ensure_ascii=False, separators=(",", ":")).replace('{"l1_ratio"', '\n{"l1_ratio"') + "\n")
