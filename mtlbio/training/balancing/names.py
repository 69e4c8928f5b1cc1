"""The balancers by name, one line each. No torch here: the run description offers these names."""

from __future__ import annotations

METHODS: dict[str, str] = {
    "equal": "every task counts the same; the default, and usually as good as any other",
    "uncertainty": "learned log-variances: weight ~ 1 / variance of the task (Kendall et al. 2018, CVPR)",
    "dwa": "tasks whose loss falls more slowly than the others' count more (Liu et al. 2019, CVPR)",
    "rlw": "random weights at every step: a litmus test for the others (Lin et al. 2022, TMLR)",
    "gls": "descends the geometric mean of the losses (Chennupati et al. 2019, CVPRW)",
    "famo": "keeps the relative fall of all losses equal, from losses only (Liu et al. 2023, NeurIPS)",
    "imtl_l": "learned scales that bring all losses to one size (Liu et al. 2021, ICLR)",
    "gradnorm": "gradient norms follow the relative training rates (Chen et al. 2018, ICML)",
    "pcgrad": "projects away what one task's gradient takes from another (Yu et al. 2020, NeurIPS)",
    "mgda": "the common descent direction of least norm (Desideri 2012; Sener & Koltun 2018, NeurIPS)",
    "cagrad": "the best worst-case descent near the mean gradient (Liu et al. 2021, NeurIPS)",
    "gradvac": "raises the cosine of two tasks to its running mean (Wang et al. 2021, ICLR)",
    "aligned_mtl": "turns the gradients into orthogonal ones of equal length (Senushkin et al. 2023, CVPR)",
    "imtl_g": "equal projections of the step on every task's gradient direction (Liu et al. 2021, ICLR)",
    "nash_mtl": "the Nash bargaining solution between the tasks (Navon et al. 2022, ICML)",
    "upgrad": "mean of the gradients, each projected to harm no task (Quinton & Rey 2024)",
    "cvar": "only the tasks that are worst off count (Rockafellar & Uryasev 2000, Journal of Risk)",
}

BALANCERS: tuple[str, ...] = tuple(METHODS)
