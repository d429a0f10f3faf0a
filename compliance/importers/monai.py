"""MONAI: a metric's `*_raw.csv` (a row per image) or `*_summary.csv` becomes one evaluation, rows by class.

Which metric it is, MONAI writes in the file's name alone; a file that was renamed is asked about. Classes are numbered
from the first that was measured: where background was left out, class0 is label 1, which the file does not show. An
image without the class has `nan` and counts in no mean; n is what is left (`notnans`). A distance of `inf`, where
nothing was found, leaves no mean. Older versions wrote tabs.
"""

from fractions import Fraction

from compliance.core.statistics import decimal
from compliance.importers.base import Given, Importer, NotSaidError, Reading, no_result
from compliance.importers.metrics import Rows
from compliance.importers.source import Rows as Table
from compliance.importers.source import Source
from compliance.importers.values import count, number

TOOL = "MONAI"

_METRICS = {
    "dice": ("dice", None),
    "iou": ("iou", None),
    "hausdorff": ("hausdorff_distance", "lower"),
    "hd95": ("hausdorff_95", None),
    "surface_dice": ("surface_dice", "higher"),
    "surface_distance": ("surface_distance", "lower"),
    "auc": ("roc_auc", None),
    "mse": ("mse", "lower"),
    "mae": ("mae", None),
    "rmse": ("rmse", None),
    "psnr": ("psnr", "higher"),
    "ssim": ("ssim", "higher"),
}
"""Words in a file's name to what it measures and, where nobody here knows the metric, which way is better."""
_NO_FIGURE = ("nan", "inf", "-inf")
_NUMBERED = "Classes are numbered from the first that was measured: without background, class0 is label 1."


def _table(source: Source) -> Table | None:
    first = source.data.partition(b"\n")[0]
    if b"\t" in first and b"," not in first:
        return Source.of(source.name, source.data.replace(b"\t", b",")).table
    return source.table


def _recognise(source: Source) -> bool:
    table = _table(source)
    if table is None:
        return False
    if table.header[0] == "filename" and table.header[-1] == "mean":
        return all(number(cell) is not None or cell in _NO_FIGURE for row in table.rows[:3] for cell in row[1:])
    return table.header[0] == "class" and {"mean", "median"} <= set(table.header)


def _read(source: Source, given: Given) -> Reading:
    table = _table(source)
    assert table is not None
    name, better = _metric(source.name)
    gaps = [f"The file is cut off: {table.broken}."] if table.broken else []
    rows = Rows()
    is_raw = table.header[0] == "filename"
    images = len(table.rows) if is_raw else 0
    if is_raw:
        for column in table.header[1:]:
            position = table.header.index(column)
            told = [Fraction(value) for row in table.rows if (value := number(row[position])) is not None]
            infinite = any(row[position].lstrip("-") == "inf" for row in table.rows)
            value = "inf" if infinite else decimal(sum(told, Fraction(0)) / len(told)) if told else None
            group = None if column == "mean" else {"class": column[:200]}
            rows.add(name, value, n=len(told) or None, better=better, origin="recomputed", group=group)
    else:
        for row in table.rows:
            told_of = dict(zip(table.header, row, strict=True))
            n = count(float(number(told_of.get("notnans")) or "nan"))
            if n == 0:
                gaps.append(f"{told_of['class']} was in no image.")
            group = None if told_of["class"] == "mean" else {"class": told_of["class"][:200]}
            rows.add(name, told_of["mean"], n=n or None, better=better, group=group)
    what = "images" if is_raw else "summary"
    if not rows.rows:
        return Reading(records=[no_result(TOOL, f"{name}, {what}", "It holds no figure.")], gaps=gaps)
    record = {
        "kind": "evaluation",
        "title": f"{TOOL}: {name}, {what}",
        "task": "segmentation" if name in ("dice", "iou", "surface_dice") else "imaging",
        "unit_of_analysis": "image",
        "metrics": rows.rows,
        "method": "Mean over the images in which the class is; `nan` counts in none.",
        "limits": [_NUMBERED],
        "gaps": rows.gaps,
    }
    withheld = f"{images} images' file names with their figures" if images else None
    return Reading(records=[record], gaps=gaps, withheld=withheld, cases=images or None)


def _metric(name: str) -> tuple[str, str | None]:
    """Return what is measured, from the name that MONAI gave the file. Raises NotSaidError."""
    plain = name.replace("\\", "/").rpartition("/")[2].lower()
    found = [known for word, known in _METRICS.items() if word in plain]
    if not found:
        raise NotSaidError(
            "MONAI writes which metric a file holds in its name alone, and this name holds none.",
            remedy="Give it back the name that MONAI gave it, such as val_mean_dice_raw.csv.",
        )
    return max(found, key=lambda known: len(known[0]))


IMPORTER = Importer(TOOL, _recognise, _read)
