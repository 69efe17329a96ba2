internal import Networks
internal import Tensors

/// Brings the layers that were read from a graph into the form of layers here: what a convolution can do itself is put into it, and
/// layers that nothing uses are left out.
struct ONNXSimplifier {
  private(set) var layers: [ONNXLayer]
  private(set) var output: String
  private let shapes: [String: Shape]

  /// - Parameters:
  ///   - shapes: the shape of each layer's output, and of the input.
  init(_ layers: [ONNXLayer], output: String, shapes: [String: Shape]) {
    (self.layers, self.output, self.shapes) = (layers, output, shapes)
    removeUnused()
    chainJoins()
    fuse()
    finish()
    shortenNames()
  }

  /// Leaves out what the output does not come from.
  private mutating func removeUnused() {
    var isUsed: Set = [output]
    for layer in layers.reversed() where isUsed.contains(layer.name) { isUsed.formUnion(layer.inputs) }
    layers.removeAll { !isUsed.contains($0.name) }
  }

  // MARK: - Joins

  /// Lets a join that begins with all inputs of an earlier one take that one's output.
  ///
  /// Exports of DenseNet join all results so far anew before each layer.
  private mutating func chainJoins() {
    var joins: [[String]: String] = [:]
    var chained: Set<String> = []
    for index in layers.indices {
      let inputs = layers[index].inputs
      guard case .layer(.concat) = layers[index].work, inputs.count <= Self.longestJoin else { continue }
      let lengths = (0..<inputs.count).reversed()
      if let length = lengths.first(where: { joins[Array(inputs[..<$0])] != nil }),
        let earlier = joins[Array(inputs[..<length])]
      {
        layers[index].inputs = [earlier] + inputs[length...]
        chained.formUnion([earlier, layers[index].name])
      }
      if joins[inputs] == nil { joins[inputs] = layers[index].name }
    }
    nameJoins(chained)
  }

  /// As many inputs as a join of a DenseNet may have.
  private static let longestJoin = 512

  /// Names joins after the module that gives what they add: in the graph they belong to the next one, or to that around both.
  private mutating func nameJoins(_ joins: Set<String>) {
    var used = Set(layers.map(\.name)).subtracting(joins)
    var names: [String: String] = [:]
    for layer in layers where joins.contains(layer.name) {
      guard let last = layer.inputs.last, let point = last.lastIndex(of: ".") else { return }
      let name = "\(last[..<point]).\(LayerKind.concat.rawValue)"
      guard used.insert(name).inserted else { return }
      names[layer.name] = name
    }
    for index in layers.indices {
      layers[index].name = names[layers[index].name] ?? layers[index].name
      layers[index].inputs = layers[index].inputs.map { names[$0] ?? $0 }
    }
    output = names[output] ?? output
  }

  // MARK: - Fusion

  /// Puts factors, offsets and functions into the layers that give their input, where nothing else uses that.
  private mutating func fuse() {
    var uses: [String: Int] = [output: 1]
    for layer in layers {
      for input in layer.inputs { uses[input, default: 0] += 1 }
    }
    var kept: [ONNXLayer?] = []
    var places: [String: Int] = [:]
    // The layer that each name now stands for.
    var names: [String: String] = [:]
    for var layer in layers {
      layer.inputs = layer.inputs.map { Self.last($0, names) }
      if let place = layer.inputs.lazy.compactMap({ places[$0] }).first(where: { place in
        kept[place].map { uses[$0.name] == 1 && layer.isProduct(with: $0) } ?? false
      }), let gate = kept[place] {
        // x · sigmoid(x) is one function, under the name of its first part.
        kept[place] = nil
        names[layer.name] = gate.name
        uses[gate.name] = uses[layer.name]
        uses[gate.inputs[0], default: 1] -= 1
        layer = gate
        layer.work = .layer(.activation(.silu))
      }
      if layer.inputs.count == 1, let place = places[layer.inputs[0]], uses[layer.inputs[0]] == 1,
        let fused = kept[place]?.followed(by: layer)
      {
        kept[place] = fused
        names[layer.name] = fused.name
        uses[fused.name] = uses[layer.name]
        continue
      }
      places[layer.name] = kept.count
      kept.append(layer)
    }
    layers = kept.compactMap(\.self)
    output = Self.last(output, names)
  }

  /// The layer that a name stands for at last: what became part of a layer may be part of another one with it.
  private static func last(_ name: String, _ names: [String: String]) -> String {
    var name = name
    while let next = names[name] { name = next }
    return name
  }

  // MARK: - Names

  /// Leaves out the name of the outermost module where all layers with weights begin with it: `model.` of `model.conv1`.
  private mutating func shortenNames() {
    let names = layers.filter { !$0.weights.isEmpty }.map(\.name)
    guard names.count > 1, let point = names[0].firstIndex(of: ".") else { return }
    let prefix = names[0][...point]
    let used = Set(layers.map(\.name))
    guard names.allSatisfy({ $0.hasPrefix(prefix) }) else { return }
    func shortened(_ name: String) -> String {
      var short = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
      while let first = short.first, !first.isLetter { short.removeFirst() }
      return short.isEmpty || (short != name && used.contains(short)) ? name : short
    }
    let all = layers.map { shortened($0.name) }
    guard Set(all).count == all.count else { return }
    for index in layers.indices {
      layers[index].name = all[index]
      layers[index].inputs = layers[index].inputs.map(shortened)
    }
    output = shortened(output)
  }

  // MARK: - Factors and offsets

  /// Makes layers of what is left of factors and offsets.
  private mutating func finish() {
    var finished: [ONNXLayer] = []
    for layer in layers {
      guard case .affine(let scale, let offset) = layer.work else {
        finished.append(layer)
        continue
      }
      finished += made(layer, scale, offset)
    }
    layers = finished
  }

  private func made(_ layer: ONNXLayer, _ scale: [Double], _ offset: [Double]) -> [ONNXLayer] {
    var layer = layer
    guard scale.count > 1 else {
      layer.work = .layer(.rescale(Rescale(scale: scale[0], offset: offset[0])))
      return [layer]
    }
    // Before everything else they bring pixels to a common scale, which is not trained.
    if layer.inputs == [Network.inputName], scale.allSatisfy({ $0 > 0 }) {
      layer.work = .layer(
        .normalization(
          Normalization(mean: zip(scale, offset).map { -$1 / $0 }, variance: scale.map { 1 / ($0 * $0) })))
      return [layer]
    }
    layer.weights = ["kernel": scale.map { Float($0) }, "bias": offset.map { Float($0) }]
    let shape = shapes[layer.name] ?? [scale.count]
    switch shape.rank {
    case 3: layer.work = .layer(.depthwiseConv2D(DepthwiseConv2D(kernel: .one)))
    case 2: layer.work = .layer(.conv1D(Conv1D(filters: scale.count, kernel: 1, groups: scale.count)))
    default:
      var (before, inner) = (layer, layer)
      (before.name, before.weights) = ("\(layer.name)_image", [:])
      before.work = .layer(.reshape(Reshape([1, 1, scale.count])))
      (inner.name, inner.inputs) = ("\(layer.name)_scaled", [before.name])
      inner.work = .layer(.depthwiseConv2D(DepthwiseConv2D(kernel: .one)))
      (layer.inputs, layer.weights) = ([inner.name], [:])
      layer.work = .layer(.flatten)
      return [before, inner, layer]
    }
    return [layer]
  }
}

extension ONNXLayer {
  /// Whether this layer multiplies what a sigmoid takes by what it gives.
  fileprivate func isProduct(with gate: ONNXLayer) -> Bool {
    guard case .layer(.multiply) = work, case .layer(.activation(.sigmoid)) = gate.work else { return false }
    return inputs == gate.inputs + [gate.name] || inputs == [gate.name] + gate.inputs
  }

  /// This layer with the work of the next one, which is its only user; nil where it cannot do that.
  fileprivate func followed(by next: ONNXLayer) -> ONNXLayer? {
    switch (work, next.work) {
    case (.affine(let scale, let offset), .affine(let nextScale, let nextOffset)):
      let count = max(scale.count, nextScale.count)
      func pick(_ numbers: [Double], _ index: Int) -> Double { numbers[index % numbers.count] }
      var result = self
      result.work = .affine(
        scale: (0..<count).map { pick(scale, $0) * pick(nextScale, $0) },
        offset: (0..<count).map { pick(offset, $0) * pick(nextScale, $0) + pick(nextOffset, $0) })
      return result
    case (.layer(.layerNorm(let norm)), .affine(let scale, let offset)):
      return normalized(.layerNorm(LayerNorm(epsilon: norm.epsilon)), scale, offset)
    case (.layer(.groupNorm(let norm)), .affine(let scale, let offset)):
      return normalized(.groupNorm(GroupNorm(groups: norm.groups, epsilon: norm.epsilon)), scale, offset)
    case (.layer(let spec), .affine(let scale, let offset)): return scaled(spec, scale, offset)
    case (.layer(let spec), .layer(.activation(let function))):
      guard
        let changed = spec.changing({ settings in
          guard settings.activation == .linear else { return false }
          settings.activation = function
          return true
        })
      else { return nil }
      var result = self
      result.work = .layer(changed)
      return result
    case (.affine, .layer), (.layer, .layer): return nil
    }
  }

  /// A normalisation with a factor and an offset for each channel besides its own.
  private func normalized(_ spec: LayerSpec, _ scale: [Double], _ offset: [Double]) -> ONNXLayer? {
    let count = max(scale.count, weights["gamma"]?.count ?? 0, weights["beta"]?.count ?? 0)
    guard count > 1 else { return nil }
    func pick(_ numbers: [Double], _ index: Int) -> Double { numbers[index % numbers.count] }
    let gamma = weights["gamma"] ?? [Float](repeating: 1, count: count)
    let beta = weights["beta"] ?? [Float](repeating: 0, count: count)
    var result = self
    result.work = .layer(spec)
    result.weights["gamma"] = gamma.indices.map { Float(Double(gamma[$0]) * pick(scale, $0)) }
    result.weights["beta"] = beta.indices.map { Float(Double(beta[$0]) * pick(scale, $0) + pick(offset, $0)) }
    return result
  }

  /// A kernel and bias multiplied by factors, with offsets added to the bias.
  private func scaled(_ spec: LayerSpec, _ scale: [Double], _ offset: [Double]) -> ONNXLayer? {
    guard let outputs = spec.outputs, let kernel = weights["kernel"] else { return nil }
    let hasOffset = offset.contains { $0 != 0 }
    let changed = spec.changing { settings in
      guard settings.activation == .linear else { return false }
      settings.useBias = settings.useBias || hasOffset
      return true
    }
    guard let changed else { return nil }
    let (count, inner) = outputs(kernel.count)
    guard scale.count == 1 || scale.count == count else { return nil }
    func pick(_ numbers: [Double], _ index: Int) -> Double { numbers[index % numbers.count] }
    var result = self
    result.work = .layer(changed)
    if scale.contains(where: { $0 != 1 }) {
      result.weights["kernel"] = kernel.indices.map {
        Float(Double(kernel[$0]) * pick(scale, $0 / inner % count))
      }
    }
    if hasOffset || weights["bias"] != nil {
      let bias = weights["bias"] ?? [Float](repeating: 0, count: count)
      result.weights["bias"] = bias.indices.map {
        Float(Double(bias[$0]) * pick(scale, $0) + pick(offset, $0))
      }
    }
    return result
  }
}

extension LayerSpec {
  /// The layer with other settings of its kernel; nil where it has no kernel, or the change is refused.
  fileprivate func changing(_ change: (inout any KernelSettings) -> Bool) -> LayerSpec? {
    func changed<Settings: KernelSettings>(_ settings: Settings, _ make: (Settings) -> LayerSpec)
      -> LayerSpec?
    {
      var any: any KernelSettings = settings
      guard change(&any), let result = any as? Settings else { return nil }
      return make(result)
    }
    switch self {
    case .conv1D(let settings): return changed(settings, LayerSpec.conv1D)
    case .conv2D(let settings): return changed(settings, LayerSpec.conv2D)
    case .depthwiseConv2D(let settings): return changed(settings, LayerSpec.depthwiseConv2D)
    case .conv2DTranspose(let settings): return changed(settings, LayerSpec.conv2DTranspose)
    case .dense(let settings): return changed(settings, LayerSpec.dense)
    default: return nil
    }
  }

  /// How the elements of a kernel in Keras's order belong to outputs: their number, and how many elements of one output stand side by
  /// side; nil for a layer without such a kernel.
  fileprivate var outputs: ((_ elements: Int) -> (count: Int, inner: Int))? {
    switch self {
    case .conv1D(let conv): { _ in (conv.filters, 1) }
    case .conv2D(let conv): { _ in (conv.filters, 1) }
    case .dense(let dense): { _ in (dense.units, 1) }
    case .depthwiseConv2D(let conv): { ($0 / (conv.kernel.height * conv.kernel.width), 1) }
    case .conv2DTranspose(let conv):
      { (conv.filters, $0 / (conv.kernel.height * conv.kernel.width * conv.filters)) }
    default: nil
    }
  }
}
