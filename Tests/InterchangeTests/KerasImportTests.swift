import Compute
import HDF5
import Interchange
import Networks
import Tensors
import TestSupport
import Testing
import Training

/// Models as `Fixtures/make_keras_models.py` saved them, with what Keras predicts.
struct KerasImportTests {
  private static func fixture(_ name: String) -> String {
    let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
    return "/\(folder)/Fixtures/\(name).h5"
  }

  /// What the network says of the fixture's inputs, as its criterion has it; pixels are whole numbers from 0 to 255.
  private static func predict(_ checkpoint: Checkpoint, of path: String) throws -> (
    found: [Double], expected: [Double]
  ) {
    let root = try File.open(path).root
    let pixels = try root.dataset("expected/input").read(Float.self)
    let expected = try root.dataset("expected/output").read(Float.self).map(Double.init)
    let count = pixels.count / checkpoint.network.inputShape.elementCount
    let predictor = try Predictor(
      checkpoint.network, values: checkpoint.values, criterion: checkpoint.identity.criterion,
      sampleCount: count, workers: 1)
    let logits = try #require(
      try predictor.logits(pixels: pixels.map { UInt8($0) }, stop: StopRequest()))
    let classes = predictor.outputCount
    return ((0..<count).flatMap { predictor.values(logits[$0 * classes..<($0 + 1) * classes]) }, expected)
  }

  @Test(
    "an imported model predicts what Keras predicts, and its checkpoint does so after reading it back",
    arguments: [
      "functional", "sequential", "nested", "frozen", "modern", "caffe", "regression", "hard-sigmoid",
      "functions", "operations", "function-operations", "joined", "masked", "adapted", "mobile", "words",
    ], [2, 3])
  func prediction(name: String, keras: Int) throws {
    let path = Self.fixture("\(name)-keras\(keras)")
    let result = try KerasImport().read(path)
    let imported = try Self.predict(result.checkpoint, of: path)
    expectClose(imported.found, imported.expected, absolute: 2e-5, relative: 1e-5)

    let folder = try TemporaryDirectory()
    try CheckpointFile.write(result.checkpoint, to: "\(folder.path)/model.h5", model: KerasModelWriter())
    let again = try CheckpointFile.read("\(folder.path)/model.h5")
    #expect(again.values.trainable.array() == result.checkpoint.values.trainable.array())
    #expect(try Self.predict(again, of: path).found == imported.found)
  }

  @Test("weights alone are read into the network that is named for them")
  func weightsWithNetwork() throws {
    let path = Self.fixture("weights-keras2")
    let network = try Network(
      inputShape: [5, 5, 1],
      layers: [
        Layer(name: "first", inputs: ["input"], spec: .conv2D(Conv2D(filters: 2, kernel: Size2D(3)))),
        Layer(name: "flat", inputs: ["first"], spec: .flatten),
        Layer(name: "last", inputs: ["flat"], spec: .dense(Dense(units: 3))),
      ])
    let result = try KerasImport(architecture: .network(network)).read(path)
    let (found, expected) = try Self.predict(result.checkpoint, of: path)
    #expect(expected.count == 2 * 3)
    expectClose(found, expected, ofLargest: 1e-5)
  }

  @Test("weights of an unknown architecture are refused with the names of their layers")
  func unknownWeights() throws {
    let error = try #require(throws: InterchangeError.self) {
      try KerasImport().read(Self.fixture("weights-keras2"))
    }
    #expect(error.description.contains("first, flat, last"))
    #expect(error.kind == .usage)
  }

  @Test("weights without the names of their layers are refused, whatever the architecture")
  func namelessWeights() throws {
    let folder = try TemporaryDirectory()
    let path = "\(folder.path)/keras2.weights.h5"
    do {
      // As Keras 2 writes it.
      let variables = try File.create(path).root.makeGroup("layers").makeGroup("dense").makeGroup("vars")
      try variables.write("0", [1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
      try variables.write("1", [0, 0, 0] as [Float], shape: [3])
    }
    let network = try Network(
      inputShape: [2], layers: [Layer(name: "dense", inputs: ["input"], spec: .dense(Dense(units: 3)))])
    for importer in [KerasImport(), KerasImport(architecture: .network(network))] {
      let error = try #require(throws: InterchangeError.self) { try importer.read(path) }
      #expect(error.kind == .badData && error.description.contains("without the names of their layers"))
    }
  }

  @Test(
    "lists that Keras cuts into pieces, as of the weights of a large model within a model, are read whole")
  func listsInPieces() throws {
    let folder = try TemporaryDirectory()
    let path = "\(folder.path)/pieces.h5"
    do {
      let file = try File.create(path)
      try file.root.attributes.write("layer_names0", ["first"])
      try file.root.attributes.write("layer_names1", ["last"])
      for (name, rows) in [("first", 2), ("last", 3)] {
        let group = try file.root.makeGroup(name)
        try group.attributes.write("weight_names0", ["\(name)/kernel:0"])
        try group.attributes.write("weight_names1", ["\(name)/bias:0"])
        try group.write("\(name)/kernel:0", (0..<rows * 3).map { Float($0) }, shape: [rows, 3])
        try group.write("\(name)/bias:0", [7, 8, 9] as [Float], shape: [3])
      }
    }
    let network = try Network(
      inputShape: [2],
      layers: [
        Layer(name: "first", inputs: ["input"], spec: .dense(Dense(units: 3))),
        Layer(name: "last", inputs: ["first"], spec: .dense(Dense(units: 3))),
      ])
    let checkpoint = try KerasImport(architecture: .network(network)).read(path).checkpoint
    let expected = (0..<6).map { Float($0) } + [7, 8, 9] + (0..<9).map { Float($0) } + [7, 8, 9]
    #expect(checkpoint.values.trainable.array() == expected)
  }

  @Test("the loss of the file says what the outputs are, and --loss says otherwise", arguments: [2, 3])
  func regression(keras: Int) throws {
    let path = Self.fixture("regression-keras\(keras)")
    let result = try KerasImport().read(path)
    let criterion = try #require(result.checkpoint.identity.criterion)
    #expect(criterion.loss == .meanSquaredError && criterion.task == .values)
    #expect(!result.notes.contains { $0.contains("--loss") })
    let chosen = try KerasImport(loss: .softmaxCrossEntropy).read(path).checkpoint.identity.criterion
    #expect(chosen == .classification)
  }

  @Test("where the file says nothing, outputs without a function are numbers, and that is said")
  func unknownLoss() throws {
    let network = try Network(
      inputShape: [5, 5, 1],
      layers: [
        Layer(name: "first", inputs: ["input"], spec: .conv2D(Conv2D(filters: 2, kernel: Size2D(3)))),
        Layer(name: "flat", inputs: ["first"], spec: .flatten),
        Layer(name: "last", inputs: ["flat"], spec: .dense(Dense(units: 3))),
      ])
    let path = Self.fixture("weights-keras2")
    let result = try KerasImport(architecture: .network(network)).read(path)
    #expect(result.checkpoint.identity.criterion?.loss == .meanSquaredError)
    #expect(result.notes.contains { $0.contains("does not say which loss") && $0.contains("--loss") })
    // Without its dense layers there is nothing that any loss of classes takes.
    let headless = try Network(inputShape: [5, 5, 1], layers: [network.layers[0]])
    let bare = try KerasImport(architecture: .network(headless)).read(path)
    #expect(bare.checkpoint.identity.criterion?.task == .values)
    let error = try #require(throws: InterchangeError.self) {
      try KerasImport(architecture: .network(headless), loss: .softmaxCrossEntropy).read(path)
    }
    #expect(error.kind == .usage && error.description.contains("gives 3×3×2"), "\(error)")
    // A model that ends in softmax or sigmoid says enough itself.
    let softmax = try KerasImport().read(Self.fixture("mobile-keras3"))
    #expect(softmax.checkpoint.identity.criterion == .classification)
    #expect(!softmax.notes.contains { $0.contains("--loss") })
  }

  @Test("the hard sigmoid of Keras 2 is said to be another")
  func hardSigmoid() throws {
    let old = try KerasImport().read(Self.fixture("hard-sigmoid-keras2"))
    #expect(old.notes.contains { $0.contains("hard_sigmoid") && $0.contains("Keras 2") })
    let scalings = old.checkpoint.network.layers.filter { $0.spec.kind == .rescale }
    #expect(scalings.count == 2 + 3)
    let new = try KerasImport().read(Self.fixture("hard-sigmoid-keras3"))
    #expect(!new.notes.contains { $0.contains("hard_sigmoid") })
  }

  @Test("what is left out is said, and so is how pixels are prepared")
  func notes() throws {
    let sequential = try KerasImport().read(Self.fixture("sequential-keras3"))
    #expect(sequential.notes.contains { $0.contains("GaussianNoise") })
    let caffe = try KerasImport().read(Self.fixture("caffe-keras3"))
    #expect(caffe.notes.contains { $0.contains("BGR") })
    #expect(caffe.checkpoint.network.layers[0].name == "caffe_preprocessing")
    let plain = try KerasImport(preprocessing: Preprocessing.none).read(Self.fixture("caffe-keras3"))
    #expect(plain.checkpoint.network.layers[0].name == "block1_conv1")
  }

  @Test("a layer that does not exist is named, with those that do")
  func unknownLayer() throws {
    let error = try #require(throws: InterchangeError.self) {
      try KerasImport().read(Self.fixture("unknown-layer"))
    }
    #expect(error.description.contains("UnitNormalization"))
    #expect(error.description.contains("Conv2D"))
    #expect(error.kind == .badData)
  }

  @Test("an option that is not supported is named with its layer")
  func unknownOption() throws {
    let error = try #require(throws: InterchangeError.self) {
      try KerasImport().read(Self.fixture("unknown-axis"))
    }
    #expect(error.description.contains("axis 1"))
    #expect(error.description.contains("softmax"))
  }

  @Test(
    "another input shape is taken where the model leaves it open, and refused where it does not",
    arguments: [2, 3])
  func inputShape(keras: Int) throws {
    let path = Self.fixture("any-size-keras\(keras)")
    let open = try KerasImport(inputShape: [7, 5, 3]).read(path)
    #expect(open.checkpoint.network.inputShape == [7, 5, 3])
    let (found, expected) = try Self.predict(open.checkpoint, of: path)
    expectClose(found, expected, absolute: 2e-5, relative: 1e-5)
    let unasked = try KerasImport().read(path)
    #expect(unasked.checkpoint.network.inputShape == [224, 224, 3])
    #expect(unasked.notes.contains { $0.contains("images of any size") })
    let error = try #require(throws: InterchangeError.self) {
      try KerasImport(inputShape: [32, 32, 3]).read(Self.fixture("caffe-keras2"))
    }
    #expect(error.description.contains("6×6×3"))
  }

  @Test("a wrong number of class names is refused")
  func classNames() throws {
    let error = #expect(throws: InterchangeError.self) {
      try KerasImport(classNames: ["a"]).read(Self.fixture("caffe-keras2"))
    }
    #expect(error?.description == "there are 1 class names, and the model has 2 outputs")
    let result = try KerasImport(classNames: ["a", "b"]).read(Self.fixture("caffe-keras2"))
    #expect(result.checkpoint.identity.classNames == ["a", "b"])
  }

  private static func writeBrokenWeights(_ path: String) throws {
    let file = try File.create(path)
    try file.root.attributes.write("layer_names", ["first"])
    let group = try file.root.makeGroup("first")
    try group.attributes.write("weight_names", ["first/kernel:0", "first/bias:0"])
    try group.write("first/kernel:0", [Float](repeating: 1, count: 9), shape: [3, 3, 1, 1])
    try group.write("first/bias:0", [Float.nan], shape: [1])
  }

  @Test("NaN weights are refused by name")
  func notFinite() throws {
    let folder = try TemporaryDirectory()
    let path = "\(folder.path)/weights.h5"
    try Self.writeBrokenWeights(path)
    let network = try Network(
      inputShape: [5, 5, 1],
      layers: [Layer(name: "first", inputs: ["input"], spec: .conv2D(Conv2D(filters: 1, kernel: Size2D(3))))])
    let error = try #require(throws: InterchangeError.self) {
      try KerasImport(architecture: .network(network)).read(path)
    }
    #expect(error.description.contains("first/bias"))
  }

  @Test(
    "the VGG networks have the parameters of the published ones",
    arguments: [
      (KnownArchitecture.vgg16, 1000, 138_357_544), (.vgg19, 1000, 143_667_240),
      (.vgg16, nil, 14_714_688), (.vgg19, nil, 20_024_384),
    ] as [(KnownArchitecture, Int?, Int)])
  func parameterCounts(known: KnownArchitecture, classes: Int?, count: Int) throws {
    let network = try Network(inputShape: [224, 224, 3], layers: known.layers(classes: classes)).resolved()
    #expect(network.parameterCount == count)
    #expect(KnownArchitecture(layerNames: network.layers.map(\.name)) == known)
  }

  @Test("a checkpoint of Convoy needs no import")
  func checkpoint() throws {
    let folder = try TemporaryDirectory()
    let path = "\(folder.path)/model.h5"
    try CheckpointFile.write(
      try KerasImport().read(Self.fixture("caffe-keras2")).checkpoint, to: path, model: KerasModelWriter())
    let error = try #require(throws: InterchangeError.self) { try KerasImport().read(path) }
    #expect(error.kind == .usage && error.description.contains("is already a checkpoint of Convoy"))
  }
}
