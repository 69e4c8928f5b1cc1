rule prepare:
    input:
        run=ancient(planned.yaml),
        data=planned.data,
        modules=planned.modules("prepare"),
    output:
        record=f"{results}/{{run}}/manifest/prepare.json",
        cohort=f"{results}/{{run}}/cohort.h5ad",
        qc=f"{results}/{{run}}/qc.tsv",
        splits=f"{results}/{{run}}/splits.tsv",
    log:
        f"{results}/{{run}}/logs/prepare.log",
    benchmark:
        f"{results}/{{run}}/benchmarks/prepare.tsv"
    conda:
        "../../envs/mtlbio.yaml"
    threads: threads(1)
    resources:
        mem_mb=memory(2000, per_input=12),
        runtime=minutes(30),
    params:
        folder=planned.folder,
        options=planned.options("prepare"),
    shell:
        "mtlbio prepare {input.run:q} --results {params.folder:q} 2> {log:q}"
