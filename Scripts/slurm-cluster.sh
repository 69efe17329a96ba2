# A Slurm of its own on this machine, for tests. It is sourced after common.sh, by a script that runs as root.
#
# It does not touch an existing Slurm: ports, key, state and logs are its own, below `scratch`.

# Where everything is, and what to end in the end.
scratch=$(mktemp -d)
services=()
declare -A node_service=()

# end_slurm CODE: ends all services, after their last words where something failed.
end_slurm() {
  if (($1)); then tail -n 20 "$scratch"/*.log "$scratch"/job-*.txt 2>/dev/null >&2 || true; fi
  scancel --quiet --user=root 2>/dev/null || true
  sleep 0.2
  for service in "${node_service[@]}"; do
    # `unshare` hands no signal on, and takes its node along when it ends.
    kill "$service" 2>/dev/null || true
    ! is_unshared "$service" || kill -KILL "$service" 2>/dev/null || true
  done
  for service in "${services[@]}"; do kill "$service" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$scratch"
}

# Whether nodes can have process numbers and a host name of their own.
has_namespaces() { unshare --pid --uts --mount --mount-proc --fork true 2>/dev/null; }

is_unshared() { [[ $(cat "/proc/$1/comm" 2>/dev/null) == unshare ]]; }

# start_node NAME: with a host name and process numbers of its own where the machine lets it, so that all of it can go at once.
start_node() {
  local command=(slurmd -D -N "$1")
  if ((${#nodes[@]} > 1)) && has_namespaces; then
    command=(unshare --pid --uts --mount --mount-proc --fork --kill-child=KILL
      bash -c 'hostname "$1" && mount --bind "$2" /etc/hosts && shift 2 && exec "$@"' bash "$1" "$scratch/hosts" "${command[@]}")
  fi
  "${command[@]}" >>"$scratch/slurmd-$1.out.log" 2>&1 &
  node_service[$1]=$!
  # The shell would write a line about each that is killed.
  disown
}

# end_node NAME: as if its power failed; without namespaces, the daemon and what it started are killed one by one.
end_node() {
  local pid=${node_service[$1]} process
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  for process in /proc/[0-9]*; do
    ! tr '\0' '\n' <"$process/environ" 2>/dev/null | grep -qx "SLURMD_NODENAME=$1" || kill -KILL "${process#/proc/}" 2>/dev/null || true
  done
  unset "node_service[$1]"
}

# start_slurm COUNT: a cluster of so many nodes, `localhost` or n1, n2, …, each with the cores of this machine.
# Exits with 69 where it does not start.
start_slurm() {
  local cores port node name turn deadline service
  cores=$(nproc)
  port=$((20000 + RANDOM % 10000))
  nodes=(localhost)
  (($1 == 1)) || mapfile -t nodes < <(seq -f 'n%g' "$1")
  mkdir -p "$scratch"/{state,spool,munge,tmp}
  dd if=/dev/urandom of="$scratch/munge/key" bs=128 count=1 status=none
  chmod 400 "$scratch/munge/key"
  cat >"$scratch/slurm.conf" <<CONF
ClusterName=convoy-test
SlurmctldHost=localhost
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
AuthType=auth/munge
# A requeued job may start again only when its old credential has expired.
AuthInfo=socket=$scratch/munge/socket,cred_expire=5
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool/%n
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd-%n.pid
SlurmctldLogFile=$scratch/slurmctld.log
SlurmdLogFile=$scratch/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
# A node that does not answer is down after this many seconds.
SlurmdTimeout=10
KillWait=5
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=100000,bf_interval=1
CONF
  if (($1 == 1)); then
    echo "NodeName=localhost CPUs=$cores State=UNKNOWN"
  else
    # PMIx keeps a folder for each node, by the job's number.
    echo "TmpFS=$scratch/tmp/%n"
    (cat /etc/hosts && seq -f '127.0.0.1 n%g' "$1") >"$scratch/hosts"
    for ((node = 1; node <= $1; node++)); do
      mkdir -p "$scratch"/{tmp,spool}/n$node
      echo "NodeName=n$node NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((port + node)) CPUs=$cores State=UNKNOWN"
    done
  fi >>"$scratch/slurm.conf"
  echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP" >>"$scratch/slurm.conf"
  export SLURM_CONF="$scratch/slurm.conf"

  say "Starting Slurm with $1 node(s)"
  munged --foreground --force --key-file="$scratch/munge/key" --socket="$scratch/munge/socket" \
    --pid-file="$scratch/munge/pid" --seed-file="$scratch/munge/seed" --log-file="$scratch/munged.log" \
    --num-threads=2 >>"$scratch/munged.log" 2>&1 &
  services+=($!)
  for ((turn = 0; turn < 50; turn++)); do [[ ! -S $scratch/munge/socket ]] || break; sleep 0.1; done
  slurmctld -D >>"$scratch/slurmctld.out.log" 2>&1 &
  services+=($!)
  for name in "${nodes[@]}"; do start_node "$name"; done

  # Services need things of a machine that not every container has, a mounted /sys/fs/cgroup for one.
  deadline=$((SECONDS + 30 + 5 * $1))
  while ((SECONDS < deadline)); do
    for service in "${services[@]}" "${node_service[@]}"; do
      kill -0 "$service" 2>/dev/null || fail 69 \
        "Slurm does not start here: $(sed -n 's/^slurm[a-z]*: error: //p' "$scratch"/slurm*.out.log | paste -sd';')"
    done
    (($(idle_nodes) < $1)) || break
    sleep 0.5
  done
  (($(idle_nodes) == $1)) || fail 69 "Slurm does not start here: only $(idle_nodes) of its $1 nodes are idle after a while"
  sinfo --version
}

idle_nodes() { timeout 2 sinfo --noheader --Node --format='%T' 2>/dev/null | grep -c '^idle$' || true; }

# field NAME: of job $job.
field() { scontrol --oneliner show job "$job" 2>/dev/null | sed -n "s/.* $1=\([^ ]*\).*/\1/p"; }
