internal import HDF5
internal import Networks
internal import Tensors

/// Weights of a Keras file, taken in the order in which Keras writes them.
struct KerasWeights {
  let file: KerasFile
  let network: ResolvedNetwork

  /// A layer of the network that has a counterpart in the file.
  struct Source {
    let layer: String
    /// The layer whose group of the file holds the weights: the layer itself, or the model that it is nested in.
    let owner: String
    let isTrainable: Bool
  }

  /// Reads all weights of the layers in `sources`, which stand in the file's order.
  func load(_ sources: [Source], into values: CanonicalParameters) throws {
    var owners: [String] = []
    var sourcesByOwner: [String: [Source]] = [:]
    for source in sources {
      if sourcesByOwner[source.owner] == nil { owners.append(source.owner) }
      sourcesByOwner[source.owner, default: []].append(source)
    }
    for owner in owners {
      try load(owner, Self.order(sourcesByOwner[owner] ?? [], values.layout), into: values)
    }
  }

  /// Keras lists a model's trainable weights before the others; a layer that does not train has others only.
  private static func order(_ sources: [Source], _ layout: ParameterLayout) -> [Parameter] {
    var trainable: [Parameter] = []
    var others: [Parameter] = []
    let parameters = Dictionary(grouping: layout.parameters, by: \.layer)
    for source in sources {
      for parameter in parameters[source.layer] ?? [] {
        if source.isTrainable && parameter.spec.isTrainable {
          trainable.append(parameter)
        } else {
          others.append(parameter)
        }
      }
    }
    return trainable + others
  }

  private func load(_ owner: String, _ parameters: [Parameter], into values: CanonicalParameters) throws {
    guard !parameters.isEmpty else { return }
    let datasets = try file.datasets(ofLayer: owner)
    guard datasets.count == parameters.count else {
      throw InterchangeError(
        .badData,
        "\(file.path): '\(owner)' has \(datasets.count) weights in the file and should have \(parameters.count) ("
          + parameters.map(\.path).joined(separator: ", ") + ")")
    }
    for (dataset, parameter) in zip(datasets, parameters) {
      guard dataset.shape == parameter.spec.shape.dimensions else {
        throw InterchangeError(
          .badData,
          "\(file.path): \(dataset.path) has the shape \(Shape(dataset.shape)), and \(parameter.path) of this network is "
            + "\(parameter.spec.shape)")
      }
      let target = values.values(of: parameter)
      try dataset.read(into: target)
      if let index = target.firstIndex(where: { !$0.isFinite }) {
        throw InterchangeError(
          .badData,
          "\(file.path): \(dataset.path) holds \(target[index]) (element \(index)); a network with such weights "
            + "computes nothing")
      }
    }
  }
}
