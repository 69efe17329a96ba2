internal import Experiments
internal import Foundation
internal import Training

/// A Slurm job array that trains a sweep, one task per member; each task can be requeued and goes on by itself.
struct SweepArray {
  let sweep: Sweep
  let config: ConfigurationArguments
  let folder: String

  init(_ sweep: Sweep, config: ConfigurationArguments, folder: String) {
    self.sweep = sweep
    self.config = config
    self.folder = folder
  }

  /// Writes the job script.
  ///
  /// - Returns: where it is.
  func write() throws -> String {
    let path = "\(folder)/array.sbatch"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(script.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw CommandError(exitCode: 73, description: "cannot write \(path): \(error.localizedDescription)")
    }
    return path
  }

  private var script: String {
    let program = URL(fileURLWithPath: CommandLine.arguments[0]).standardizedFileURL.path
    let overrides = config.overrides.map { " --set \(quoted($0))" }.joined()
    return """
      #!/usr/bin/env bash
      # The sweep of \(config.config): one task per member. Submit it from the folder in which it was written.
      # A task that is stopped near its time limit is requeued and goes on; \
      `convoy sweep \(config.config)` then shows the table.
      #SBATCH --job-name=\(sweep.base.run.name)
      #SBATCH --array=0-\(sweep.members.count - 1)
      #SBATCH --nodes=1
      #SBATCH --ntasks=1
      #SBATCH --cpus-per-task=8
      #SBATCH --time=04:00:00
      #SBATCH --signal=B:USR1@120
      #SBATCH --requeue
      #SBATCH --open-mode=append
      #SBATCH --output=\(folder)/task-%a.log

      convoy=${CONVOY:-\(quoted(program))}
      job='' stop=''
      hand_on() {
        stop=$1 interrupted=yes
        [[ -z $job ]] || kill -s "$1" "$job" 2>/dev/null
      }
      for name in USR1 TERM INT HUP; do trap "hand_on $name" "$name"; done

      "$convoy" sweep \(quoted(config.config))\(overrides) --member "$SLURM_ARRAY_TASK_ID" &
      job=$!
      [[ -z $stop ]] || kill -s "$stop" "$job"
      # A signal ends `wait` early; the program goes on until it has written its checkpoint.
      interrupted=yes
      while [[ $interrupted ]]; do
        interrupted=''
        wait "$job"
        status=$?
        ((status == 127)) || code=$status
      done
      # 75: stopped with a checkpoint; 138: SIGUSR1 came before the program could listen. Nothing is lost either way.
      if [[ $stop == USR1 ]] && ((code == 75 || code == 138)); then
        scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
      fi
      exit "$code"

      """
  }

  /// A word for a shell.
  private func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}
