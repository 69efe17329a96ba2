import Compute
import Datasets
import Foundation
import HDF5
import Networks
import Tensors
import TestSupport
import Testing
import Training

@testable import Interchange

/// Models in the formats of Keras 3 as `Fixtures/Archives/make_keras_archives.py` saved them, with what Keras predicts.
struct KerasArchiveTests {
  private static let folder = fixtureFolder("Archives")

  @Test(
    "an archive predicts what Keras predicts, with the names of its layers or without",
    arguments: ["plain", "nested", "words", "nameless", "response"])
  func prediction(name: String) throws {
    let checkpoint = try KerasImport().read("\(Self.folder)/\(name).keras").checkpoint
    let root = try HDF5.File.open("\(Self.folder)/expected.h5").root
    let source = name == "nameless" ? "nested" : name
    let pixels = try root.dataset("\(source)/input").read(UInt8.self)
    let expected = try root.dataset("\(source)/output").read(Float.self)
    expectClose(try modelOutputs(checkpoint, pixels), expected, absolute: 1e-6, ofLargest: 1e-5)
  }

  @Test("weights alone are found by the names of layers, in whatever order these come")
  func weightsAlone() throws {
    let whole = try KerasImport().read("\(Self.folder)/plain.keras").checkpoint
    let network = whole.network.network
    let alone = try KerasImport(architecture: .network(network)).read("\(Self.folder)/plain.weights.h5")
      .checkpoint
    #expect(alone.values.trainable.array() == whole.values.trainable.array())
    #expect(alone.values.statistics.array() == whole.values.statistics.array())
  }

  @Test(
    "what is written for Keras 3 comes back: the archive whole, and the weights of both formats",
    arguments: LayerExample.all)
  func roundTrip(example: LayerExample) throws {
    // A layer that does nothing is not read, and a network has at least one.
    let network = try example.network(after: [.rescale(Rescale(scale: 2))]).resolved()
    let checkpoint = Checkpoint(
      network: network, name: "example", progress: TrainingProgress(), identity: RunIdentity(runID: "a"),
      values: ParameterLayout(network).initialValues(seed: 3), optimizer: nil, slots: [])
    let folder = try TemporaryDirectory()
    try write(checkpoint, .archive, folder.file("x.keras"))
    try write(checkpoint, .weights, folder.file("x.weights.h5"))
    let again = try KerasImport().read(folder.file("x.keras")).checkpoint
    #expect(again.values.trainable.array() == checkpoint.values.trainable.array())
    #expect(again.network.outputShape == network.outputShape)
    guard network.parameterCount > 0 else { return }
    let weights = try KerasImport(architecture: .network(network.network)).read(folder.file("x.weights.h5"))
      .checkpoint
    #expect(weights.values.trainable.array() == checkpoint.values.trainable.array())
  }

  private func write(_ checkpoint: Checkpoint, _ format: KerasExport.Format, _ path: String) throws {
    try Data(try KerasExport(format).bytes(of: checkpoint)).write(to: URL(fileURLWithPath: path))
  }

  @Test(
    "classes have the words that Keras gives their groups",
    arguments: [
      ("Conv2D", "conv2d"), ("MaxPooling2D", "max_pooling2d"), ("ReLU", "re_lu"), ("PReLU", "p_re_lu"),
      ("ELU", "elu"),
      ("InputLayer", "input_layer"), ("BatchNormalization", "batch_normalization"),
      ("GlobalAveragePooling1D", "global_average_pooling1d"),
      ("LeakyReLU", "leaky_re_lu"), ("SeparableConv2D", "separable_conv2d"), ("EinsumDense", "einsum_dense"),
    ])
  func words(className: String, word: String) {
    #expect(KerasStore.word(ofClass: className) == word)
    #expect(KerasStore.groups(ofClasses: [className, "Other", className]) == [word, "other", "\(word)_1"])
  }

  @Test(
    "archives that hold no model, or a program, are refused in one line",
    arguments: [
      ("lambda", "layer 'lambda' (Lambda): there is no such layer here"),
      ("custom", "layer 'conv2d' is of the class mine>Conv2D of another program"),
      ("climbing", "has a file '../climbing.txt', which would be unpacked elsewhere"),
      ("no-weights", "has no weights (model.weights.h5)"),
      ("no-model", "is an archive without config.json"),
      ("not-json", "is not valid JSON"),
      ("cut-weights", "model.weights.h5 of"),
    ])
  func refusals(name: String, message: String) throws {
    let before = try FileManager.default.contentsOfDirectory(atPath: Self.folder).sorted()
    let error = #expect(throws: InterchangeError.self) {
      try KerasImport().read("\(Self.folder)/\(name).keras")
    }
    let text = error?.description ?? ""
    #expect(text.contains(message), "\(text)")
    #expect(!text.contains("\n"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: Self.folder).sorted() == before)
    let temporary = try FileManager.default.contentsOfDirectory(
      atPath: FileManager.default.temporaryDirectory.path)
    #expect(!temporary.contains { $0.hasPrefix("convoy-keras-") && $0.hasSuffix("\(getpid())") })
  }

  @Test("an archive that is cut anywhere is refused")
  func cut() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/words.keras"))
    let folder = try TemporaryDirectory()
    var refused = 0
    for count in stride(from: 4, to: bytes.count, by: 997) {
      try bytes.prefix(count).write(to: URL(fileURLWithPath: folder.file("cut.keras")))
      #expect(throws: (any Error).self, "\(count)") { try KerasImport().read(folder.file("cut.keras")) }
      refused += 1
    }
    #expect(refused > 20)
  }
}
