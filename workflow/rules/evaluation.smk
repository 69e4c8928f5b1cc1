rule baselines:
    input:
        run=ancient(planned.yaml),
        cohort=planned.made("prepare", "cohort.h5ad"),
        splits=planned.made("prepare", "splits.tsv"),
        modules=planned.modules("baselines"),
    output:
        record=f"{results}/{{run}}/manifest/baselines.json",
        predictions=f"{results}/{{run}}/baselines/predictions.tsv",
    log:
        f"{results}/{{run}}/logs/baselines.log",
    benchmark:
        f"{results}/{{run}}/benchmarks/baselines.tsv"
    conda:
        "../../envs/mtlbio.yaml"
    threads: threads(1)
    resources:
        mem_mb=memory(3000, per_input=20),
        runtime=minutes(60),
    params:
        folder=planned.folder,
        options=planned.options("baselines"),
    shell:
        "mtlbio baselines {input.run:q} --results {params.folder:q} 2> {log:q}"


rule evaluate:
    input:
        run=ancient(planned.yaml),
        predictions=planned.made("train", "predictions.tsv"),
        baselines=planned.made("baselines", "baselines/predictions.tsv"),
        latents=planned.made("train", "latents.h5ad"),
        modules=planned.modules("evaluate"),
    output:
        record=f"{results}/{{run}}/manifest/evaluate.json",
        metrics=report(
            f"{results}/{{run}}/metrics.tsv",
            caption="../report/metrics.rst",
            category="{run}",
        ),
        comparisons=report(
            f"{results}/{{run}}/comparisons.tsv",
            caption="../report/comparisons.rst",
            category="{run}",
        ),
        transfer=report(
            f"{results}/{{run}}/transfer.tsv",
            caption="../report/transfer.rst",
            category="{run}",
        ),
        label_noise=report(
            f"{results}/{{run}}/label_noise.tsv",
            caption="../report/label_noise.rst",
            category="{run}",
        ),
        reprobe=report(
            f"{results}/{{run}}/reprobe.tsv",
            caption="../report/reprobe.rst",
            category="{run}",
        ),
    log:
        f"{results}/{{run}}/logs/evaluate.log",
    benchmark:
        f"{results}/{{run}}/benchmarks/evaluate.tsv"
    conda:
        "../../envs/mtlbio.yaml"
    threads: threads(1)
    resources:
        mem_mb=memory(2000, per_input=10),
        runtime=minutes(30),
    params:
        folder=planned.folder,
        options=planned.options("evaluate"),
    shell:
        "mtlbio evaluate {input.run:q} --results {params.folder:q} 2> {log:q}"
