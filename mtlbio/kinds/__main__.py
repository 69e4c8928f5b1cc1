"""``python -m mtlbio.kinds`` writes the files of the repository that follow from the models of runs."""

from pathlib import Path

from mtlbio.kinds.reference import generated_files

for name, text in generated_files().items():
    target = Path(__file__).parents[2] / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(target)
