# Code that the scripts share. It is sourced, not run: `source "$(dirname "$0")/common.sh"` also changes to the project's folder.

# `--help` prints the comment at a script's beginning, before anything is built or installed.
for argument in "$@"; do
  [[ $argument != -- ]] || break
  [[ $argument != -h && $argument != --help ]] || {
    sed -n '1d; /^#/!q; s/^# \{0,1\}//p' "$0"
    exit 0
  }
done

# Every script works in the project's top folder; paths that people name count from the folder in which they are.
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -t 1 && -z "${NO_COLOR:-}" ]]; then
  bold=$'\e[1m' plain=$'\e[0m'
else
  bold='' plain=''
fi

# One heading per stage, so that a reader of a log finds the place.
say() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }

# fail CODE TEXT: prints one line on standard error and exits.
fail() {
  local code=$1
  shift
  printf 'error: %s\n' "$*" >&2
  exit "$code"
}

# quietly COMMAND…: shows the command's output only if it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if ((status)); then
    tail -n 40 "$log" >&2
    rm -f "$log"
    fail 1 "'$*' ended with $status; its last lines are above"
  fi
  rm -f "$log"
}

require_swift() {
  command -v swift >/dev/null ||
    fail 1 "swift is not on the PATH; install Swift 6.2 or later from https://www.swift.org/install/linux/"
}

# Builds the release program and sets `convoy` to its path; CONVOY names another one that is built already.
build_release() {
  if [[ -n ${CONVOY:-} ]]; then
    convoy=$(cd "$called_from" && realpath -- "$CONVOY")
    [[ -x $convoy ]] || fail 66 "CONVOY=$CONVOY is not a program"
    return
  fi
  require_swift
  swift build -c release --product convoy
  convoy="$(swift build -c release --show-bin-path)/convoy"
}

# first_samples FILE.gz COUNT BYTES TARGET: the first COUNT entries, of BYTES each, of a gzip IDX file, as a plain one.
first_samples() {
  local header=8
  (($3 == 1)) || header=16
  # `head` stops reading early, which is no failure of gzip's.
  (set +o pipefail && gzip -dc "$1" | head -c $((header + $2 * $3))) >"$4.all"
  {
    head -c 4 "$4.all"
    # The number of samples, big-endian.
    printf "$(printf '\\x%02x' $(($2 >> 24 & 255)) $(($2 >> 16 & 255)) $(($2 >> 8 & 255)) $(($2 & 255)))"
    tail -c +9 "$4.all"
  } >"$4"
  rm "$4.all"
}

# small_data FILE.h5 TRAIN TEST: a dataset of the first so many samples of Fashion-MNIST.
small_data() {
  local source=/usr/share/datasets/fashion-mnist folder
  [[ -f $source/train-images-idx3-ubyte.gz ]] || fail 66 "Fashion-MNIST is missing: run Scripts/dependencies"
  folder=$(dirname "$1")
  first_samples "$source/train-images-idx3-ubyte.gz" "$2" 784 "$folder/train-images"
  first_samples "$source/train-labels-idx1-ubyte.gz" "$2" 1 "$folder/train-labels"
  first_samples "$source/t10k-images-idx3-ubyte.gz" "$3" 784 "$folder/test-images"
  first_samples "$source/t10k-labels-idx1-ubyte.gz" "$3" 1 "$folder/test-labels"
  "$convoy" import idx --images "$folder/train-images" --labels "$folder/train-labels" \
    --test-images "$folder/test-images" --test-labels "$folder/test-labels" --to "$1"
}

# small_config FILE.yaml OPTIMIZER: a training with everything whose state could be lost, on small.h5 in the same folder. The last
# shard of each minibatch has 2 samples of 12, for which the cost model prefers other kernels of the second convolution.
small_config() {
  cat >"$1" <<YAML
name: small
seed: 1
data:
  train: {file: small.h5, images: train/images, labels: train/labels}
  test: {file: small.h5, images: test/images, labels: test/labels}
network:
  input: [28, 28, 1]
  layers:
    - rescale: {scale: 1/255}
    - conv2d: {filters: 8, kernel: 3, activation: relu}
    - batch_norm
    - max_pool2d: {size: 2}
    - conv2d: {filters: 40, kernel: 3, activation: relu}
    - dropout: {rate: 0.25}
    - flatten
    - dense: {units: 10}
training:
  epochs: 3
  batch: 50
  shard: 12
  loss: softmax_cross_entropy
  optimizer:
    $2
  schedule: {cosine: {floor: 0.1}}
checkpoints:
  every: {steps: 2}
YAML
}

# digest_of RUN: that of its last checkpoint's contents, which no interruption may change.
digest_of() {
  "$convoy" inspect "$(find "$1/checkpoints" -name 'checkpoint-*.h5' | sort | tail -n 1)" |
    sed -n 's/^contents SHA-256 //p'
}

# rows_of RUN: its metrics without the columns of wall-clock time.
rows_of() {
  cut -d , -f "$(head -n 1 "$1/metrics.csv" | tr , '\n' | grep -nv second | cut -d : -f 1 |
    paste -sd ,)" "$1/metrics.csv"
}
