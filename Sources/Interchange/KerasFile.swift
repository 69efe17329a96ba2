internal import HDF5
internal import Networks

/// A file of Keras in its legacy HDF5 layout, opened: a whole model, or weights alone.
public struct KerasFile: Sendable {
  /// What a file of Keras can hold.
  public enum Contents: Hashable, Sendable {
    /// Architecture (`model_config`) and weights.
    case wholeModel
    /// Weights by layer, without the architecture.
    case weights
    /// Keras 3's own store of weights (`….weights.h5`), which names variables by their place in the program.
    case store
  }

  /// The file's path.
  public let path: String
  /// What the file holds.
  public let contents: Contents
  /// The version of Keras that wrote the file; nil where the file does not say.
  public let version: String?
  let root: Group
  /// The group that holds one group per layer.
  let weights: Group

  /// Opens a file.
  ///
  /// - Returns: nil for an HDF5 file that Keras did not write.
  /// - Throws: ``HDF5Error`` for a file that is missing, damaged or not HDF5.
  public init?(path: String) throws {
    let root = try File.open(path).root
    let names = Set(try root.members().map(\.name))
    if try root.attributes.contains("model_config") {
      guard names.contains("model_weights") else { return nil }
      contents = .wholeModel
      weights = try root.group("model_weights", links: .hardOnly)
    } else if try root.attributes.contains("layer_names") {
      contents = .weights
      weights = root
    } else if names.contains("layers") || names.contains("_layer_checkpoint_dependencies") {
      contents = .store
      weights = root
    } else {
      return nil
    }
    self.path = path
    self.root = root
    let holder = [root, weights].first { (try? $0.attributes.contains("keras_version")) ?? false }
    version = try holder?.attributes.string("keras_version")
  }

  /// Whether the file is one of Convoy's own checkpoints.
  var isCheckpoint: Bool {
    ((try? root.members().contains { $0.name == "convoy" }) ?? false) && contents == .wholeModel
  }

  /// The names of all layers that the file lists, in the model's order.
  ///
  /// - Throws: ``HDF5Error`` where the list cannot be read.
  public func layerNames() throws -> [String] { try weights.attributes.strings("layer_names") }

  /// The document of the attribute `model_config`.
  func modelConfig() throws -> JSONValue {
    let text = try root.attributes.string("model_config")
    do { return try JSONValue(parsing: text) } catch {
      throw InterchangeError(.badData, "\(path): its model_config is not valid JSON; save the model again")
    }
  }

  /// Refuses files from Theano, which turned the kernels of convolutions round: Keras stores kernels as its backend has them.
  func checkBackend() throws {
    let holder = [root, weights].first { (try? $0.attributes.contains("backend")) ?? false }
    guard let backend = try holder?.attributes.string("backend"), backend == "theano" else { return }
    throw InterchangeError(
      .badData,
      "\(path) was written by Keras with Theano, which turns the kernels of convolutions round; load it in Keras 2 with "
        + "TensorFlow and write it again: model.save(\"model.h5\")")
  }

  /// Gives normalisations that adapted to data their mean and variance, which Keras stores among the weights.
  func addAdaptedFigures(to model: inout ModelDescription) throws {
    for index in model.layers.indices where model.layers[index].className == "Normalization" {
      let layer = model.layers[index]
      guard (layer.options["mean"] ?? .null).isNull, layer.owner == layer.name else { continue }
      // The mean, the variance, and the number of samples behind them.
      let figures = try datasets(ofLayer: layer.name)
      guard figures.count >= 2 else { continue }
      var options = layer.options.members ?? [:]
      for (name, dataset) in zip(["mean", "variance"], figures) {
        options[name] = .array(try dataset.read(Float.self).map { .number(Double($0)) })
      }
      model.layers[index].options = .object(options)
    }
  }

  /// The loss that the model was compiled with; nil where the file does not say.
  func loss() throws -> KerasLoss? {
    guard try root.attributes.contains("training_config"),
      let text = try? root.attributes.string("training_config")
    else { return nil }
    // A document that cannot be read says nothing, and the model works without it.
    return (try? JSONValue(parsing: text)).flatMap(KerasLoss.init)
  }

  /// A layer's weights in the file's order.
  func datasets(ofLayer name: String) throws -> [Dataset] {
    guard try weights.members().contains(where: { $0.name == name }) || name.contains("/") else { return [] }
    let group = try weights.group(name, links: .hardOnly)
    guard try group.attributes.contains("weight_names") else { return [] }
    return try group.attributes.strings("weight_names").map { try group.dataset($0, links: .hardOnly) }
  }
}
