# What scripts share that start trainings by mpirun. It is sourced after common.sh and build_release.

# The families of MPI that are on this machine, and how each starts programs.
families=()
declare -A launchers=() plug_ins=()
# Open MPI binds each process to a core, refuses root and more processes than cores, and may be on a machine without ssh.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_plm_rsh_agent=

# find_mpi FOLDER: looks for both families and builds their plug-ins; 69 without any.
find_mpi() {
  local family launcher compiler
  for family in openmpi mpich; do
    launcher=$(command -v "mpirun.$family" || true) compiler=$(command -v "mpicc.$family" || true)
    [[ $launcher && $compiler ]] || continue
    quietly "$convoy" mpi build --mpicc "$compiler" --to "$1/$family.so"
    families+=("$family")
    plug_ins[$family]=$1/$family.so
    launchers[$family]=$launcher
    [[ $family != openmpi ]] || launchers[$family]+=" --oversubscribe --bind-to none"
  done
  ((${#families[@]})) ||
    fail 69 "there is no MPI: Scripts/dependencies openmpi-bin libopenmpi-dev mpich libmpich-dev"
}

# mpi FAMILY RANKS COMMAND…: becomes the launcher of so many processes.
mpi() {
  local family=$1 count=$2
  shift 2
  # shellcheck disable=SC2086
  CONVOY_MPI=${CONVOY_MPI:-${plug_ins[$family]}} exec ${launchers[$family]} -n "$count" "$@"
}

# ranks_in RUN: the processes that train in a folder; a launcher has the same words in its command line.
ranks_in() {
  local pid
  for pid in $(pgrep -f -- "--run-dir $1( |\$)" || true); do
    [[ ! /proc/$pid/exe -ef $convoy ]] || echo "$pid"
  done
}

# rank_of PID: its number.
rank_of() { tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | sed -n 's/^\(OMPI_COMM_WORLD_RANK\|PMI_RANK\)=//p' | head -n 1; }
