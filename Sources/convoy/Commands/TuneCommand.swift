internal import ArgumentParser
internal import Compute
internal import Experiments
internal import Foundation
internal import Networks
internal import Reporting
internal import Settings
internal import Tensors
internal import Training

/// Times the kernels of a network's convolutions.
struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract: "Time the kernels of a network and save the fastest choices.",
    discussion: """
      A config with `tuning: {file: kernels.txt}` repeats the choices anywhere, bit for bit on CPUs of the same kind. \
      `tuning: measured` does the same without a file, through a cache.
      """)

  @OptionGroup var config: ConfigurationArguments

  @Option(help: ArgumentHelp("The file for the choices.", valueName: "file"))
  var save: String?

  @OptionGroup var overwrite: OverwriteOption

  @Flag(help: "Print a JSON list with the time of each kernel.")
  var json = false

  func run() throws {
    let stop = StopSignals.install()
    let loaded = try ConfigurationFile.load(path: config.config, overrides: config.settings)
    if let save {
      // The choices that the config names are not read here, and may be measured anew.
      let data = [loaded.run.data.train.file, loaded.run.data.test?.file]
      try overwrite.check("--save", save, inputs: InputFiles(loaded.values.sources + data))
    }
    let (choices, timings) = try measure(loaded, stop)
    if json {
      if let save { try OutputFile.write(choices.text, to: save) }
      let times = timings.map { timing in
        KernelTime(
          layer: timing.layer, pass: timing.pass.rawValue, precision: timing.precision.rawValue,
          algorithm: timing.algorithm.rawValue, kernel: timing.kernel, seconds: timing.seconds,
          gflopsPerSecond: timing.flops / timing.seconds * 1e-9,
          chosen: choices[timing.layer, timing.pass]?.rawValue == timing.algorithm.rawValue)
      }
      return print(try ResultJSON.text(times))
    }
    for timing in timings {
      let isChosen = choices[timing.layer, timing.pass]?.rawValue == timing.algorithm.rawValue
      let name =
        "\(timing.layer) \(timing.pass.rawValue) \(timing.precision.rawValue) \(timing.algorithm.rawValue)"
      print(
        (isChosen ? "* " : "  ") + name.padding(toLength: 50, withPad: " ", startingAt: 0)
          + String(
            format: "%10.1f µs %7.0f GFLOP/s  ", timing.seconds * 1e6, timing.flops / timing.seconds * 1e-9)
          + timing.kernel)
    }
    guard let save else { return print("\n\(choices.text)", terminator: "") }
    try OutputFile.write(choices.text, to: save)
    print(
      "\(save): kernels of \(counted(Set(timings.map(\.layer)).count, "layer")), shards of \(choices.shardSize ?? 0)"
    )
  }

  /// Times the kernels, and says on standard error what is timed: large images take minutes.
  private func measure(
    _ loaded: LoadedConfiguration, _ stop: StopRequest
  ) throws -> (KernelChoices, [KernelTiming]) {
    let progress = TerminalOutput.progressLine()
    defer { progress.finish() }
    let samples = Tuning(loaded.network, loaded.run.training, stop: stop).shardSize
    let tuning = Tuning(loaded.network, loaded.run.training, stop: stop) { turn in
      if turn.done == 0 {
        TerminalOutput.note(
          "timing the kernels of \(counted(turn.count, "convolution")), \(counted(samples, "sample")) at once"
        )
      }
      progress.update(
        ProgressReading(title: "\(turn.layer), \(turn.shape)", done: turn.done, total: turn.count),
        now: TerminalOutput.seconds)
    }
    return try tuning.measure()
  }
}
