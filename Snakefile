# The workflow stands in workflow/Snakefile; this file lets `snakemake --cores 2` find it.


include: "workflow/Snakefile"


localrules:
    default,


# an included file cannot set the default target
rule default:
    default_target: True
    input:
        rules.all.input,
