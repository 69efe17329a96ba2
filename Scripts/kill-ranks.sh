# The part of kill-test with several ranks. It is sourced by that, which has made the data and the uninterrupted trainings.
#
# What is done to a training, each at a random moment; half of them while a checkpoint is written:
#   kill       SIGKILL for one rank                     137 from mpirun of Open MPI, 9 or 137 from that of MPICH
#   stop       SIGSTOP for one rank, longer than the limit         69: another rank notices; mpirun of MPICH may say 9
#   pause      SIGSTOP and SIGCONT for one rank, well within the limit                0: nothing happens
#   signal     a signal that asks to stop, for one rank                                 75: all stop
#   hand-on    SIGUSR1 or SIGTERM for the launcher           75; 1 from mpirun of Open MPI after SIGTERM
#   launcher   SIGKILL for the launcher                            137: the ranks notice and end, too
# A code of its own has what comes before the program listens to signals.

source Scripts/mpi.sh
find_mpi "$scratch"
ways=(kill kill stop pause signal signal hand-on launcher)
stop_signals=(TERM USR1 HUP USR2)

# launch CONFIG RUN: becomes a training by one of the launchers, or in one process.
launch() {
  local command=("$convoy" train "$1" --run-dir "$2" --workers "$workers" --set "ranks.timeout=$limit"
    --set "data.memory_limit=${memory_limits[RANDOM % 2]}" --quiet)
  if [[ $family == alone ]]; then exec "${command[@]}"; else mpi "$family" "$count" "${command[@]}"; fi
}

# pick_rank: sets `rank` to the process of a random one, `''` when there is none any more.
pick_rank() {
  local pids
  mapfile -t pids < <(ranks_in "$run")
  rank=''
  ((${#pids[@]} == 0)) || rank=${pids[RANDOM % ${#pids[@]}]}
}
is_alive() { kill -0 "$1" 2>/dev/null && [[ -d /proc/$1/fd ]]; }

# wait_for_moment: until a random moment of the training.
wait_for_moment() {
  local skip turn
  # The launcher needs a while of its own.
  until [[ $(ranks_in "$run") ]] || ! is_alive "$job"; do sleep 0.01; done
  if ((RANDOM % 2)); then
    for ((skip = RANDOM % 4; skip >= 0; skip--)); do
      until is_writing "$run" || ! is_alive "$job"; do :; done
      ((skip == 0)) || while is_writing "$run" && is_alive "$job"; do :; done
    done
    for ((turn = RANDOM % 200; turn > 0; turn--)); do :; done
  else
    sleep "$(awk "BEGIN { print $duration * $RANDOM / 32768 }")"
  fi
}

# disturb WAY: does it, and sets `wanted_codes`; it may come too late, whence 0.
disturb() {
  local signal
  pick_rank
  case $1 in
  kill)
    wanted_codes='137 9'
    [[ ! $rank ]] || kill -KILL "$rank" 2>/dev/null || true
    ;;
  stop)
    wanted_codes='69 9'
    [[ ! $rank ]] || kill -STOP "$rank" 2>/dev/null || true
    ;;
  pause)
    wanted_codes=0
    if [[ $rank ]] && kill -STOP "$rank" 2>/dev/null; then
      sleep "0.$((RANDOM % 5))"
      kill -CONT "$rank" 2>/dev/null || true
    fi
    ;;
  signal)
    signal=${stop_signals[RANDOM % ${#stop_signals[@]}]}
    # 128 and its number: it came before the program listened.
    wanted_codes="75 $((128 + $(kill -l "$signal"))) $(kill -l "$signal")"
    [[ ! $rank ]] || kill -s "$signal" "$rank" 2>/dev/null || true
    ;;
  hand-on)
    signal=${stop_signals[RANDOM % 2]}
    wanted_codes="75 1 $((128 + $(kill -l "$signal"))) $(kill -l "$signal")"
    kill -s "$signal" "$job" 2>/dev/null || true
    ;;
  launcher)
    wanted_codes=137
    kill -KILL "$job" 2>/dev/null || true
    ;;
  esac
}

# expect_none_left: all ranks end by themselves soon after their launcher.
expect_none_left() {
  local turn left=''
  for ((turn = 0; turn < 300; turn++)); do
    left=$(ranks_in "$run")
    [[ $left ]] || return 0
    sleep 0.1
  done
  fail 1 "after '$way' of $family × $count, processes are left behind: $(ps -o pid,stat,wchan:20,args -p "${left//$'\n'/,}") (SEED=$SEED)"
}

say "Kills of $kills trainings of up to $most_ranks ranks (SEED=$SEED): ${families[*]}"
declare -A tally=() longest=()
patience=$(awk "BEGIN { print int(120 + 20 * $duration) }")
done_kills=0 trainings=0 while_writing=0 started=$SECONDS run=''
while ((done_kills < kills)) || [[ $run ]]; do
  if [[ -z $run ]]; then optimizer=$((trainings % ${#wanted[@]})) run="$scratch/killed-$trainings"; fi
  family=alone count=1 workers=$((1 + RANDOM % 2)) way=none wanted_codes=0
  ((RANDOM % 8 == 0)) || family=${families[RANDOM % ${#families[@]}]} count=$((2 + RANDOM % (most_ranks - 1)))
  ((done_kills >= kills)) || ((count == 1)) || way=${ways[RANDOM % ${#ways[@]}]}
  # Who is stopped is missed soon; who is not gets the time that a busy machine needs to start all.
  limit=60
  [[ $way != stop ]] || limit=3
  # Each start draws anew; the subshell would otherwise repeat its parent's next number.
  RANDOM=$RANDOM
  (launch "$scratch/$optimizer.yaml" "$run") >"$scratch/output" 2>&1 &
  job=$!
  sent=$EPOCHREALTIME
  if [[ $way != none ]]; then
    wait_for_moment
    ! is_writing "$run" || while_writing=$((while_writing + 1))
    sent=$EPOCHREALTIME
    disturb "$way"
  fi
  # Nobody waits without an end; a machine that is busy gets some time.
  (sleep "$patience" && kill -KILL "$job") 2>/dev/null &
  alarm=$!
  code=0
  { wait "$job" || code=$?; } 2>/dev/null
  after=$EPOCHREALTIME
  pkill -KILL -P "$alarm" 2>/dev/null || true
  kill -KILL "$alarm" 2>/dev/null || true
  { wait "$alarm" || true; } 2>/dev/null
  [[ $way == launcher ]] || ((code != 137)) || [[ " $wanted_codes " == *" 137 "* ]] ||
    fail 1 "'$way' of $family × $count hangs: $(cat "$scratch/output") (SEED=$SEED)"
  expect_none_left
  job=''
  [[ ! ${VERBOSE:-} ]] || echo "$way of $family × $count: $code after $(((${after/[.,]/} - ${sent/[.,]/}) / 1000)) ms"
  [[ $code == 0 || " $wanted_codes " == *" $code "* ]] ||
    fail 1 "'$way' of $family × $count ended with $code instead of $wanted_codes: $(cat "$scratch/output") (SEED=$SEED)"
  if [[ $way == stop && $code == 69 ]]; then
    grep -q '^error: .*rank [0-9]* .*\(has not answered\|has waited\)' "$scratch/output" ||
      fail 1 "a rank that was stopped is not named: $(cat "$scratch/output") (SEED=$SEED)"
  fi
  if [[ $way != none ]]; then
    ((code == 0)) && [[ $way != pause ]] || done_kills=$((done_kills + 1))
    key="$way $family"
    tally[$key,$code]=$((${tally[$key,$code]:-0} + 1))
    took=$(((${after/[.,]/} - ${sent/[.,]/}) / 1000))
    ((code == 0)) || ((took <= ${longest[$key]:-0})) || longest[$key]=$took
    ((done_kills % 100)) || ((code == 0)) || echo "$done_kills kills after $((SECONDS - started)) s"
  fi
  if ((code == 0)); then
    grep -q '"phase" *: *"finished"' "$run/state.json" 2>/dev/null || fail 1 \
      "'$way' of $family × $count ended with 0, and the training is not finished: $(cat "$scratch/output") (SEED=$SEED)"
    found=$(digest_of "$run")
    [[ $found == "${wanted[optimizer]}" ]] ||
      fail 1 "after $done_kills kills the contents are $found instead of ${wanted[optimizer]} (SEED=$SEED)"
    diff <(rows_of "$scratch/whole-$optimizer") <(rows_of "$run") >&2 ||
      fail 1 "after $done_kills kills the metrics differ (SEED=$SEED)"
    ! grep -i damaged "$run/log.txt" >&2 || fail 1 "a kill left a damaged checkpoint behind (SEED=$SEED)"
    rm -rf "$run"
    run='' trainings=$((trainings + 1))
  fi
done
printf '%-10s %-8s  %-28s %s\n' what MPI 'codes × times' 'longest to the end'
for way in kill stop pause signal hand-on launcher; do
  for family in "${families[@]}"; do
    codes=''
    for key in "${!tally[@]}"; do
      [[ $key != "$way $family,"* ]] || codes+="${key#*,} × ${tally[$key]}, "
    done
    [[ -z $codes ]] || printf '%-10s %-8s  %-28s %s\n' "$way" "$family" "${codes%, }" \
      "$(awk "BEGIN { printf \"%.1f s\", ${longest[$way $family]:-0} / 1000 }")"
  done
done
echo "$done_kills kills ($while_writing disturbances while a checkpoint was written) in $trainings trainings on up to $most_ranks" \
  "ranks: 0 differences, no hang, nothing left behind, $((SECONDS - started)) s"
