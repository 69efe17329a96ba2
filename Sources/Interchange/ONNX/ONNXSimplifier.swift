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

  // MARK: - Fusion

  /// Puts factors, offsets and functions into the layers that give their input, where nothing else uses that.
  private mutating func fuse() {
    var uses: [String: Int] = [output: 1]
    for layer in layers {
      for input in layer.inputs { uses[input, default: 0] += 1 }
    }
    var kept: [ONNXLayer] = []
    var places: [String: Int] = [:]
    // The layer that each name now stands for.
    var names: [String: String] = [:]
    for var layer in layers {
      layer.inputs = layer.inputs.map { names[$0] ?? $0 }
      if layer.inputs.count == 1, let place = places[layer.inputs[0]], uses[layer.inputs[0]] == 1,
        let fused = kept[place].followed(by: layer)
      {
        kept[place] = fused
        names[layer.name] = fused.name
        uses[fused.name] = uses[layer.name]
        continue
      }
      places[layer.name] = kept.count
      kept.append(layer)
    }
    layers = kept
    output = names[output] ?? output
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
