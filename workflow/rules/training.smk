rule train:
    input:
        run=ancient(planned.yaml),
        cohort=planned.made("prepare", "cohort.h5ad"),
        splits=planned.made("prepare", "splits.tsv"),
        modules=planned.modules("train"),
    output:
        record=f"{results}/{{run}}/manifest/train.json",
        model=directory(f"{results}/{{run}}/model"),
        history=f"{results}/{{run}}/history.tsv",
        conflict=f"{results}/{{run}}/conflict.tsv",
        latents=f"{results}/{{run}}/latents.h5ad",
        predictions=f"{results}/{{run}}/predictions.tsv",
    log:
        f"{results}/{{run}}/logs/train.log",
    benchmark:
        f"{results}/{{run}}/benchmarks/train.tsv"
    conda:
        "../../envs/mtlbio.yaml"
    threads: threads(planned.threads_of_training)
    resources:
        mem_mb=memory(6000, per_input=20),
        runtime=minutes(planned.minutes_of_training),
        gpu=planned.gpus,
    params:
        folder=planned.folder,
        options=planned.options("train"),
    shell:
        "mtlbio train {input.run:q} --results {params.folder:q} 2> {log:q}"
