internal import Networks
internal import Tensors

/// The reshapes of a model that leave one dimension open, written as −1: it follows from the number of elements.
struct OpenReshapes {
  /// The shapes by layer; nil is the open dimension.
  private let shapes: [String: [Int?]]
  private let path: String

  /// Takes the reshapes out of a model, which holds other ones in their place until ``close(_:of:)``.
  init(takenFrom model: inout ModelDescription, path: String) {
    var shapes: [String: [Int?]] = [:]
    for index in model.layers.indices where model.layers[index].className == "Reshape" {
      let layer = model.layers[index]
      let dimensions = layer.options["target_shape"]?.elements?.map(\.integer) ?? []
      guard (1...3).contains(dimensions.count), dimensions.count(where: { $0 == -1 }) == 1 else { continue }
      shapes[layer.name] = dimensions.map { $0 == -1 ? nil : $0 ?? 0 }
      let options = layer.options.members ?? [:]
      model.layers[index].options = .object(
        options.merging(["target_shape": .array([.integer(1)])]) { $1 })
    }
    self.shapes = shapes
    self.path = path
  }

  /// The layers with the shapes of all reshapes filled in.
  ///
  /// - Parameter inputShape: the shape of one sample.
  /// - Throws: ``InterchangeError`` where no whole dimension fits; ``NetworkError`` for a faulty layer before a reshape.
  func close(_ layers: [Layer], of inputShape: Shape) throws -> [Layer] {
    var layers = layers
    for index in layers.indices {
      let layer = layers[index]
      guard let open = shapes[layer.name], let source = layer.inputs.first else { continue }
      // Dense layers over images have a shape as convolutions only.
      let before = try PositionwiseDense.convolved(Array(layers[..<index]), of: inputShape)
      let shape = try before.shape(of: source, inputShape: inputShape)
      let count = shape?.elementCount ?? 0
      let known = open.compactMap(\.self)
      let product = known.allSatisfy { (1...1 << 24).contains($0) } ? known.reduce(1, *) : 0
      guard product > 0, count % product == 0 else {
        throw InterchangeError(
          .badData,
          "\(path): layer '\(layer.name)' (Reshape) cannot bring \(count) elements into the shape "
            + "\(open.map { $0.map(String.init) ?? "any" }.joined(separator: "×"))")
      }
      layers[index] = Layer(
        name: layer.name, inputs: layer.inputs, spec: .reshape(Reshape(open.map { $0 ?? count / product })))
    }
    return layers
  }
}
