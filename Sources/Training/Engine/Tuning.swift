public import Compute
internal import Digests
internal import Foundation
public import Networks
internal import OneDNN
internal import Paths
internal import Tensors

/// Times kernels for a network, and keeps what it found in the user's cache folder.
public struct Tuning {
  private let network: ResolvedNetwork
  private let configuration: TrainingConfiguration
  private let stop: StopRequest
  private let report: (TuningTurn) -> Void

  /// Takes the network whose kernels are to be chosen.
  ///
  /// - Parameters:
  ///   - stop: polled between runs of kernels.
  ///   - report: told of each convolution before its kernels are timed.
  public init(
    _ network: ResolvedNetwork, _ configuration: TrainingConfiguration, stop: StopRequest,
    report: @escaping (TuningTurn) -> Void = { _ in }
  ) {
    self.network = network
    self.configuration = configuration
    self.stop = stop
    self.report = report
  }

  private var precision: ComputePrecision { configuration.precision == .bf16 ? .bf16 : .fp32 }

  /// How kernels are to be chosen, measured if the configuration asks for it.
  ///
  /// - Throws: ``TrainingError`` for a file that is missing or holds no choices; ``StoppedEarly``.
  public func selection() throws -> KernelSelection {
    switch configuration.tuning {
    case .model: return .costModel
    case .direct: return .direct
    case .file(let path):
      guard let text = WholeFile.text(path) else {
        throw TrainingError(
          .missingInput, "\(path) cannot be read; `convoy tune CONFIG --save FILE` makes one")
      }
      guard let choices = KernelChoices(text: text) else {
        throw TrainingError(
          .badData, "\(path) does not hold choices of kernels; `convoy tune CONFIG --save FILE` makes them")
      }
      return .chosen(choices)
    case .measured: return .chosen(try measured())
    }
  }

  /// The fastest kernels: from the cache if this network was measured on this machine before.
  public func measured() throws -> KernelChoices {
    let folder = Tuning.cacheFolder
    let name = "\(try cacheKey()).txt"
    if let text = WholeFile.text("\(folder)/\(name)"),
      let choices = KernelChoices(text: text), !choices.isEmpty
    {
      return choices
    }
    let (choices, _) = try measure()
    // A cache that cannot be written costs the next start a second and nothing else.
    try? makeFolder(folder)
    try? AtomicFile.write(choices.text, as: name, in: folder)
    return choices
  }

  /// How many samples each kernel is timed with: those of a shard.
  public var shardSize: Int {
    CompiledNetwork.shardSize(
      of: network,
      options: CompileOptions(
        batch: configuration.batch, shard: configuration.fixedShard, precision: precision))
  }

  /// Times all kernels now.
  ///
  /// - Throws: ``StoppedEarly`` when asked to stop.
  public func measure() throws -> (KernelChoices, [KernelTiming]) {
    let shard = shardSize
    let tuner = KernelTuner(
      samples: shard, precisions: precision == .bf16 ? [.fp32, .bf16] : [.fp32], repeats: 2)
    let timings = try tuner.timings(of: network, while: { !stop.isRequested }, report: report)
    guard !stop.isRequested else {
      throw StoppedEarly("stopped by a signal before all kernels were timed; the same command begins again")
    }
    var choices = KernelTuner.fastest(timings, precision: precision)
    choices.shardSize = shard
    return (choices, timings)
  }

  /// A digest of what the fastest kernel depends on.
  private func cacheKey() throws -> String {
    let layers = network.layers.map { "\($0.name) \($0.spec) \($0.inputShapes) \($0.outputShape)" }
    let text =
      (layers + [
        "\(configuration.batch) \(configuration.fixedShard ?? 0) \(precision)", OneDNN.Library.version,
        OneDNN.Library.instructionSet, RunEnvironment.cpuName,
        ConvolutionAlgorithmName.allCases.map(\.rawValue).joined(separator: " "),
      ]).joined(separator: "\n")
    return String(SHA256.digest(of: text).hexadecimal.prefix(32))
  }

  /// `$XDG_CACHE_HOME/convoy/kernels`, by default below `~/.cache`.
  static var cacheFolder: String {
    let base =
      EnvironmentPath.value(of: "XDG_CACHE_HOME")
      ?? "\(EnvironmentPath.value(of: "HOME") ?? Folder.temporary)/.cache"
    return "\(base)/convoy/kernels"
  }
}
