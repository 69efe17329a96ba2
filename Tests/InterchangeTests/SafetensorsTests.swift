import Compute
import HDF5
import Networks
import Paths
import Tensors
import TestSupport
import Testing
import Training

@testable import Interchange

/// Weights as safetensors: those that `Fixtures/Safetensors/make_safetensors.py` wrote in PyTorch, and those that are written here.
struct SafetensorsTests {
  private static let folder = fixtureFolder("Safetensors")

  /// PyTorch's network of the fixture.
  private static func network() throws -> Network {
    try Network(
      inputShape: [7, 7, 3],
      layers: [
        Layer(name: "scaled", inputs: ["input"], spec: .rescale(Rescale(scale: 1 / 128, offset: -1))),
        Layer(
          name: "wide", inputs: ["scaled"],
          spec: .conv2D(Conv2D(filters: 6, kernel: Size2D(3, 2), useBias: false))),
        Layer(name: "norm", inputs: ["wide"], spec: .batchNorm(BatchNorm(epsilon: 1e-5))),
        Layer(name: "slope", inputs: ["norm"], spec: .prelu(PReLU(sharesPositions: true))),
        Layer(
          name: "each", inputs: ["slope"],
          spec: .depthwiseConv2D(DepthwiseConv2D(kernel: Size2D(3), padding: .same))),
        Layer(
          name: "larger", inputs: ["each"],
          spec: .conv2DTranspose(
            Conv2DTranspose(filters: 4, kernel: Size2D(2), stride: Size2D(2), activation: .relu))),
        Layer(name: "flat", inputs: ["larger"], spec: .flatten),
        Layer(name: "drop", inputs: ["flat"], spec: .dropout(Dropout(rate: 0.5))),
        Layer(name: "first", inputs: ["drop"], spec: .dense(Dense(units: 5))),
        Layer(name: "last_norm", inputs: ["first"], spec: .layerNorm(LayerNorm(epsilon: 1e-5))),
        Layer(name: "head", inputs: ["last_norm"], spec: .dense(Dense(units: 3))),
      ])
  }

  private static func names() throws -> String {
    try #require(String(validating: WholeFile.read("\(folder)/names.json", limit: 1 << 20), as: UTF8.self))
  }

  @Test("weights of PyTorch compute what they compute there, also behind a flattened image")
  func pytorch() throws {
    let exchange = SafetensorsExchange(names: try TorchNames(json: try Self.names(), path: "names.json"))
    let result = try exchange.read(
      "\(Self.folder)/net.safetensors", into: try Self.network(), name: "net", classNames: [],
      loss: .meanSquaredError)
    let root = try HDF5.File.open("\(Self.folder)/expected.h5").root
    let expected = try root.dataset("output").read(Float.self)
    let found = try modelOutputs(result.checkpoint, try root.dataset("input").read(UInt8.self))
    expectClose(found, expected, absolute: 1e-6, ofLargest: 1e-5)
    #expect(result.notes.isEmpty)
    // What is written has PyTorch's names, shapes and values again.
    let source = try SafetensorsFile(path: "\(Self.folder)/net.safetensors")
    let again = try SafetensorsFile(try exchange.bytes(of: result.checkpoint), path: "again")
    let own = source.tensors.filter { !$0.key.hasSuffix("num_batches_tracked") }
    #expect(again.tensors.mapValues(\.shape) == own.mapValues(\.shape))
    for name in own.keys { #expect(again.floats(name) == source.floats(name), "\(name)") }
  }

  @Test("every layer's weights come back", arguments: LayerExample.all)
  func roundTrip(example: LayerExample) throws {
    let network = try example.network(
      after: [.flatten, .dense(Dense(units: 2))].suffix(example.spec.kind == .dense ? 0 : 2)
    ).resolved()
    let checkpoint = Checkpoint(
      network: network, name: "example", progress: TrainingProgress(), identity: RunIdentity(runID: "a"),
      values: ParameterLayout(network).initialValues(seed: 3), optimizer: nil, slots: [])
    let folder = try TemporaryDirectory()
    let bytes = try SafetensorsExchange().bytes(of: checkpoint)
    try WholeFile.write(bytes, to: folder.file("x.safetensors"))
    let again = try SafetensorsExchange().read(
      folder.file("x.safetensors"), into: network.network, name: "x", classNames: [], loss: .meanSquaredError
    ).checkpoint
    #expect(again.values.trainable.array() == checkpoint.values.trainable.array())
    #expect(again.values.statistics.array() == checkpoint.values.statistics.array())
  }

  // MARK: - Bad input

  private static func file(_ header: String, _ values: [UInt8] = [], length: Int? = nil) -> [UInt8] {
    var bytes: [UInt8] = []
    withUnsafeBytes(of: UInt64(length ?? header.utf8.count).littleEndian) { bytes += $0 }
    return bytes + header.utf8 + values
  }

  @Test(
    "headers that lie are refused in one line",
    arguments: [
      (file("{}", length: 1 << 40), "is no safetensors file, or is cut short"),
      (file("{}", length: 99_000_000), "is no safetensors file, or is cut short"),
      ([1, 2, 3], "is no safetensors file, or is cut short"),
      (file("{", []), "its header is not JSON"),
      (file(#"{"a": {}}"#), "the tensor 'a' has no dtype, shape and data_offsets"),
      (
        file(#"{"a": {"dtype": "F8", "shape": [1], "data_offsets": [0, 1]}}"#, [0]),
        "has the dtype F8; supported are F32"
      ),
      (
        file(#"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}}"#, [0, 0, 0, 0]),
        "lies at bytes 0 to 8, and the file has 4"
      ),
      (
        file(#"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}}"#, [0, 0, 0, 0]),
        "lies at bytes -4 to 0"
      ),
      (
        file(#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}"#, [0, 0, 0, 0]),
        "of 2 takes 8 bytes, and the file gives it 4"
      ),
      (
        file(
          #"{"a": {"dtype": "F32", "shape": [4611686018427387904, 4611686018427387904], "data_offsets": [0, 4]}}"#,
          [0, 0, 0, 0]),
        "has an impossible shape"
      ),
      (
        file(#"{"a": {"dtype": "U8", "shape": [2], "data_offsets": [2, 4]}}"#, [0, 0, 0, 0]),
        "begins at byte 2, where 0 was expected"
      ),
      (
        file(
          #"{"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}, "b": {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]}}"#,
          [0, 0, 0]),
        "begins at byte 1, where 2 was expected"
      ),
      (
        file(#"{"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}"#, [0, 0, 0, 0]),
        "its tensors end at byte 2 of 4"
      ),
    ] as [([UInt8], String)])
  func refusals(bytes: [UInt8], message: String) {
    let error = #expect(throws: InterchangeError.self) { try SafetensorsFile(bytes, path: "w.safetensors") }
    let text = error?.description ?? ""
    #expect(text.contains(message), "\(text)")
    #expect(!text.contains("\n"))
  }

  @Test("missing tensors, other shapes and unknown names are named")
  func mismatches() throws {
    let path = "\(Self.folder)/net.safetensors"
    func message(_ names: String) throws -> String {
      let error = #expect(throws: InterchangeError.self) {
        try SafetensorsExchange(names: try TorchNames(json: names, path: "n")).read(
          path, into: try Self.network(), name: "net", classNames: [], loss: nil)
      }
      return error?.description ?? ""
    }
    #expect(
      try message("{}").contains("has no tensor 'wide.weight' for wide/kernel; --names says which one it is"))
    #expect(
      try message(#"{"nothing": "a"}"#)
        == "the names are for 'nothing', which is no layer or parameter with values of this network")
    let swapped = try Self.names().replacing("\"features.0\"", with: "\"head\"")
    #expect(try message(swapped).contains("'head.weight' has the shape 3×5, where wide/kernel needs 6×3×3×2"))
    #expect(throws: InterchangeError.self) { try TorchNames(json: "[1]", path: "n") }
  }
}
