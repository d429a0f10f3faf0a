import csv
import json
from pathlib import Path

import pandas
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report, roc_curve
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

cases, truth = load_breast_cancer(return_X_y=True)
fit_on, test_on, fit_truth, y_true = train_test_split(cases, truth, test_size=60, random_state=0, stratify=truth)
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(fit_on, fit_truth)
y_pred, y_score = model.predict(test_on), model.predict_proba(test_on)[:, 1]

report = classification_report(y_true, y_pred, output_dict=True)
Path("classification_report.json").write_text(json.dumps(report, indent=1))
Path("classification_report.txt").write_text(
    classification_report(y_true, y_pred, target_names=["malignant", "benign"])
)
pandas.DataFrame(report).T.to_csv("classification_report.csv")
of_one = classification_report(y_true, y_pred, labels=[1], output_dict=True)
Path("labels_left_out.json").write_text(json.dumps(of_one, indent=1))
wrong, right, at = roc_curve(y_true, y_score)
pandas.DataFrame({"fpr": wrong, "tpr": right, "threshold": at}).round(4).to_csv("roc.csv", index=False)
for name, column, values in (
    ("decisions.csv", "y_pred", y_pred),
    ("scores.csv", "y_score", [f"{score:.4f}" for score in y_score]),
):
    with open(name, "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["y_true", column, "site"])
        writer.writerows([t, value, "AB"[i % 2]] for i, (t, value) in enumerate(zip(y_true, values, strict=True)))
