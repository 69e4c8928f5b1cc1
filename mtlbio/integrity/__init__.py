"""Whether a folder of results is what mtlbio wrote: marks, records of content, owners.

``results/<run>/manifest/`` holds ``run.json``, the mark that the folder is one of mtlbio's (:mod:`.folder`); a record
per step with the SHA-256 of every file that it wrote (:mod:`.record`), written last; and ``owner.json``, the process
that is at work there (:mod:`.owner`). Whoever reads a file of a step checks it first (:mod:`.step`), and a workflow
makes again what was changed, before its first job (:mod:`.heal`).

One record per step and not one per run: steps of a run end at the same time on different nodes, and a file that several
of them rewrite would need a lock that works on every shared file system.
"""
