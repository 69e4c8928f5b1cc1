"""``mtlbio predict`` of a protein run: states and numbers of every residue of new chains, and a picture per chain."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import InputError
from mtlbio.files import replacing
from mtlbio.labels.residues.alphabet import Q3, Q8, three_states
from mtlbio.model.residue_store import ProteinModel, load_model
from mtlbio.progress import say, track
from mtlbio.report.chains import chain_picture
from mtlbio.report.svg import house_style
from mtlbio.report.words import file_stem
from mtlbio.sequence.chains import Chains
from mtlbio.sequence.features import Wide, open_wide
from mtlbio.sequence.letters import decode, encode
from mtlbio.sequence.records import read_fasta
from mtlbio.tables import escaped
from mtlbio.training.chains.batches import Reader
from mtlbio.training.chains.predict import predicted, residue_table, tells_three

AT_ONCE = 200  # chains in memory
MOST_PICTURES = 200


def predict(
    results: Path, fasta: Path, out: Path, profiles: Path | None = None, embeddings: Path | None = None
) -> None:
    """Write ``predictions.tsv``, a row per residue, and ``pictures/<chain>.{svg,png}``.

    The table has ``sample`` (the chain), ``residue`` (from 1), ``letter`` and per task: of a secondary structure
    ``<task>_q8``, ``<task>_q3`` and the probabilities ``<task>_H`` ... ``<task>_C`` of the eight states (of three, and
    no ``<task>_q8``, where no chain that the model learnt from had eight); else
    ``<task>``, and with several replicas their spread ``<task>_sd``.

    ``profiles`` and ``embeddings`` are of the new chains, ``fasta``, where the model of ``results``, the folder of a
    finished protein run, reads them. An InputError at unreadable sequences, letters that are no amino acids, features
    that the model needs and does not get.
    """
    results, out = Path(results), Path(out)
    model = load_model(results / "model")
    entries = read_fasta(fasta)
    codes = []
    for name, text in entries:
        try:
            codes.append(encode(text))
        except ValueError as error:
            raise InputError(f"{fasta}: chain {name}: {error}") from None
    sources = _sources(model, results, profiles, embeddings)
    pictures, header = list[tuple[str, str, pd.DataFrame]](), True
    with replacing(out / "predictions.tsv") as temporary:
        for start in track(range(0, len(entries), AT_ONCE), f"Predicting {len(entries)} chains"):
            names = [name for name, _ in entries[start : start + AT_ONCE]]
            chains = _unlabelled(names, codes[start : start + AT_ONCE])
            for place, prediction in predicted(model, Reader(chains, sources), chains):
                letters = decode(chains.letters[chains.rows(place)])
                table = residue_table(model, names[place], letters, prediction)
                written = escaped(table)
                written.to_csv(
                    temporary, sep="\t", index=False, mode="w" if header else "a", header=header, na_rep="NA"
                )
                header = False
                if len(pictures) < MOST_PICTURES:
                    pictures.append((names[place], letters, table))
    _draw(model, pictures, out / "pictures")
    drawn = "" if len(entries) <= MOST_PICTURES else f", pictures of the first {MOST_PICTURES}"
    say(f"{len(entries)} chains, {sum(map(len, codes)):,} residues predicted{drawn}")


def _sources(model: ProteinModel, results: Path, profiles: Path | None, embeddings: Path | None) -> dict[str, Wide]:
    paths = {"profiles": profiles, "embeddings": embeddings}
    for name, path in paths.items():
        if name in model.wide and path is None:
            raise InputError(f"{results}: the model reads {name}; give those of the new chains with --{name}")
        if name not in model.wide and path is not None:
            raise InputError(f"--{name}: the model of {results} reads none")
    arrays = model.training.get("profile_arrays", ["pssm", "hmm"])
    sources = open_wide(str(profiles) if profiles else None, arrays, str(embeddings) if embeddings else None)
    for name, source in sources.items():
        if source.width != model.wide[name]:
            raise InputError(f"{paths[name]}: {source.width} numbers per residue; the model reads {model.wide[name]}")
    return sources


def _unlabelled(names: list[str], codes: list[np.ndarray]) -> Chains:
    obs = pd.DataFrame({"source": "new", "cluster": names, "part": "test"}, index=pd.Index(names, name="chain"))
    lengths = np.array([len(c) for c in codes])
    return Chains(obs.assign(length=lengths), np.concatenate([[0], np.cumsum(lengths)]), np.concatenate(codes))


def _draw(model: ProteinModel, pictures: list, folder: Path) -> None:
    shown = {name: label for name, label in model.tasks.items() if not label.auxiliary}
    structure = [name for name, label in shown.items() if label.has_coarse]
    numbers = [name for name, label in shown.items() if label.bounded]
    used: set[str] = set()
    if folder.exists():
        shutil.rmtree(folder)
    with replacing(folder) as temporary, house_style():
        temporary.mkdir()
        for name, letters, table in track(pictures, "Drawing the chains"):
            states = sure = None
            if structure:
                states = "".join(table[f"{structure[0]}_q3"])
                of_three = tells_three(model, structure[0])
                shares = table[[f"{structure[0]}_{s}" for s in (Q3 if of_three else Q8)]].to_numpy()
                sure = (shares if of_three else three_states(shares)).max(axis=1)
            stem = file_stem(name)
            while stem in used:
                stem += "_"
            used.add(stem)
            values = {n: table[n].to_numpy(dtype=float) for n in numbers}
            chain_picture(name, letters, states, sure, values, temporary, stem)
