# A Slurm of one node on this machine, everything of it in $cluster: key, ports, state and logs of its own, so that
# nothing of an installed one is read or touched. To be sourced; start_slurm, then stop_slurm.

start_slurm() {
    local host port
    host=$(hostname -s)
    port=$((20000 + $$ % 20000))
    mkdir -p "$cluster"/{key,socket,state,spool,log}
    chmod 755 "$cluster" "$cluster/socket"
    chmod 700 "$cluster/key"
    head -c 1024 /dev/urandom >"$cluster/key/munge"
    chmod 400 "$cluster/key/munge"
    munged --force --key-file="$cluster/key/munge" --socket="$cluster/socket/munge" --pid-file="$cluster/munged.pid" \
        --log-file="$cluster/log/munged" --seed-file="$cluster/key/seed"
    # A scheduling round a second is what it would do by itself; a test does not want to wait for that. More processors
    # than there are let all tasks run at once.
    cat >"$cluster/slurm.conf" <<CONF
ClusterName=strata_test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$cluster/socket/munge
CredType=cred/munge
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/slurmd.pid
SlurmctldLogFile=$cluster/log/slurmctld
SlurmdLogFile=$cluster/log/slurmd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1,bf_interval=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=2000
PartitionName=all Nodes=$host Default=YES State=UP
CONF
    export SLURM_CONF="$cluster/slurm.conf"
    slurmctld -f "$SLURM_CONF" -c
    slurmd -f "$SLURM_CONF"
    for _ in $(seq 100); do
        sinfo --noheader --format %T 2>/dev/null | grep -q idle && return 0
        sleep 0.2
    done
    echo "Slurm did not come up" >&2
    cat "$cluster"/log/* >&2
    return 1
}

stop_slurm() {
    local daemon
    for daemon in slurmd slurmctld munged; do
        [ -s "$cluster/$daemon.pid" ] && kill "$(cat "$cluster/$daemon.pid")" 2>/dev/null
    done
    for _ in $(seq 50); do
        ls "$cluster"/*.pid >/dev/null 2>&1 || break
        sleep 0.1
    done
}

# `sbatch --wait` would look again only after 2, 8 and 32 seconds.
wait_for_jobs() {
    while [ -n "$(squeue --noheader)" ]; do sleep 0.2; done
}
