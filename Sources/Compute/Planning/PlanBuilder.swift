internal import Networks
internal import OneDNN
internal import Tensors

/// The result of an operation while a plan is built.
struct Value {
  var operand: Operand
  /// For a flattened image whose elements lie in kernel order: the canonical index of each column.
  ///
  /// Negative for padding.
  /// Nil where the columns are canonical.
  var columns: [Int32]?

  var descriptor: MemoryDescriptor { operand.descriptor }
}

/// The gradient of the loss with respect to a value.
struct Gradient {
  var operand: Operand
  /// Whether nobody else reads the memory, so that it may be overwritten.
  var isExclusive: Bool

  var descriptor: MemoryDescriptor { operand.descriptor }
}

/// Compiles operations into steps: chooses kernels and layouts, inserts reorders only where layouts differ.
///
/// Each operation's forward function leaves behind the function that will emit its backward steps, so that the two stand
/// side by side in the code.
final class PlanBuilder {
  typealias Backward = (Gradient) throws -> Void

  let samples: Int
  let options: CompileOptions
  let mode: PlanMode
  let parameters: ParameterLayout
  let storage: ParameterStorage
  let lowering: Lowering
  /// What a training moves.
  let part: TrainedPart

  private(set) var steps: [Step] = []
  private(set) var planner = MemoryPlanner()
  private(set) var scratchpadByteCount = 64
  var values: [Value?]
  var gradients: [[Gradient]]
  private var backwards: [Backward?]
  var needsGradient: [Bool]
  private var pass = Pass.forward
  var layer = ""
  private(set) var choices = KernelChoices()
  private var group: (number: Int, part: Int)?
  private var groupCount = 0
  /// Whether the operation at hand lies before all that is trained, so that its steps are those of inference.
  private var isForwardOnly = false
  /// Brings the gradient of canonical logits into the order of the value they came from.
  var canonicalGradient: (Gradient) throws -> Gradient = { $0 }

  init(
    samples: Int, mode: PlanMode, options: CompileOptions, parameters: ParameterLayout,
    storage: ParameterStorage, lowering: Lowering, part: TrainedPart = .whole
  ) {
    self.part = part
    self.samples = samples
    self.mode = mode
    self.options = options
    self.parameters = parameters
    self.storage = storage
    self.lowering = lowering
    let count = lowering.operations.count
    values = Array(repeating: nil, count: count)
    gradients = Array(repeating: [], count: count)
    backwards = Array(repeating: nil, count: count)
    needsGradient = Array(repeating: false, count: count)
  }

  /// Whether batches make statistics, dropout drops, and parameters get gradients.
  var isTraining: Bool { mode == .training }

  /// Whether a backward pass follows through the operation at hand, to parameters or to the image alone.
  var goesBack: Bool { isTraining ? !isForwardOnly : mode.goesBackToImage }

  // MARK: - The whole plan

  /// What a built plan exposes besides its steps.
  struct Outputs {
    var logits: Operand
    var inputGradient: Operand?
  }

  func build() throws(ComputeError) -> Outputs {
    for index in lowering.operations.indices {
      let operation = lowering.operations[index]
      needsGradient[index] = isTraining && isTrained(operation)
      isForwardOnly = part.hasFrozen && !needsGradient[index]
      try attributing(to: operation.layer) { try emitForward(index, operation) }
    }
    isForwardOnly = false
    let outputLayer = lowering.operations[lowering.output].layer
    return try attributing(to: outputLayer) {
      let logits = try emitLogits()
      guard isTraining else { return Outputs(logits: logits.operand) }
      try emitLoss(logits)
      for index in lowering.operations.indices.reversed() { try emitBackward(index) }
      requireGradients()
      return Outputs(logits: logits.operand, inputGradient: try inputGradient())
    }
  }

  /// Whether the operation, or one before it, has something to learn.
  private func isTrained(_ operation: Operation) -> Bool {
    guard !operation.inputs.isEmpty else { return options.inputGradient }
    return operation.inputs.contains { needsGradient[$0] }
      || operation.parameterNames.contains { !part.isFrozen($0, ofLayer: operation.layer) }
  }

  func attributing<T>(to layer: String, _ body: () throws -> T) throws(ComputeError) -> T {
    self.layer = layer
    do {
      return try body()
    } catch let error as OneDNNError {
      throw .library(layer: self.layer, error)
    } catch let error as ComputeError {
      throw error
    } catch {
      throw .output(reason: "\(error)")
    }
  }

  func emitForward(_ index: Int, _ operation: Operation) throws {
    pass = .forward
    let inputs = operation.inputs.compactMap { values[$0] }
    switch operation.kind {
    case .input(let affine): values[index] = try input(operation, affine)
    case .convolution(let conv): values[index] = try convolution(index, operation, conv, inputs[0])
    case .transposedConvolution(let conv):
      values[index] = try transposedConvolution(index, operation, conv, inputs[0])
    case .dense(let dense): values[index] = try self.dense(index, operation, dense, inputs[0])
    case .embedding(let embedding):
      values[index] = try self.embedding(index, operation, embedding, inputs[0])
    case .pooling(let algorithm, let pool):
      values[index] = try pooling(index, operation, algorithm, pool, inputs[0])
    case .globalPooling(let algorithm):
      values[index] = try globalPooling(index, operation, algorithm, inputs[0])
    case .eltwise(let function): values[index] = try eltwise(index, function, inputs[0])
    case .softmax: values[index] = try softmax(index, operation, inputs[0])
    case .batchNorm(let norm): values[index] = try batchNorm(index, operation, norm, inputs[0])
    case .prelu(let function): values[index] = try prelu(index, operation, function, inputs[0])
    case .layerNorm(let norm): values[index] = try layerNorm(index, operation, norm, inputs[0])
    case .groupNorm(let norm): values[index] = try groupNorm(index, operation, norm, inputs[0])
    case .localResponseNorm(let norm):
      values[index] = try localResponseNorm(index, operation, norm, inputs[0])
    case .affine(let affine): values[index] = try self.affine(index, operation, affine, inputs[0])
    case .multiply: values[index] = try multiply(index, operation, inputs)
    case .padding(let margins):
      values[index] = try moved(index, operation, down: margins.top, right: margins.left, inputs[0])
    case .cropping(let margins):
      values[index] = try moved(index, operation, down: -margins.top, right: -margins.left, inputs[0])
    case .upSampling(let interpolation):
      values[index] = try upSampling(index, operation, interpolation, inputs[0])
    case .reshape: values[index] = try reshape(index, operation, inputs[0])
    case .add: values[index] = try add(index, operation, inputs)
    case .concat: values[index] = try concat(index, operation, inputs)
    case .dropout(let dropout): values[index] = try self.dropout(index, operation, dropout, inputs[0])
    case .flatten: values[index] = try flatten(index, operation, inputs[0])
    case .positionBias: values[index] = try positionBias(index, operation, inputs[0])
    }
  }

  func emitBackward(_ index: Int) throws {
    let operation = lowering.operations[index]
    guard needsGradient[index], let backward = backwards[index], !gradients[index].isEmpty else { return }
    layer = operation.layer
    pass = .backwardData
    try backward(combine(gradients[index]))
  }

  /// Memory for gradients is reused, and a part that no step writes would hold another shard's gradient.
  private func requireGradients() {
    var written: Set<Int> = []
    for step in steps {
      for operand in step.results where operand.region == .gradient { written.insert(operand.offset) }
    }
    for segment in storage.segments {
      guard let range = segment.gradientRange else { continue }
      precondition(
        written.contains { range.contains($0 / 4) },
        "no step writes the gradient of '\(segment.parameter.path)'")
    }
  }

  private func inputGradient() throws -> Operand? {
    guard options.inputGradient, !gradients[0].isEmpty, let input = values[0] else { return nil }
    pass = .backwardData
    return try adapt(combine(gradients[0]).operand, to: input.descriptor.with(.f32))
  }

  // MARK: - For the operations

  func value(of index: Int) -> Value? { values[index] }

  /// Registers how the operation's backward steps are emitted once its gradient is known.
  func onBackward(_ index: Int, _ body: @escaping Backward) {
    if goesBack { backwards[index] = body }
  }

  func passes(_ pass: Pass) { self.pass = pass }

  func needsGradient(ofInput position: Int, of operation: Operation) -> Bool {
    needsGradient[operation.inputs[position]]
  }

  /// Hands a gradient to the operation that made the input.
  func propagate(_ gradient: Gradient, toInput position: Int, of operation: Operation) {
    gradients[operation.inputs[position]].append(gradient)
  }

  func propagate(_ gradient: Gradient, to index: Int) { gradients[index].append(gradient) }

  func choose(_ algorithm: ConvolutionAlgorithmName, ofLayer layer: String, for pass: Pass) {
    choices[layer, pass] = algorithm
  }

  func chooseGradient(gathered: Bool, ofLayer layer: String) { choices[gathersGradientOf: layer] = gathered }

  func chooseMaxima(own: Bool, ofLayer layer: String) { choices[ownMaximaOf: layer] = own }

  func choosePrecision(_ precision: ComputePrecision, ofLayer layer: String) {
    choices[precisionOf: layer] = precision
  }

  func buffer(_ descriptor: MemoryDescriptor) -> Operand {
    Operand(.workspace(planner.add(byteCount: descriptor.byteCount)), descriptor)
  }

  func emit(_ descriptor: PrimitiveDescriptor, _ arguments: [(Argument, Operand)]) throws(OneDNNError) {
    // The library passes over what a kernel does not know.
    precondition(
      !arguments.contains { $0.0 == .bias } || !descriptor.descriptor(of: .bias).isEmpty,
      "a kernel is given a bias that it does not add")
    var arguments = arguments
    let scratchpad = descriptor.scratchpad
    if !scratchpad.isEmpty, scratchpad.byteCount > 0 {
      scratchpadByteCount = max(scratchpadByteCount, scratchpad.byteCount)
      arguments.append((.scratchpad, Operand(.scratchpad, offset: group?.part ?? 0, scratchpad)))
    }
    append(.primitive(try Primitive(descriptor), arguments))
  }

  func emit(_ step: any CustomStep) { append(.custom(step)) }

  /// Scratch memory for the step that is emitted next.
  func scratchpad(floats: Int) throws(OneDNNError) -> Operand {
    let descriptor = try MemoryDescriptor.dense([floats], .f32)
    scratchpadByteCount = max(scratchpadByteCount, descriptor.byteCount)
    return Operand(.scratchpad, offset: group?.part ?? 0, descriptor)
  }

  private func append(_ action: Step.Action) {
    var step = Step(action: action, layer: layer, pass: pass)
    if let group { (step.group, step.part) = (group.number, group.part) }
    for operand in step.operands {
      if case .workspace(let buffer) = operand.region { planner.use(buffer, atStep: steps.count) }
    }
    steps.append(step)
  }

  /// Emits a step for each part; several may run side by side.
  ///
  /// A step of several neither reads what another one of them writes nor adds to the shard's sums.
  func sideBySide(_ parts: Int, _ body: (Int) throws -> Void) throws {
    guard parts > 1 else { return try body(0) }
    let first = steps.count
    for part in 0..<parts {
      group = (groupCount, part)
      defer { group = nil }
      try body(part)
      precondition(steps.count == first + part + 1, "a part of a group is one step")
    }
    groupCount += 1
    // Whatever one of them uses is in use while any runs.
    for step in steps[first...] {
      for operand in step.operands {
        guard case .workspace(let buffer) = operand.region else { continue }
        planner.use(buffer, atStep: first)
        planner.use(buffer, atStep: steps.count - 1)
      }
    }
  }

  /// Keeps a buffer untouched until the plan has ended.
  func pin(_ operand: Operand) {
    if case .workspace(let buffer) = operand.region { planner.use(buffer, atStep: .max - 1) }
  }

  /// Keeps a buffer free of other uses from a step on, because somebody outside the plan writes it before that step.
  func hold(_ operand: Operand, fromStep step: Int) {
    if case .workspace(let buffer) = operand.region { planner.use(buffer, atStep: step) }
  }

  /// The operand in the wanted layout and format: itself, or a reordered copy.
  func adapt(_ operand: Operand, to wanted: MemoryDescriptor) throws(OneDNNError) -> Operand {
    if operand.descriptor == wanted { return operand }
    let result = buffer(wanted)
    try emit(
      Elementwise.reorder(from: operand.descriptor, to: wanted), [(.src, operand), (.dst, result)])
    return result
  }

  /// The image in a layout that the library pools and enlarges with more than reference loops: convolutions in groups may give
  /// blocks of few channels.
  func inCommonLayout(_ image: Value) throws(OneDNNError) -> Operand {
    guard case .blocks = image.descriptor.layout else { return image.operand }
    return try adapt(image.operand, to: try channelsLast(image.descriptor))
  }

  /// The first implementation that is not a reference loop, or else the first of all.
  func best(_ candidates: [PrimitiveDescriptor], pass: Pass) throws(ComputeError) -> PrimitiveDescriptor {
    guard let first = candidates.first else { throw .noKernel(layer: layer, pass: pass.rawValue) }
    return candidates.first { !$0.isReference } ?? first
  }

  /// The sum of all gradients that reached a value.
  func combine(_ parts: [Gradient]) throws -> Gradient {
    var sum = parts[0]
    for part in parts.dropFirst() {
      let addend = try adapt(part.operand, to: sum.descriptor)
      let target = sum.isExclusive ? sum.operand : buffer(sum.descriptor)
      let operands = [sum.operand, addend, target]
      try inChannelParts(of: operands) { parts, _ in
        let kernel = try best(Elementwise.add(parts[0].descriptor, parts[1].descriptor), pass: .backwardData)
        try emit(kernel, [(.src, parts[0]), (.src1, parts[1]), (.dst, parts[2])])
      }
      sum = Gradient(operand: target, isExclusive: true)
    }
    return sum
  }

  /// The storage of a parameter, laid out as `wanted` if this is the first plan that uses it.
  ///
  /// - Parameter isGathered: whether its gradient is taken over the whole minibatch, if this is the first plan that uses it.
  func segment(
    _ name: String, ofLayer layer: String, as wanted: MemoryDescriptor, isGathered: Bool = false,
    _ view: @autoclosure () throws -> CanonicalView
  ) throws -> Segment {
    let parameter = try parameter(name, ofLayer: layer)
    if let known = storage.segment(for: parameter) { return known }
    return storage.add(
      parameter, wanted, try view(), isTrained: part.trains(parameter), isGathered: isGathered)
  }

  /// A parameter where this plan's kernels read it in the wanted layout.
  func stored(_ segment: Segment, as wanted: MemoryDescriptor) throws(OneDNNError) -> Operand {
    try storage.operand(segment, as: wanted, isForInference: mode.isInference)
  }

  /// Where a parameter's gradient goes; a trace, which has no use for it, throws it away, and so does a training that of a
  /// frozen parameter, which a kernel computes with that of another one.
  func gradient(of segment: Segment) -> Operand {
    isTraining && segment.isTrained ? segment.operand(.gradient) : buffer(segment.descriptor)
  }

  /// Whether a training moves some of a layer's parameters.
  func isTrained(_ names: [String], ofLayer layer: String) -> Bool {
    isTraining && names.contains { !part.isFrozen($0, ofLayer: layer) }
  }

  /// A layer's vector, as it lies in the parameters.
  func vector(
    _ name: String, ofLayer layer: String, count: Int, isGathered: Bool = false
  ) throws -> Segment {
    let descriptor = try MemoryDescriptor.dense([count], .f32)
    return try segment(name, ofLayer: layer, as: descriptor, isGathered: isGathered, .strided(descriptor))
  }

  /// Where a layer's running statistic lies, in floats.
  func statisticsRange(_ name: String, ofLayer layer: String) throws -> Range<Int> {
    try parameter(name, ofLayer: layer).range
  }

  private func parameter(_ name: String, ofLayer layer: String) throws -> Parameter {
    guard let parameter = parameters.parameters.first(where: { $0.layer == layer && $0.spec.name == name })
    else { throw ComputeError.output(reason: "layer '\(layer)' has no parameter '\(name)'") }
    return parameter
  }
}

extension Segment {
  /// The parameter's values, or with `.gradient` its gradient, which must be one of a shard.
  func operand(_ region: Operand.Region = .parameters) -> Operand {
    guard region == .gradient else { return Operand(region, offset: range.lowerBound * 4, descriptor) }
    guard let gradientRange else {
      preconditionFailure("the gradient of '\(parameter.path)' is taken over the whole minibatch")
    }
    return Operand(region, offset: gradientRange.lowerBound * 4, descriptor)
  }
}

/// What a plan does with a shard.
enum PlanMode: Hashable, Sendable {
  case training
  case inference
  /// Inference of one sample, in whose layers several workers take part.
  case sharedInference
  /// Inference that shows what named layers give, and with `gradient` goes back from them to the image.
  /// The gradient that arrives at some of them on the way can be kept.
  case trace(gradient: Bool, keepingAt: [LayerTap])

  /// Whether nothing but the outputs is asked for.
  var isInference: Bool { self == .inference || self == .sharedInference }

  /// Whether a trace goes back to the image.
  var goesBackToImage: Bool {
    if case .trace(let gradient, _) = self { gradient } else { false }
  }
}
