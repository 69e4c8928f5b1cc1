# one part of a scattered run: a fold, or a network of chains
rule train_part:
    # what has changed is a reason to take train again, and with it the parts that are not there
    input:
        run=ancient(planned.yaml),
        cohort=ancient(planned.made("prepare", "cohort.h5ad")),
        splits=ancient(planned.made("prepare", "splits.tsv")),
        modules=ancient(planned.modules("train")),
    output:
        part=temp(directory(f"{results}/{{run}}/parts/train/{{part}}")),
    log:
        f"{results}/{{run}}/logs/train_{{part}}.log",
    benchmark:
        f"{results}/{{run}}/benchmarks/train_{{part}}.tsv"
    conda:
        "../../envs/mtlbio.yaml"
    # many small networks: more threads wait for each other; a deep trunk has as many processes as the run says
    threads: threads(planned.processes)
    resources:
        mem_mb=memory(3000, per_input=12, further=planned.megabytes_of_processes),
        runtime=minutes(planned.minutes_of_part("train")),
        gpu=planned.gpus,
    params:
        folder=planned.folder,
        options=planned.options("train"),
    shell:
        "mtlbio train {input.run:q} --results {params.folder:q} --part {wildcards.part:q} 2> {log:q}"


rule train:
    input:
        run=ancient(planned.yaml),
        cohort=planned.made("prepare", "cohort.h5ad"),
        splits=planned.made("prepare", "splits.tsv"),
        # none where training is one job
        parts=planned.parts("train"),
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
        mem_mb=memory(6000, per_input=20, further=planned.megabytes_of_processes),
        runtime=minutes(planned.minutes_of_training),
        gpu=planned.gpus,
    params:
        folder=planned.folder,
        options=planned.options("train"),
    shell:
        "mtlbio train {input.run:q} --results {params.folder:q} 2> {log:q}"
