internal import HDF5
internal import Networks
internal import Paths

/// A file of Keras, opened: a whole model or weights alone, in the legacy HDF5 layout or in Keras 3's.
public struct KerasFile: Sendable {
  /// What a file of Keras can hold.
  public enum Contents: Hashable, Sendable {
    /// Architecture (`model_config`) and weights.
    case wholeModel
    /// Weights by layer, without the architecture.
    case weights
    /// Keras 3's own store of weights (`….weights.h5`), without the architecture.
    case store
    /// Keras 3's archive of an architecture and a store (`….keras`).
    case archive
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
  /// The weights of a store or an archive.
  private let store: KerasStore?
  /// The model's description in an archive.
  private let document: JSONValue?

  /// Opens a file.
  ///
  /// - Returns: nil for an HDF5 file that Keras did not write.
  /// - Throws: ``HDF5Error`` for a file that is missing, damaged or neither HDF5 nor an archive; ``InterchangeError`` and
  ///   ``DatasetError`` for an archive that holds no model.
  public init?(path: String) throws {
    if (try? WholeFile.beginning(of: path, byteCount: 4)) == Array("PK\u{3}\u{4}".utf8) {
      let archive = try KerasArchive(path: path)
      (self.path, contents, version) = (path, .archive, archive.version)
      (root, weights) = (archive.root, archive.root)
      (store, document) = (try KerasStore(archive.root), archive.document)
      return
    }
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
    store = contents == .store ? try KerasStore(root) : nil
    document = nil
  }

  /// Whether the file is one of Convoy's own checkpoints.
  var isCheckpoint: Bool {
    ((try? root.members().contains { $0.name == "convoy" }) ?? false) && contents == .wholeModel
  }

  /// The names of all layers that the file lists, in the model's order.
  ///
  /// - Throws: ``HDF5Error`` where the list cannot be read.
  public func layerNames() throws -> [String] {
    try store?.layerNames ?? weights.attributes.strings("layer_names")
  }

  /// The document that describes the model.
  func modelConfig() throws -> JSONValue {
    if let document { return document }
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
      guard (layer.options["mean"] ?? .null).isNull, store != nil || layer.owner == layer.name else {
        continue
      }
      // The mean, the variance, and the number of samples behind them.
      let figures = try datasets(of: layer.place)
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
    if let document { return document["compile_config"].flatMap(KerasLoss.init) }
    guard try root.attributes.contains("training_config"),
      let text = try? root.attributes.string("training_config")
    else { return nil }
    // A document that cannot be read says nothing, and the model works without it.
    return (try? JSONValue(parsing: text)).flatMap(KerasLoss.init)
  }

  /// Whether each layer's weights stand by themselves, also those of models within the model.
  var separatesLayers: Bool { store != nil }

  /// A layer's weights in the file's order.
  func datasets(of place: ModelDescription.Place) throws -> [Dataset] {
    try store?.datasets(place.names, place: place.group) ?? datasets(ofLayer: place.names[0])
  }

  /// The weights of one of the outermost model's layers in the file's order.
  func datasets(ofLayer name: String) throws -> [Dataset] {
    if let store { return try store.datasets([name], place: nil) }
    // One look for each layer: a list of all of them each time would take the square of their number.
    let group: Group
    do { group = try weights.group(name, links: .hardOnly) } catch let error as HDF5Error
      where error.kind == .noSuchName && !name.contains("/")
    { return [] }
    guard try group.attributes.contains("weight_names") else { return [] }
    return try group.attributes.strings("weight_names").map { try group.dataset($0, links: .hardOnly) }
  }
}
