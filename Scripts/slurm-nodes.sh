# The part of slurm-test on four nodes. It is sourced by that.

# --- An MPI for each way in which srun starts programs

declare -A plug_ins=()
for pair in pmix:openmpi pmi2:mpich; do
  way=${pair%:*} family=${pair#*:}
  compiler=$(command -v "mpicc.$family" || true)
  [[ $compiler ]] || continue
  "$convoy" mpi build --mpicc "$compiler" --to "$scratch/$family.so"
  plug_ins[$way]=$scratch/$family.so
done
((${#plug_ins[@]})) || fail 69 "no MPI is here: Scripts/dependencies openmpi-bin libopenmpi-dev mpich libmpich-dev"
# The nodes are one machine, which the libraries notice, and would use shared memory that nodes do not have.
export OMPI_MCA_btl=self,tcp UCX_TLS=self,tcp

start_slurm 4
ways=()
for way in "${!plug_ins[@]}"; do
  if srun --mpi=list 2>&1 | grep -qw "$way"; then ways+=("$way"); else echo "left out: this Slurm has no $way"; fi
done
((${#ways[@]})) || fail 69 "this Slurm starts no MPI that is here"
use() { export SLURM_MPI_TYPE=$1 CONVOY_MPI=${plug_ins[$1]}; }

# --- One process, and then srun on 1, 2 and 4 nodes

small_data "$scratch/small.h5" 1000 200
small_config "$scratch/small.yaml" 'sgd: {learning_rate: 0.05, momentum: 0.9}'
options=("$scratch/small.yaml" --quiet --set ranks.timeout=20)
say "A training in one process"
"$convoy" train "${options[@]}" --set training.epochs=1 --run-dir "$scratch/first" >/dev/null
# Long enough to be disturbed, on a fast machine, too: about 8 seconds in one process.
seconds=$(sed -n 's/.* seconds=\([0-9.]*\) .*/\1/p' "$scratch/first/log.txt")
options+=(--set "training.epochs=$(awk "BEGIN { print int(8 / $seconds + 1) }")")
"$convoy" train "${options[@]}" --run-dir "$scratch/whole" >/dev/null
wanted=$(digest_of "$scratch/whole")
echo "$wanted"

# expect_same RUN WHAT: the bytes and figures of the one process.
expect_same() {
  local found
  found=$(digest_of "$1")
  [[ $found == "$wanted" ]] || fail 1 "$2: the contents are $found instead of $wanted"
  diff <(rows_of "$scratch/whole") <(rows_of "$1") || fail 1 "$2: the metrics differ"
  ! grep -i damaged "$1/log.txt" || fail 1 "$2: a damaged checkpoint"
  echo "$2: the same bytes"
}

say "srun convoy train"
for way in "${ways[@]}"; do
  use "$way"
  for count in 1 2 4; do
    run=$scratch/$way-$count
    timeout 200 srun --nodes="$count" --ntasks-per-node=1 --cpus-per-task=1 --kill-on-bad-exit=1 \
      "$convoy" train "${options[@]}" --run-dir "$run" >"$scratch/output" 2>&1 ||
      fail 1 "srun on $count node(s) with $way ended with $?: $(cat "$scratch/output")"
    expect_same "$run" "$count node(s), $way"
    ((count == 1)) || grep -q "n1, n2" "$run/log.txt" || [[ ! $(has_namespaces && echo yes) ]] ||
      fail 1 "the log does not name the nodes: $(head -n 1 "$run/log.txt")"
  done
done

# --- Jobs of the template

# submit RUN NODES [OPTIONS…]: sets `job` and `log`.
submit() {
  local run=$1 count=$2
  shift 2
  job=$(sbatch --parsable --nodes="$count" --time=5 --cpus-per-task=1 --output="$scratch/job-%j.txt" \
    Scripts/convoy.sbatch "${options[@]}" --run-dir "$run" "$@")
  log=$scratch/job-$job.txt
}

# until_true SECONDS COMMAND…: 1 if it does not come true.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}
is_over() { [[ $(field JobState) =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)$ ]]; }
is_pending() { [[ $(field JobState) == PENDING ]]; }
has_restarts() { (($(field Restarts) >= $1)); }
# The checkpoints that a run's log names; a start that resumes writes its own.
checkpoints() { (cat "$1/log.txt" 2>/dev/null || true) | grep -c 'checkpoint of step' || true; }
has_checkpoints() { (($(checkpoints "$1") >= $2)); }
end_job() {
  until_true "${2:-120}" is_over || fail 1 "$1: the job does not end: $(cat "$log"; squeue)"
  [[ $(field JobState) == COMPLETED ]] || fail 1 "$1: the job's state is $(field JobState): $(cat "$log")"
}
# The processes that train in a folder; srun has the same words in its command line.
ranks_in() {
  local pid
  for pid in $(pgrep -f " train .*--run-dir $1" || true); do
    [[ ! /proc/$pid/exe -ef $convoy ]] || echo "$pid"
  done
}

for way in "${ways[@]}"; do
  use "$way"
  say "A job that is signalled and gets more nodes ($way)"
  run=$scratch/signalled-$way
  submit "$run" 1
  for next in 2 4; do
    until_true 60 has_checkpoints "$run" 3 || fail 1 "no checkpoints: $(cat "$log")"
    before=$(checkpoints "$run")
    scancel --batch --signal=USR1 "$job"
    until_true 60 is_pending || fail 1 "the job was not requeued: $(cat "$log")"
    # What another allocation may be like.
    scontrol update "jobid=$job" "numnodes=$next-$next" || fail 1 "the job cannot have $next nodes"
    ((next == 4)) || until_true 90 has_checkpoints "$run" $((before + 3)) || fail 1 "it did not go on: $(cat "$log")"
  done
  end_job "signalled"
  grep -h "start .* on\|ended with" "$log"
  (($(grep -c "ended with 75 after SIGUSR1" "$log") == 2)) || fail 1 "it did not end with 75 each time: $(cat "$log")"
  grep -q "on n\[1-4\]" "$log" || fail 1 "it had no other nodes in the end: $(cat "$log")"
  (($(field Restarts) == 2)) || fail 1 "$(field Restarts) restarts instead of 2"
  expect_same "$run" "signalled twice"
done

use "${ways[0]}"
say "A job with a process that is killed"
run=$scratch/killed
submit "$run" 3
until_true 60 has_checkpoints "$run" 3 || fail 1 "no checkpoints: $(cat "$log")"
kill -KILL "$(ranks_in "$run" | shuf -n 1)"
until_true 60 has_restarts 1 || fail 1 "the job was not requeued: $(cat "$log")"
end_job "killed"
grep -h "ended with\|requeued" "$log"
expect_same "$run" "a process killed"

say "A job whose processes are killed before they gain a step"
run=$scratch/hopeless
submit "$run" 2 --set 'checkpoints.every={epochs: 100}'
until_true 60 grep -qs started "$run/log.txt" || fail 1 "it does not start: $(cat "$log")"
kill -KILL "$(ranks_in "$run" | head -n 1)"
until_true 60 is_over || fail 1 "the job does not end: $(cat "$log")"
[[ $(field JobState) == FAILED && $(field Restarts) == 0 ]] || fail 1 "the job was requeued: $(cat "$log")"
grep -h "ended with" "$log"

if has_namespaces; then
  say "A job on a node that is gone"
  run=$scratch/node-gone
  submit "$run" 3
  until_true 60 has_checkpoints "$run" 3 || fail 1 "no checkpoints: $(cat "$log")"
  node=$(scontrol show hostnames "$(field NodeList)" | sed -n 2p)
  end_node "$node"
  until_true 120 has_restarts 1 || fail 1 "the job was not requeued: $(cat "$log"; sinfo)"
  end_job "node gone" 180
  expect_same "$run" "node $node gone, then $(field NodeList)"
else
  echo "left out: a node that is gone needs namespaces of its own"
fi
say "A sweep with two nodes for each member"
for place in whole-sweep sweep; do
  mkdir "$scratch/$place"
  ln "$scratch/small.h5" "$scratch/$place/small.h5"
  cat - "$scratch/small.yaml" >"$scratch/$place/small.yaml" <<'YAML'
sweep: {grid: {training.optimizer.sgd.momentum: [0, 0.9]}}
YAML
done
sweep=(sweep small.yaml --set training.epochs=2 --set ranks.timeout=20)
(cd "$scratch/whole-sweep" && "$convoy" "${sweep[@]}" --quiet >/dev/null)
cd "$scratch/sweep"
script=$("$convoy" "${sweep[@]}" --slurm)
timeout 300 sbatch --wait --nodes=2 --time=5 --cpus-per-task=1 "$script" >/dev/null ||
  fail 1 "the array failed: $(cat Results/small/sweep-*/task-*.log)"
for log in Results/small/sweep-*/task-*.log; do
  grep -q 'start 1 on n.*[-,]' "$log" || fail 1 "a member had one node: $(cat "$log")"
done
"$convoy" "${sweep[@]}" >/dev/null
diff "$scratch"/whole-sweep/Results/small/sweep-*/sweep.csv Results/small/sweep-*/sweep.csv || fail 1 "the tables differ"
for run in Results/small/*/checkpoints; do
  run=${run%/checkpoints}
  [[ $(digest_of "$run") == "$(digest_of "$scratch/whole-sweep/$run")" ]] || fail 1 "$run: the contents differ"
  echo "$run: the same bytes"
done
cd - >/dev/null

[[ ! $(ranks_in "$scratch/") ]] || fail 1 "processes were left behind: $(ranks_in "$scratch/")"
echo "0 differences, nothing left behind, $SECONDS s"
