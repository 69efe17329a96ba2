internal import HDF5
internal import Networks
internal import Tensors

/// The weights of a Keras file, taken in the order in which Keras writes them.
struct KerasWeights {
  let file: KerasFile
  let network: ResolvedNetwork
  /// Layers whose weights may have shapes with fewer ones in the file: kernels of one position that are matrices there.
  var flattened: Set<String> = []
  /// Layers that take the matrices of biases for every position, by these biases' names.
  var matrices: [String: String] = [:]

  /// A layer of the network that has a counterpart in the file.
  struct Source {
    let layer: String
    /// The layer whose group in the file holds the weights: the layer itself, or the model that it is nested in.
    let owner: String
    let isTrainable: Bool
    /// Where the weights are in a file that keeps those of each layer apart.
    var place: ModelDescription.Place
  }

  /// Reads the weights of all layers in `sources`, which are in the file's order.
  ///
  /// - Returns: the biases for every position with a matrix that is no identity, and has no place in the network yet.
  func load(_ sources: [Source], into values: CanonicalParameters) throws -> Set<String> {
    var mixing: Set<String> = []
    if file.separatesLayers {
      // A layer that is frozen has its variables in the same order.
      for source in sources {
        try load(
          source.layer,
          order([Source(layer: source.layer, owner: source.owner, isTrainable: true, place: source.place)]),
          from: try file.datasets(of: source.place), into: values, &mixing)
      }
      return mixing
    }
    var owners: [String] = []
    var sourcesByOwner: [String: [Source]] = [:]
    for source in sources {
      if sourcesByOwner[source.owner] == nil { owners.append(source.owner) }
      sourcesByOwner[source.owner, default: []].append(source)
    }
    for owner in owners {
      try load(
        owner, order(sourcesByOwner[owner] ?? []), from: try file.datasets(ofLayer: owner), into: values,
        &mixing)
    }
    return mixing
  }

  /// A weight of the file with the layer of the network that it belongs to.
  private struct Entry {
    let layer: String
    let weight: ModelDescription.Weight

    var path: String { "\(layer)/\(weight.name)" }
  }

  /// Sorts weights as Keras does: it lists a model's trainable weights before the others, and a frozen layer has only others.
  private func order(_ sources: [Source]) -> [Entry] {
    var trainable: [Entry] = []
    var others: [Entry] = []
    for source in sources {
      guard let layer = network.layers.first(where: { $0.name == source.layer }) else { continue }
      for weight in KerasLayers.weights(of: layer) {
        let entry = Entry(layer: layer.name, weight: weight)
        if source.isTrainable && weight.isTrainable { trainable.append(entry) } else { others.append(entry) }
      }
    }
    return trainable + others
  }

  private func load(
    _ owner: String, _ entries: [Entry], from datasets: [Dataset], into values: CanonicalParameters,
    _ mixing: inout Set<String>
  ) throws {
    guard !entries.isEmpty else { return }
    guard datasets.count == entries.count else {
      throw InterchangeError(
        .badData,
        "\(file.path): '\(owner)' has \(datasets.count) weights in the file, where \(entries.count) are expected ("
          + entries.map(\.path).joined(separator: ", ") + ")")
    }
    for (dataset, entry) in zip(datasets, entries) {
      guard fits(dataset.shape, entry) else {
        throw InterchangeError(
          .badData,
          "\(file.path): \(dataset.path) has the shape \(Shape(dataset.shape)), where \(entry.path) of this network has "
            + "\(entry.weight.shape)")
      }
      switch entry.weight {
      case .identity(let rows):
        if let matrix = matrices[entry.layer] {
          try read(dataset, matrix, "kernel", into: values)
        } else if try dataset.read(Float.self) != identityMatrix(rows) {
          mixing.insert(entry.layer)
        }
      case .parameter(let spec): try read(dataset, entry.layer, spec.name, into: values)
      }
    }
  }

  private func fits(_ shape: [Int], _ entry: Entry) -> Bool {
    let wanted = entry.weight.shape.dimensions
    func isLong(_ dimension: Int) -> Bool { dimension != 1 }
    return shape == wanted
      || flattened.contains(entry.layer) && shape.filter(isLong) == wanted.filter(isLong)
  }

  private func read(
    _ dataset: Dataset, _ layer: String, _ name: String, into values: CanonicalParameters
  ) throws {
    let parameter = values.layout.parameters.first { $0.layer == layer && $0.spec.name == name }
    guard let parameter else { preconditionFailure("the network has no parameter '\(layer)/\(name)'") }
    let target = values.values(of: parameter)
    try dataset.read(into: target)
    if let index = target.firstIndex(where: { !$0.isFinite }) {
      throw InterchangeError(
        .badData,
        "\(file.path): \(dataset.path) holds \(target[index]) (element \(index)); a network with such weights "
          + "cannot compute anything")
    }
  }
}

extension KerasWeights.Source {
  /// A layer whose counterpart has its name.
  init(_ layer: Layer) {
    self.init(
      layer: layer.name, owner: layer.name, isTrainable: true,
      place: ModelDescription.Place(names: [layer.name], group: nil))
  }
}
