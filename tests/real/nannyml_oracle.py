"""What NannyML says of its own `california_housing` example, kept for the tests to compare with. By hand, in an environment of its own:

    python -m venv oracle && oracle/bin/pip install nannyml==0.13.1 "pandas<3" statsmodels
    oracle/bin/python tests/real/nannyml_oracle.py tests/data

It writes the columns that were compared (``california_housing_*.parquet``) and, per feature and month, NannyML's KS statistic, its
threshold and its alert (``nannyml_ks.json``).
"""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

FEATURES = ["MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude", "y_pred_proba"]
TIME, METHOD = "timestamp", "kolmogorov_smirnov"


def main(folder: Path) -> None:
    os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"  # it would tell its makers, and looks at import whether it may
    import nannyml  # type: ignore[import-not-found]  # nothing that the package or its tests need

    reference, analysis, _ = nannyml.load_modified_california_housing_dataset()
    reference, analysis = (rows[[TIME, *FEATURES]].astype(dict.fromkeys(FEATURES, "float32")) for rows in (reference, analysis))
    for name, rows in {"reference": reference, "analysis": analysis}.items():
        rows[TIME] = rows[TIME].astype("datetime64[ms]")
        rows.to_parquet(folder / f"california_housing_{name}.parquet", compression="zstd", compression_level=19, index=False)
    calculator = nannyml.UnivariateDriftCalculator(FEATURES, timestamp_column_name=TIME, continuous_methods=[METHOD], chunk_period="M")
    table = calculator.fit(reference).calculate(analysis).to_df()
    months = [
        {
            "feature": feature,
            "month": str(chunk["chunk", "chunk", "key"]),
            "period": chunk["chunk", "chunk", "period"],
            "ks": chunk[feature, METHOD, "value"],
            "threshold": chunk[feature, METHOD, "upper_threshold"],
            "alert": bool(chunk[feature, METHOD, "alert"]),
        }
        for feature in FEATURES
        for _, chunk in table.iterrows()
    ]
    made_with = {package: version(package) for package in ("nannyml", "pandas", "numpy", "scipy")}
    lines = ",\n".join(f"    {json.dumps(month)}" for month in months)
    text = f'{{\n  "made with": {json.dumps(made_with)},\n  "months": [\n{lines}\n  ]\n}}\n'
    (folder / "nannyml_ks.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
