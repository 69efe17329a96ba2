public import Networks
internal import OneDNN
internal import Parallel
internal import Tensors

/// A network made executable: its plans for every shard size, over one layout of parameters and with one choice of kernels.
public final class CompiledNetwork: Sendable {
  /// The description that was compiled.
  public let network: ResolvedNetwork
  /// The options that it was compiled with.
  public let options: CompileOptions
  /// Samples of a full shard.
  public let shardSize: Int
  /// The sums that training takes of samples.
  public let metrics: FigureLayout
  /// The kernel of each convolution and pass, its number format, and the shard size, as the plan of a full shard settled them.
  ///
  /// Every other plan repeats them, whatever its shard size, and whether it trains or evaluates. A compilation with
  /// ``KernelSelection/chosen(_:)`` of these gives the same plans.
  public let choices: KernelChoices
  /// The canonical layout of parameters and statistics.
  public let parameters: ParameterLayout
  private let part: TrainedPart
  private let lowering: Lowering
  private let inferenceLowering: Lowering
  private let storage: ParameterStorage
  /// What the plans after the first are built with.
  private let settled: CompileOptions
  private let plans: Guarded<[PlanKey: Plan]>
  /// The plan that was compiled first.
  private let fullShard: PlanKey

  struct PlanKey: Hashable {
    let samples: Int
    let mode: PlanMode
  }

  /// Compiles the plan of a full shard, which settles the layout of the parameters and the choice of kernels.
  ///
  /// - Throws: ``ComputeError`` where a layer has no kernel or the CPU lacks what the precision needs.
  public init(_ network: ResolvedNetwork, options: CompileOptions) throws(ComputeError) {
    if options.precision == .bf16, !Library.hasBF16 {
      throw .precision(
        "precision bf16 needs a CPU that multiplies bf16 (AVX-512 BF16), and this one has \(Library.instructionSet); "
          + "use precision fp32")
    }
    self.network = network
    self.options = options
    let parameters = ParameterLayout(network)
    self.parameters = parameters
    metrics = FigureLayout(options.criterion, outputs: network.outputShape.elementCount)
    let final = options.criterion.loss.finalActivation
    part = TrainedPart(network, frozen: options.frozen, inputGradient: options.inputGradient)
    lowering = Lowering(network, leavingOut: final, training: part)
    inferenceLowering = Lowering(network, foldsNorms: true, leavingOut: final)
    // What is frozen does not decide it: the statistics of batch normalisations are those of shards.
    shardSize = Self.shardSize(
      part.hasFrozen ? Lowering(network, leavingOut: final) : lowering, parameters, options)
    storage = ParameterStorage()
    let mode: PlanMode = options.training ? .training : .inference
    let first = try Plan(
      PlanBuilder(
        samples: shardSize, mode: mode, options: options, parameters: parameters, storage: storage,
        lowering: options.training ? lowering : inferenceLowering, part: part))
    var choices = first.choices
    choices.shardSize = shardSize
    self.choices = choices
    var settled = options
    settled.kernels = .chosen(choices)
    settled.hasAllChoices = true
    self.settled = settled
    fullShard = PlanKey(samples: shardSize, mode: mode)
    plans = Guarded([fullShard: first])
  }

  /// Samples of a full shard of a network that is not compiled yet.
  public static func shardSize(of network: ResolvedNetwork, options: CompileOptions) -> Int {
    shardSize(
      Lowering(network, leavingOut: options.criterion.loss.finalActivation), ParameterLayout(network), options
    )
  }

  private static func shardSize(
    _ lowering: Lowering, _ parameters: ParameterLayout, _ options: CompileOptions
  ) -> Int {
    var chosen: Int?
    if case .chosen(let choices) = options.kernels { chosen = choices.shardSize }
    return options.shard ?? chosen
      ?? CostModel.shardSize(
        of: lowering, batch: options.batch, precision: options.precision,
        storedFloats: parameters.trainableCount, own: options.takesOwnKernels)
  }

  // MARK: - Parameters

  /// Floats of a flat buffer of parameters in the plans' layouts.
  public var storageCount: Int { storage.count }

  /// Floats of a flat buffer of what only trained parameters have, such as optimizer state: as many as ``storageCount`` where none is
  /// frozen.
  public var trainedCount: Int { storage.trainedCount }

  /// Floats of a shard's gradient: as many as ``trainedCount`` where no layer's is taken over the whole minibatch.
  public var gradientCount: Int { storage.gradientCount }

  /// Whether the running statistics of a batch normalisation are used and kept.
  public func keepsStatistics(ofLayer layer: String) -> Bool { part.keepsStatistics(ofLayer: layer) }

  /// The layers whose gradients are taken over the whole minibatch.
  var gatheredLayers: [GatheredLayer] { storage.gathered }
  /// The embeddings whose gradients are taken over the whole minibatch.
  var gatheredTables: [GatheredTable] { storage.tables }

  /// The places of the trainable parameters in a flat buffer.
  public var segments: [Segment] { storage.segments }

  /// Canonical values (``ParameterLayout/trainableCount`` of them) into a flat buffer.
  public func load(
    _ canonical: UnsafePointer<Float>, into buffer: UnsafeMutablePointer<Float>
  ) throws(ComputeError) {
    do { try storage.load(canonical, into: buffer) } catch { throw .library(layer: "parameters", error) }
  }

  /// A flat buffer's values into canonical order.
  public func export(
    _ buffer: UnsafePointer<Float>, into canonical: UnsafeMutablePointer<Float>
  ) throws(ComputeError) {
    do { try storage.export(buffer, into: canonical) } catch { throw .library(layer: "parameters", error) }
  }

  /// Canonical values into a flat buffer of ``trainedCount`` floats; those of frozen parameters are left out.
  public func loadTrained(
    _ canonical: UnsafePointer<Float>, into buffer: UnsafeMutablePointer<Float>
  ) throws(ComputeError) {
    do { try storage.load(canonical, into: buffer, .trained) } catch {
      throw .library(layer: "parameters", error)
    }
  }

  /// The values of a flat buffer of ``trainedCount`` floats into canonical order; those of frozen parameters stay as they are.
  public func exportTrained(
    _ buffer: UnsafePointer<Float>, into canonical: UnsafeMutablePointer<Float>
  ) throws(ComputeError) {
    do { try storage.export(buffer, into: canonical, .trained) } catch {
      throw .library(layer: "parameters", error)
    }
  }

  /// Copies for the kernels of all plans compiled so far; a ``LoadedNetwork`` makes them after its plans.
  func makeKernelWeights() -> KernelWeights { KernelWeights(storage) }

  // MARK: - Plans

  /// The plan for training on a shard of `samples`, compiled on first use.
  ///
  /// - Throws: ``ComputeError`` where a layer has no kernel.
  public func trainingPlan(samples: Int) throws(ComputeError) -> Plan { try plan(samples, .training) }

  /// The plan for inferring a shard of `samples`, compiled on first use.
  ///
  /// - Throws: ``ComputeError`` where a layer has no kernel.
  public func inferencePlan(samples: Int) throws(ComputeError) -> Plan { try plan(samples, .inference) }

  /// The plan for inferring one sample by several workers together, compiled on first use.
  ///
  /// - Throws: ``ComputeError`` where a layer has no kernel.
  public func sharedInferencePlan() throws(ComputeError) -> Plan { try plan(1, .sharedInference) }

  /// The plans of shards of some sizes, with that of a full shard, which is there in any case.
  ///
  /// They are compiled in the order of their sizes, training first.
  func plans(
    training: Set<Int>, inference: Set<Int>, shared: Set<Int>
  ) throws(ComputeError) -> [PlanKey: Plan] {
    var result = plans.withLock { $0.filter { $0.key == fullShard } }
    for (mode, sizes) in [(PlanMode.training, training), (.inference, inference), (.sharedInference, shared)]
    {
      for samples in sizes.sorted() {
        result[PlanKey(samples: samples, mode: mode)] = try plan(samples, mode)
      }
    }
    return result
  }

  private func plan(_ samples: Int, _ mode: PlanMode) throws(ComputeError) -> Plan {
    let key = PlanKey(samples: samples, mode: mode)
    if let known = plans.withLock({ $0[key] }) { return known }
    let builder = PlanBuilder(
      samples: samples, mode: mode, options: settled, parameters: parameters, storage: storage,
      lowering: mode == .training ? lowering : inferenceLowering, part: part)
    let plan = try Plan(builder)
    return plans.withLock { plans in
      if let other = plans[key] { return other }
      plans[key] = plan
      return plan
    }
  }
}
