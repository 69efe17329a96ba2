internal import Compute
internal import Foundation
internal import Tensors

/// Memory that work needs, held against what is free before any of it is taken.
///
/// Where the system refuses memory halfway, nobody can say any more what for.
public enum MemoryDemand {
  /// The bytes that the system can still give, swap included; nil where it does not say.
  public static var freeByteCount: Int? {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
    func kilobytes(_ key: String) -> Int? {
      guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("\(key):") }) else {
        return nil
      }
      return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
    return kilobytes("MemAvailable").map { ($0 + (kilobytes("SwapFree") ?? 0)) << 10 }
  }

  /// Why work does not fit into the free memory, in one line; nil where it does, or where that is not known.
  ///
  /// - Parameters:
  ///   - byteCount: what it needs at least; nil for more than any system has.
  ///   - work: what it is, in the singular.
  ///   - advice: what to do.
  public static func problem(_ byteCount: Int?, of work: String, advice: String) -> String? {
    guard let free = freeByteCount, byteCount.map({ $0 / 10 > free / 10 - free / 100 }) ?? true else {
      return nil
    }
    let needed = byteCount.map { "\($0 >> 20) MiB" } ?? "more than any"
    return "\(work) takes \(needed) of memory, but only \(free >> 20) MiB are free; \(advice)"
  }

  /// - Throws: ``TrainingError`` of kind `configuration` where a network's work does not fit.
  static func check(_ byteCount: Int?, of work: String, workers: Int) throws(TrainingError) {
    let problem = problem(
      byteCount, of: "\(work) on \(counted(workers, "worker"))",
      advice: "use fewer --workers, a smaller training.shard or a smaller network")
    if let problem { throw TrainingError(.configuration, problem) }
  }

  /// What a training takes at least: a worker's activations, scratchpads and two gradients, what the optimizer remembers, and what
  /// samples keep for gradients that are taken over the whole minibatch; nil for more than a number can say.
  ///
  /// - Parameter samples: of the largest minibatch.
  static func training(
    _ compiled: CompiledNetwork, slots: Int, workers: Int, samples: Int
  ) throws -> Int? {
    let float = MemoryLayout<Float>.stride
    return sum(
      (try bytesPerWorker(compiled), workers), (compiled.longestGatheredPiece * float, workers),
      (compiled.storageCount * float, 1 + slots), (compiled.gatheredBytesPerSample, samples))
  }

  /// A worker's activations and scratchpads, a gradient that it fills, and one that waits in the tree of sums.
  static func bytesPerWorker(_ compiled: CompiledNetwork) throws -> Int {
    try compiled.trainingPlan(samples: compiled.shardSize).workspaceByteCount
      + 2 * compiled.gradientCount * MemoryLayout<Float>.stride
  }

  /// What inference takes at least; nil for more than a number can say.
  ///
  /// - Parameter sharesSample: whether the workers compute one sample together, in the memory of one.
  static func inference(_ compiled: CompiledNetwork, workers: Int, sharesSample: Bool) throws -> Int? {
    let plan =
      try sharesSample ? compiled.sharedInferencePlan() : compiled.inferencePlan(samples: compiled.shardSize)
    return sum(
      (plan.workspaceByteCount, sharesSample ? 1 : workers),
      (compiled.storageCount * MemoryLayout<Float>.stride, 1))
  }

  private static func sum(_ parts: (byteCount: Int, times: Int)...) -> Int? {
    var total = 0
    for part in parts {
      let (product, isTooLarge) = part.byteCount.multipliedReportingOverflow(by: part.times)
      let (sum, isBeyond) = total.addingReportingOverflow(product)
      if isTooLarge || isBeyond { return nil }
      total = sum
    }
    return total
  }
}
