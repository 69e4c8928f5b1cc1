rule report:
    input:
        run=ancient(planned.yaml),
        cohort=planned.made("prepare", "cohort.h5ad"),
        qc=planned.made("prepare", "qc.tsv"),
        splits=planned.made("prepare", "splits.tsv"),
        history=planned.made("train", "history.tsv"),
        conflict=planned.made("train", "conflict.tsv"),
        latents=planned.made("train", "latents.h5ad"),
        metrics=planned.made("evaluate", "metrics.tsv"),
        comparisons=planned.made("evaluate", "comparisons.tsv"),
        transfer=planned.made("evaluate", "transfer.tsv"),
        label_noise=planned.made("evaluate", "label_noise.tsv"),
        reprobe=planned.made("evaluate", "reprobe.tsv"),
        audit=planned.made("probe", "probing/audit.tsv"),
        association=planned.made("probe", "probing/association.tsv"),
        enrichment=planned.made("probe", "probing/enrichment.tsv"),
        null=planned.made("probe", "probing/null.tsv"),
        null_runs=planned.made("probe", "probing/null_runs.tsv"),
        verdicts=planned.made("probe", "verdicts.tsv"),
        gene_sets=planned.gene_sets,
        modules=planned.modules("report"),
    output:
        record=f"{results}/{{run}}/manifest/report.json",
        page=report(
            f"{results}/{{run}}/report.html",
            caption="../report/page.rst",
            category="{run}",
        ),
        figures=directory(f"{results}/{{run}}/figures"),
    log:
        f"{results}/{{run}}/logs/report.log",
    benchmark:
        f"{results}/{{run}}/benchmarks/report.tsv"
    conda:
        "../../envs/mtlbio.yaml"
    threads: threads(1)
    resources:
        mem_mb=memory(2000, per_input=10),
        runtime=minutes(30),
    params:
        folder=planned.folder,
        options=planned.options("report"),
    shell:
        "mtlbio report {input.run:q} --results {params.folder:q} 2> {log:q}"
