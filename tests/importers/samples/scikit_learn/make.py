import json
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.metrics import classification_report
import sklearn, csv

X, y = load_breast_cancer(return_X_y=True)
a, b, c, d = train_test_split(X, y, test_size=60, random_state=0, stratify=y)
m = make_pipeline(StandardScaler(), LogisticRegression()).fit(a, c)
p = m.predict(b)
s = m.predict_proba(b)[:, 1]
json.dump(classification_report(d, p, output_dict=True), open("classification_report.json", "w"), indent=1)
open("classification_report.txt", "w").write(classification_report(d, p, target_names=["malignant", "benign"]))
with open("scores.csv", "w", newline="") as f:
    w = csv.writer(f, lineterminator="\n")
    w.writerow(["y_true", "y_score", "site"])
    w.writerows([t, f"{q:.4f}", "AB"[i % 2]] for i, (t, q) in enumerate(zip(d, s)))
with open("decisions.csv", "w", newline="") as f:
    w = csv.writer(f, lineterminator="\n")
    w.writerow(["y_true", "y_pred", "site"])
    w.writerows([t, q, "AB"[i % 2]] for i, (t, q) in enumerate(zip(d, p)))
print(sklearn.__version__)
