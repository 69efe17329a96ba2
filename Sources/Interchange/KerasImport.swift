public import Compute
internal import HDF5
public import Networks
public import Tensors
internal import Training

/// Turns a Keras model file into a checkpoint.
public struct KerasImport: Sendable {
  /// The shape of one sample, `[height, width, channels]`, for models that leave it open; nil takes the file's.
  public var inputShape: Shape?
  /// The architecture that belongs to a file of weights alone; nil recognises it by the names of its layers.
  public var architecture: Architecture?
  /// What happens to an image first; nil follows the model's name.
  public var preprocessing: Preprocessing?
  /// The names of the outputs; empty for none, else one for each output.
  public var classNames: [String]
  /// The loss that says what the outputs mean; nil leaves it to the file.
  public var loss: Loss.Kind?

  /// A network for files that hold weights without a description of the model.
  public enum Architecture: Sendable {
    /// An architecture whose layers have Keras's own names.
    case known(KnownArchitecture)
    /// A network whose layers have the names of those in the file.
    case network(Network)
  }

  /// An imported model, and notes about the import.
  public typealias Result = ImportedModel

  /// An import; what is nil or empty is left to the file.
  public init(
    inputShape: Shape? = nil, architecture: Architecture? = nil, preprocessing: Preprocessing? = nil,
    classNames: [String] = [], loss: Loss.Kind? = nil
  ) {
    self.inputShape = inputShape
    self.architecture = architecture
    self.preprocessing = preprocessing
    self.classNames = classNames
    self.loss = loss
  }

  /// Layers in the file's order, before anything is put in front of them.
  private struct Model {
    let name: String
    let layers: [Layer]
    let inputShape: Shape
    let sources: [KerasWeights.Source]
    let notes: [String]
    /// The axis that a layer works along, as Keras counts it, by the layer's name.
    var axes: [String: Int] = [:]
    /// Layers whose weights have shapes with fewer ones in the file than here.
    var flattened: Set<String> = []
    /// Layers that take the matrices of biases for every position, by these biases' names.
    var matrices: [String: String] = [:]
  }

  /// Reads a model file.
  ///
  /// - Throws: ``InterchangeError`` that names the layer, option or weight at fault; ``HDF5Error`` for a damaged file.
  public func read(_ path: String) throws -> Result {
    do { return try result(of: path) } catch let error as NetworkError {
      throw InterchangeError(.badData, "\(path): \(error)")
    }
  }

  private func result(of path: String) throws -> Result {
    guard let file = try KerasFile(path: path) else {
      throw InterchangeError(
        .badData,
        "\(path) is an HDF5 file, but no Keras model: it has neither model_config nor layer_names")
    }
    guard !file.isCheckpoint else {
      throw InterchangeError(
        .usage, "\(path) is already a checkpoint of Convoy, which every command takes as it is")
    }
    let model =
      switch file.contents {
      case .wholeModel, .archive: try wholeModel(file)
      case .weights, .store: try weightsModel(file)
      }
    return try result(model, file)
  }

  // MARK: - Models

  private func wholeModel(_ file: KerasFile) throws -> Model {
    if architecture != nil {
      throw InterchangeError(
        .usage, "\(file.path) contains its architecture; --architecture is for files of weights alone")
    }
    let dialect = KerasDialect(version: file.version)
    try dialect.check(path: file.path)
    try file.checkBackend()
    var model = try KerasModelReader(try file.modelConfig(), path: file.path).model
    let scales = KerasDialect.layerScales(in: model)
    var notes = dialect.translate(&model)
    try file.addAdaptedFigures(to: &model)
    let reshapes = OpenReshapes(takenFrom: &model, path: file.path)
    var specs: [String: LayerSpec] = [:]
    var axes: [String: Int] = [:]
    for layer in model.layers {
      switch try KerasLayers.translate(layer, path: file.path) {
      case .layer(let spec, let axis):
        specs[layer.name] = spec
        axes[layer.name] = axis
      case .nothing(let why):
        model.remove(layer.name)
        notes.append("layer '\(layer.name)' (\(layer.className)) is left out: \(why)")
      }
    }
    let layers = model.layers.compactMap { layer in
      specs[layer.name].map { Layer(name: layer.name, inputs: layer.inputs, spec: $0) }
    }
    let sources = model.layers.map {
      KerasWeights.Source(layer: $0.name, owner: $0.owner, isTrainable: $0.isTrainable, place: $0.place)
    }
    let found = model.inputShape
    let isOpen = found.count == 3 && found[2] != nil && found.contains(nil)
    let fallback = isOpen ? found[2].map { Shape([224, 224, $0]) } : nil
    let shape = try checked(shape(found, file, fallback: fallback), file)
    if isOpen, inputShape == nil {
      notes.append(
        "the model takes images of any size, and the checkpoint is made for \(shape); --input chooses another size"
      )
    }
    let closed = try reshapes.close(layers, of: shape)
    let convolved = try PositionwiseDense.convolved(closed, of: shape)
    let turned = zip(closed, convolved).filter { $0.spec != $1.spec }.map(\.0.name)
    return Model(
      name: model.name, layers: convolved, inputShape: shape, sources: sources, notes: notes, axes: axes,
      flattened: scales.union(turned))
  }

  private func weightsModel(_ file: KerasFile) throws -> Model {
    let names = try file.layerNames()
    guard !names.isEmpty else {
      throw InterchangeError(
        .badData,
        "\(file.path) holds weights without the names of their layers, as Keras 2 and the first versions of Keras 3 write "
          + "them; load the weights in Keras and write the whole model: model.save(\"model.keras\")")
    }
    switch architecture ?? KnownArchitecture(layerNames: names).map(Architecture.known) {
    case .known(let known):
      let classes = try file.datasets(ofLayer: "predictions").last?.elementCount
      let layers = known.layers(classes: classes)
      return Model(
        name: known.rawValue, layers: layers,
        inputShape: try checked(
          shape(classes == nil ? [nil, nil, 3] : [224, 224, 3], file, fallback: [224, 224, 3]), file),
        sources: layers.map { KerasWeights.Source($0) },
        notes: [
          "weights of \(known.rawValue)\(classes.map { " with \($0) classes" } ?? " without its dense layers")"
        ])
    case .network(let network):
      let missing = try network.resolved().layers.filter {
        !$0.parameters.isEmpty && !names.contains($0.name)
      }
      guard missing.isEmpty else {
        throw InterchangeError(
          .badData,
          "\(file.path) has no weights for " + Self.shortened(missing.map { "'\($0.name)'" })
            + "; it has the layers " + Self.shortened(names))
      }
      return Model(
        name: "keras", layers: network.layers, inputShape: network.inputShape,
        sources: network.layers.map { KerasWeights.Source($0) }, notes: [])
    case nil:
      throw InterchangeError(
        .usage,
        "\(file.path) holds weights without the architecture, and its layers are not those of "
          + KnownArchitecture.allCases.map(\.rawValue).joined(separator: " or ")
          + "; name a config whose layers have the file's names with --architecture, or write the whole model in "
          + "Keras: model.save(\"model.h5\"). The file's layers: " + Self.shortened(names))
    }
  }

  private static func shortened(_ names: [String]) -> String {
    names.count <= 12
      ? names.joined(separator: ", ")
      : names.prefix(12).joined(separator: ", ") + " and \(names.count - 12) more"
  }

  /// The shape of one sample: the call's, or else the model's; a height and width that the model leaves open must be given.
  private func shape(_ found: [Int?], _ file: KerasFile, fallback: Shape? = nil) throws -> Shape {
    if let inputShape {
      let fits =
        inputShape.rank == found.count
        && zip(inputShape.dimensions, found).allSatisfy { $1 == nil || $0 == $1 }
      guard fits else {
        let text = found.map { $0.map(String.init) ?? "any" }.joined(separator: "×")
        throw InterchangeError(
          .usage, "\(file.path) takes \(text), which an input of \(inputShape) does not fit")
      }
      return inputShape
    }
    let known = found.compactMap(\.self)
    if !found.isEmpty, known.count == found.count { return Shape(known) }
    if let fallback { return fallback }
    throw InterchangeError(
      .usage,
      "\(file.path) does not say what shape its input has; give it with --input, such as --input 224x224x3")
  }

  /// Refuses shapes that nobody can mean and whose element count would overflow.
  private func checked(_ shape: Shape, _ file: KerasFile) throws -> Shape {
    guard shape.dimensions.allSatisfy({ (1...1 << 24).contains($0) }),
      shape.dimensions.reduce(1.0, { $0 * Double($1) }) < 0x1p40
    else {
      throw InterchangeError(
        .badData, "\(file.path): an input of \(shape) is empty, or too large to be meant")
    }
    return shape
  }

  // MARK: - The checkpoint

  private func result(_ model: Model, _ file: KerasFile) throws -> Result {
    var notes = model.notes
    let chosen = try self.preprocessing(of: model, &notes)
    let prepared = PreparedLayers(.known(chosen), before: model.layers)
    let network = try Network(inputShape: model.inputShape, layers: prepared.layers).resolved()
    try check(model.axes, network, file)
    let values = CanonicalParameters(layout: ParameterLayout(network))
    let weights = KerasWeights(
      file: file, network: network, flattened: model.flattened, matrices: model.matrices)
    let mixing = try weights.load(model.sources, into: values)
    guard mixing.isEmpty else { return try result(Self.givingMatrices(mixing, of: network, in: model), file) }
    prepared.fill(values)
    let classes = network.outputShape.elementCount
    guard classNames.isEmpty || classNames.count == classes else {
      throw InterchangeError(
        .usage, "there are \(classNames.count) class names, and the model has \(classes) outputs")
    }
    let criterion = try KerasCriterion(network, chosen: loss, compiled: try file.loss())
    notes += criterion.notes
    let identity = RunIdentity(
      runID: "keras-\(file.version ?? "file")", versions: RunEnvironment.libraryVersions,
      classNames: classNames, criterion: criterion.criterion,
      // What is written in front of the network takes the pixels of pictures.
      pixels: chosen == .none ? nil : RunIdentity.picturePixels)
    let checkpoint = Checkpoint(
      network: network, name: model.name, progress: TrainingProgress(), identity: identity, values: values,
      optimizer: nil, slots: [])
    return Result(checkpoint: checkpoint, notes: notes)
  }

  /// The model with a layer for the matrix before each of these biases for every position.
  ///
  /// Keras's counterpart of such a bias is a dense layer with an identity matrix, which Keras trains, too.
  private static func givingMatrices(
    _ biases: Set<String>, of network: ResolvedNetwork, in model: Model
  ) -> Model {
    var taken = Set(model.layers.map(\.name) + [Network.inputName])
    var (layers, matrices, notes) = (model.layers, model.matrices, model.notes)
    for bias in network.layers where biases.contains(bias.name) {
      guard let index = layers.firstIndex(where: { $0.name == bias.name }) else { continue }
      var name = "\(bias.name)_matrix"
      while !taken.insert(name).inserted { name += "_" }
      let input = bias.inputShapes[0]
      let dense = Dense(units: input[input.rank - 1], useBias: false)
      let matrix = PositionwiseDense.convolution(dense, rank: input.rank) ?? .dense(dense)
      let inputs = layers[index].inputs
      layers[index] = Layer(name: bias.name, inputs: [name], spec: layers[index].spec)
      layers.insert(Layer(name: name, inputs: inputs, spec: matrix), at: index)
      matrices[bias.name] = name
      notes.append("layer '\(name)' is the matrix that '\(bias.name)' got in Keras")
    }
    return Model(
      name: model.name, layers: layers, inputShape: model.inputShape, sources: model.sources, notes: notes,
      axes: model.axes, flattened: model.flattened, matrices: matrices)
  }

  private func preprocessing(of model: Model, _ notes: inout [String]) throws -> Preprocessing {
    let isColour = model.inputShape.rank == 3 && model.inputShape[2] == 3
    if let preprocessing {
      guard isColour || preprocessing == .none || preprocessing == .tf else {
        throw InterchangeError(
          .usage,
          "preprocessing '\(preprocessing.rawValue)' is for images of three colours, not \(model.inputShape)")
      }
      notes.append(preprocessing.explanation)
      return preprocessing
    }
    let hasOwn = model.layers.first.map { if case .rescale = $0.spec { true } else { false } } ?? false
    guard !hasOwn, isColour, let known = Preprocessing(modelName: model.name) else {
      if !hasOwn {
        notes.append(
          "the file does not say how pixels were prepared, so the network takes them as they are; see --preprocessing"
        )
      }
      return .none
    }
    notes.append(known.explanation)
    return known
  }

  /// Refuses layers along another axis than the channels, which layers here work along.
  private func check(_ axes: [String: Int], _ network: ResolvedNetwork, _ file: KerasFile) throws {
    for layer in network.layers {
      guard let axis = axes[layer.name], axis != -1, axis != layer.inputShapes[0].rank else { continue }
      throw InterchangeError(
        .badData,
        "\(file.path): layer '\(layer.name)' works along axis \(axis) of \(layer.inputShapes[0]); only the last one, the "
          + "channels, is supported")
    }
  }
}
