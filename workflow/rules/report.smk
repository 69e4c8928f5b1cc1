rule report:
    input:
        run=ancient(planned.yaml),
        cohort=f"{results}/{{run}}/cohort.h5ad",
        qc=f"{results}/{{run}}/qc.tsv",
        splits=f"{results}/{{run}}/splits.tsv",
        history=f"{results}/{{run}}/history.tsv",
        conflict=f"{results}/{{run}}/conflict.tsv",
        latents=f"{results}/{{run}}/latents.h5ad",
        metrics=f"{results}/{{run}}/metrics.tsv",
        comparisons=f"{results}/{{run}}/comparisons.tsv",
        transfer=f"{results}/{{run}}/transfer.tsv",
        label_noise=f"{results}/{{run}}/label_noise.tsv",
        reprobe=f"{results}/{{run}}/reprobe.tsv",
        audit=f"{results}/{{run}}/probing/audit.tsv",
        enrichment=f"{results}/{{run}}/probing/enrichment.tsv",
        null=f"{results}/{{run}}/probing/null.tsv",
        null_runs=f"{results}/{{run}}/probing/null_runs.tsv",
        verdicts=f"{results}/{{run}}/verdicts.tsv",
        gene_sets=planned.gene_sets,
        modules=planned.modules("report"),
    output:
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
    threads: 1
    resources:
        mem_mb=memory(2000, per_input=10),
        runtime=minutes(30),
    params:
        folder=planned.folder,
        options=planned.options("report"),
    shell:
        "mtlbio report {input.run:q} --results {params.folder:q} 2> {log:q}"
