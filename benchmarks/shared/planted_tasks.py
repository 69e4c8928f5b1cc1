"""The tasks of a planted cohort that no YAML describes."""

from mtlbio.labels import Binary, Regression

TASKS = {
    "disease": Binary("disease", ("control", "case")),
    "age": Regression("age"),
    "response": Binary("response", ("non_responder", "responder")),
}
