# some refits of the whole-pipeline null of a scattered run
rule probe_part:
    # what has changed is a reason to take probe again, and with it the parts that are not there
    input:
        run=ancient(planned.yaml),
        cohort=ancient(planned.made("prepare", "cohort.h5ad")),
        splits=ancient(planned.made("prepare", "splits.tsv")),
        model=ancient(planned.made("train", "model")),
        modules=ancient(planned.modules("probe")),
    output:
        part=temp(directory(f"{results}/{{run}}/parts/probe/{{part}}")),
    log:
        f"{results}/{{run}}/logs/probe_{{part}}.log",
    benchmark:
        f"{results}/{{run}}/benchmarks/probe_{{part}}.tsv"
    conda:
        "../../envs/mtlbio.yaml"
    threads: threads(1)
    resources:
        mem_mb=memory(4000, per_input=20),
        runtime=minutes(planned.minutes_of_part("probe")),
        gpu=planned.gpus,
    params:
        folder=planned.folder,
        options=planned.options("probe"),
    shell:
        "mtlbio probe {input.run:q} --results {params.folder:q} --part {wildcards.part:q} 2> {log:q}"


rule probe:
    input:
        run=ancient(planned.yaml),
        cohort=planned.made("prepare", "cohort.h5ad"),
        splits=planned.made("prepare", "splits.tsv"),
        latents=planned.made("train", "latents.h5ad"),
        model=planned.made("train", "model"),
        gene_sets=planned.gene_sets,
        # refits of the whole-pipeline null; none where the trial is one job
        parts=planned.parts("probe"),
        modules=planned.modules("probe"),
    output:
        record=f"{results}/{{run}}/manifest/probe.json",
        audit=f"{results}/{{run}}/probing/audit.tsv",
        association=f"{results}/{{run}}/probing/association.tsv",
        ablation=f"{results}/{{run}}/probing/ablation.tsv",
        enrichment=f"{results}/{{run}}/probing/enrichment.tsv",
        stability=f"{results}/{{run}}/probing/stability.tsv",
        subspaces=f"{results}/{{run}}/probing/subspaces.tsv",
        odds=f"{results}/{{run}}/probing/odds.tsv",
        replicas=f"{results}/{{run}}/probing/replicas.tsv",
        # a header only where probe.null_refits is 0
        null=f"{results}/{{run}}/probing/null.tsv",
        null_runs=f"{results}/{{run}}/probing/null_runs.tsv",
        verdicts=report(
            f"{results}/{{run}}/verdicts.tsv",
            caption="../report/verdicts.rst",
            category="{run}",
        ),
    log:
        f"{results}/{{run}}/logs/probe.log",
    benchmark:
        f"{results}/{{run}}/benchmarks/probe.tsv"
    conda:
        "../../envs/mtlbio.yaml"
    threads: threads(1)
    resources:
        mem_mb=memory(4000, per_input=20),
        runtime=minutes(planned.minutes_of_trial),
    params:
        folder=planned.folder,
        options=planned.options("probe"),
    shell:
        "mtlbio probe {input.run:q} --results {params.folder:q} 2> {log:q}"
