#!/usr/bin/env bash
# Makes .venv with everything that mtlbio needs; a repeat costs nothing (a stamp over the pins, pyproject.toml and the version).
#
#   PYTHON=/path/to/python3    which interpreter (>= 3.11) to use; found on PATH where left out
#   MTLBIO_TORCH=cpu           the CPU build of torch
#   MTLBIO_TORCH=cuda          the default build, with CUDA on Linux
#   MTLBIO_TORCH=skip          no torch at all: the site's own is seen through --system-site-packages
#   MTLBIO_TORCH='<arguments>' anything else is given to `pip install` as it is
# Left out: the default build where nvidia-smi finds a GPU, otherwise the CPU build where pip offers one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "setup: $*" >&2; exit 1; }

choice=${MTLBIO_TORCH:-}
pin=$(grep '^torch==' envs/constraints.txt)
stamp=$({ cat envs/constraints.txt envs/setup.sh pyproject.toml; grep '^__version__' mtlbio/__init__.py; echo "$PWD $choice ${PYTHON:-}"; } | cksum)
[ "$(cat .venv/stamp 2>/dev/null)" = "$stamp" ] && [ -x .venv/bin/mtlbio ] && exit 0

find_python() {
    local name
    for name in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        newest=$name
        "$name" -c 'import ensurepip, venv' 2>/dev/null && { python=$name; return; }
    done
    [ -z "${newest:-}" ] || die "$newest has no ensurepip; install it (Debian, Ubuntu: sudo apt-get install" \
        "$("$newest" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')) and repeat"
    die "no python >= 3.11 on PATH; install one (Debian, Ubuntu: sudo apt-get install python3.11 python3.11-venv;" \
        "conda: conda create -n py311 python=3.11), or name it: PYTHON=/path/to/python3 make ..."
}

torch_version() { .venv/bin/python -c 'import torch; print(torch.__version__)' 2>/dev/null || true; }
# the public part decides: 2.13.0+cpu is 2.13.0
has_pin() { [ "torch==${1%%+*}" = "$pin" ]; }

install_torch() {
    local exact="torch===${pin#torch==}" # without a local version such as +cpu
    case $choice in
        cuda) case $(torch_version) in *+cpu) ;; *) has_pin "$(torch_version)" && return ;; esac ;;
        '' | cpu) has_pin "$(torch_version)" && return ;;
    esac
    echo "setup: torch (the largest part; a few minutes on a slow line)" >&2
    case $choice in
        cuda) pip install "$exact" ;;
        cpu) pip install "$pin+cpu" || die "pip offers no CPU build of $pin here; name an index that has one:" \
            "MTLBIO_TORCH='$pin --index-url <index>'" ;;
        # shellcheck disable=SC2086 # several arguments are meant
        ?*) pip install $choice ;;
        *) if nvidia-smi >/dev/null 2>&1; then pip install "$exact"; else pip install "$pin+cpu" 2>/dev/null || pip install "$pin"; fi ;;
    esac
}

pip() { .venv/bin/python -m pip --disable-pip-version-check -qq "$@"; }

if [ ! -x .venv/bin/python ]; then
    find_python
    echo "setup: .venv with $("$python" --version)" >&2
    if [ "$choice" = skip ]; then "$python" -m venv --system-site-packages .venv; else "$python" -m venv .venv; fi
fi
if [ "$choice" != skip ]; then install_torch; fi
before=$(torch_version)
[ -n "$before" ] || die "torch cannot be imported; with MTLBIO_TORCH=skip the site must bring one (or remove .venv and repeat)"

echo "setup: mtlbio and its dependencies (about a minute)" >&2
grep -v '^torch==' envs/constraints.txt > .venv/constraints.txt
echo "torch==${before}" >> .venv/constraints.txt # whatever build is there stays
pip install -c .venv/constraints.txt -e '.[test,slurm]'
[ "$(torch_version)" = "$before" ] || die "torch $before was replaced by $(torch_version); remove .venv and repeat"
echo "$stamp" > .venv/stamp
