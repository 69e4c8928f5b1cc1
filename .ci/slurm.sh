#!/usr/bin/env bash
# A Slurm of one node for the tests: Debian's packages, root, no systemd, no cgroups, no accounting database.
#
#   .ci/slurm.sh install      Debian's packages, unless they are there; status 3 where apt-get or root is missing
#   .ci/slurm.sh start        writes the configuration, starts munged, slurmctld and slurmd, waits for the node
#   .ci/slurm.sh stop         ends those that were started here, by their pid, and takes the configuration away
#   .ci/slurm.sh controller   starts slurmctld alone, for tests that have killed it; `daemon`: slurmd alone
#
# Everything lies in $MTLBIO_SLURM (/tmp/mtlbio_slurm where left out). The configuration is linked from /etc/slurm, since
# the executor plugin takes SLURM_CONF out of the environment. The daemons listen on the loopback device only.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
folder=${MTLBIO_SLURM:-/tmp/mtlbio_slurm}
host=$(hostname -s)
configured=/etc/slurm

install() {
    type slurmctld slurmd munged >/dev/null 2>&1 && return
    if [ "$(id -u)" != 0 ] || ! type apt-get >/dev/null 2>&1; then
        echo "slurm: not installed, and no root or no apt-get to install it with" >&2
        return 3
    fi
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends slurm-wlm munge; } >/dev/null; then
        echo "slurm: apt-get cannot install slurm-wlm here" >&2
        return 3
    fi
    # started by the package: ours to stop
    if [ -s /run/munge/munged.pid ]; then mkdir -p "$folder" && cp /run/munge/munged.pid "$folder/munged.pid"; fi
}

write_configuration() {
    mkdir -p "$folder"/{state,spool,log}
    local memory
    memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo) # below what slurmd finds, or the node is drained
    touch "$folder/no_gpu"
    # a file may stand for a GPU: enough to schedule one on a node that has none
    echo "NodeName=$host Name=gpu File=$folder/no_gpu" >"$folder/gres.conf"
    cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort=16817
SlurmdPort=16818
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
SlurmdSpoolDir=$folder/spool
StateSaveLocation=$folder/state
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
# without cgroups the memory of a job is sampled, and a job above what it asked for is killed
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
# a job that has ended can be asked for this long
MinJobAge=300
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=5
SlurmctldTimeout=30
SlurmdTimeout=30
MessageTimeout=5
KillWait=2
InactiveLimit=0
ReturnToService=2
# more processors than there are: the steps of these tests sleep
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=$memory Gres=gpu:1 State=UNKNOWN
NodeName=nowhere NodeAddr=127.0.0.2 CPUs=64 RealMemory=512000 State=DOWN
PartitionName=cpu Nodes=$host Default=YES MaxTime=2:00:00 DefMemPerCPU=500
PartitionName=gpu Nodes=$host MaxTime=2:00:00 DefMemPerCPU=500
PartitionName=small Nodes=$host MaxTime=10 MaxCPUsPerNode=2 MaxMemPerNode=1000
PartitionName=away Nodes=nowhere MaxTime=2:00:00
CONF
}

started_munge() {
    munge -n 2>/dev/null | unmunge >/dev/null 2>&1 && return
    mkdir -p /run/munge && chown munge: /run/munge && chmod 755 /run/munge
    runuser -u munge -- munged
    cp /run/munge/munged.pid "$folder/munged.pid"
    munge -n | unmunge >/dev/null
}

controller() { slurmctld; }
daemon() { slurmd; }

start() {
    if [ "$(id -u)" != 0 ]; then
        echo "slurm: only root can start it" >&2
        return 3
    fi
    for file in slurm.conf gres.conf; do
        if [ -e $configured/$file ] && [ "$(readlink $configured/$file)" != "$folder/$file" ]; then
            echo "slurm: $configured/$file is there already: another Slurm is set up here" >&2
            return 3
        fi
    done
    write_configuration
    mkdir -p $configured
    ln -sfn "$folder/slurm.conf" "$folder/gres.conf" $configured
    started_munge
    controller
    daemon
    for _ in $(seq 100); do
        sinfo -h -p cpu -o %T 2>/dev/null | grep -qE '^(idle|mixed|allocated)$' && return
        sleep 0.2
    done
    echo "slurm: the node did not come up; see $folder/log" >&2
    return 1
}

stop() {
    local name pid
    if [ -s "$folder/slurmctld.pid" ]; then timeout -k 1 20 scancel --user="$(id -un)" || true; fi
    for name in slurmd slurmctld munged; do
        [ -s "$folder/$name.pid" ] || continue
        pid=$(cat "$folder/$name.pid")
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -9 "$pid" 2>/dev/null || true
        rm -f "$folder/$name.pid"
    done
    for file in slurm.conf gres.conf; do
        [ "$(readlink $configured/$file)" != "$folder/$file" ] || rm -f $configured/$file
    done
}

case ${1:-} in
    install | start | stop | controller | daemon) "$1" ;;
    *) sed -n '2,10p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
