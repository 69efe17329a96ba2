internal import Compute
internal import Dispatch
internal import Networks
internal import Parallel

extension Ranks {
  /// These ranks with the network between them measured, for whoever shows its figures; all call it together.
  ///
  /// It takes 106 exchanges: some milliseconds, on slow networks some tenths of a second.
  /// - Throws: `CommunicationError` where a rank is gone or does not answer in time.
  public func measured() throws -> Ranks {
    with(try Interconnect.measured(by: communicator, clock: Self.seconds))
  }

  /// These ranks with as much of the network between them measured as a training needs: how fast bytes travel; all call it together.
  ///
  /// How shards are dealt depends on nothing else of the network. It takes four exchanges.
  /// - Throws: `CommunicationError` where a rank is gone or does not answer in time.
  public func measuredForTraining() throws -> Ranks {
    let rate = try Interconnect.measuredBytesPerSecond(by: communicator, clock: Self.seconds)
    return with(
      rate.map {
        Interconnect(
          latency: Self.assumedNetwork.latency, perMessage: Self.assumedNetwork.perMessage, bytesPerSecond: $0
        )
      })
  }

  private static func seconds() -> Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

  private func with(_ interconnect: Interconnect?) -> Ranks {
    isDealt
      ? Ranks(communicator, interconnect: interconnect, partition: partition)
      : Ranks(communicator, interconnect: interconnect)
  }

  /// These ranks with shards dealt to them by what a step costs; all call it together.
  ///
  /// What a shard takes follows from the network's shapes: which shares are best hardly depends on it, and all ranks come to the same.
  /// - Parameter workers: this rank's own; ranks may have different numbers.
  func dealing(
    shardsOf compiled: CompiledNetwork, _ training: TrainingConfiguration, workers: Int
  ) throws(CommunicationError) -> Ranks {
    if isAlone || isDealt { return self }
    let crew = try communicator.gather(training.parallelism == .intra ? 1 : workers)
    let partition = costModel(of: compiled, training, workers: workers).partition(workers: crew)
    let known = KnownPartitions(partition)
    return Ranks(communicator, interconnect: interconnect) { known.ranges(of: $0) }
  }

  /// A step's costs by the shapes of a network alone, and by the network between ranks if that was measured.
  private func costModel(
    of compiled: CompiledNetwork, _ training: TrainingConfiguration, workers: Int
  ) -> StepCostModel {
    let float = Double(MemoryLayout<Float>.stride)
    // Forward and backward, at what a core of the last ten years multiplies in convolutions; and memory as fast as a core copies.
    let flops = 3 * Double(compiled.network.flops) * Double(compiled.shardSize)
    let work = StepCostModel.Work(
      secondsPerShard: max(flops / 50e9, 1e-6), gradientBytes: Double(compiled.gradientCount) * float,
      parameterBytes: Double(compiled.storageCount) * float,
      slots: training.optimizer.rule.slotNames.count, memoryBytesPerSecond: 10e9)
    return StepCostModel(work, interconnect ?? Self.assumedNetwork)
  }

  /// What is assumed of a network that nobody has measured: ethernet of 10 Gbit/s.
  private static let assumedNetwork = Interconnect(latency: 30e-6, perMessage: 10e-6, bytesPerSecond: 1.175e9)
}

/// Divisions that were found already: a step asks for its own several times.
private final class KnownPartitions: Sendable {
  private let partition: ShardPartition
  private let known = Guarded<[Int: [Range<Int>]]>([:])

  init(_ partition: ShardPartition) { self.partition = partition }

  func ranges(of count: Int) -> [Range<Int>] {
    if let ranges = known.withLock({ $0[count] }) { return ranges }
    let ranges = partition.ranges(of: count)
    known.withLock { $0[count] = ranges }
    return ranges
  }
}
