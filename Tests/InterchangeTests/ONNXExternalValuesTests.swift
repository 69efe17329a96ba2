import Foundation
import Networks
import Protobuf
import SwiftProtobuf
import TestSupport
import Testing
import Training

@testable import Interchange

/// Models of ONNX whose values are in files beside them.
struct ONNXExternalValuesTests {
  /// A model of one convolution, in whose message something is changed.
  private static func changed(_ change: (inout ONNXModelProto) throws -> Void) throws -> [UInt8] {
    let model = ONNXModel(
      irVersion: 8, opsets: ["": 17], producer: "test", producerVersion: "1",
      graph: ONNXGraph(
        name: "model", nodes: [ONNXNode(name: "n", operation: "Conv", inputs: ["x", "w"], outputs: ["y"])],
        initializers: [ONNXTensor("w", [2, 3, 1, 1], floats: [1, 2, 3, 4, 5, 6])],
        inputs: [
          ONNXValueInfo(name: "x", elementType: 1, shape: [.open("N"), .size(3), .size(4), .size(4)])
        ],
        outputs: [ONNXValueInfo(name: "y", elementType: 1, shape: nil)]))
    var message = try ONNXModelProto(serializedBytes: model.bytes)
    try change(&message)
    return try message.serializedBytes()
  }

  @Test("a model with its values in another file is the one that has them itself")
  func external() throws {
    let other = try ONNXImport().read("\(fixtureFolder("ONNX"))/external.onnx").checkpoint
    let whole = try ONNXImport().read("\(fixtureFolder("ONNX"))/vgg-dynamo.onnx").checkpoint
    #expect(other.network == whole.network)
    for parameter in whole.values.layout.parameters {
      #expect(Array(other.values.values(of: parameter)) == Array(whole.values.values(of: parameter)))
    }
    #expect(whole.values.layout.parameters.count > 4)
  }

  /// A model of one convolution whose kernel, and maybe a second one of it, is elsewhere: as these entries say.
  private static func elsewhere(_ entries: [[String: String]]) throws -> [UInt8] {
    try changed { model in
      let kernel = model.graph.initializer[0]
      model.graph.initializer = entries.enumerated().map { index, said in
        var tensor = kernel
        tensor.name = index == 0 ? "w" : "w\(index)"
        tensor.clearRawData()
        tensor.dataLocation = .external
        tensor.externalData = said.sorted { $0.key < $1.key }.map { key, value in
          .with { ($0.key, $0.value) = (key, value) }
        }
        return tensor
      }
    }
  }

  /// A folder with a model's folder in it, and files in both with the numbers 1 to 8 as floats; links lead here and there.
  private static func folders() throws -> TemporaryDirectory {
    let outer = try TemporaryDirectory()
    let numbers = (1...8).flatMap { number in
      withUnsafeBytes(of: Float(number).bitPattern.littleEndian) { [UInt8]($0) }
    }
    let manager = FileManager.default
    try manager.createDirectory(atPath: outer.file("model/below"), withIntermediateDirectories: true)
    for path in ["outside.bin", "model/w.bin", "model/below/w.bin"] { try outer.write(numbers, to: path) }
    try outer.write(Array(numbers[..<20]), to: "model/short.bin")
    for (link, target) in [
      ("inside", "w.bin"), ("outside", "../outside.bin"), ("away", ".."), ("zero", "/dev/zero"),
      ("itself", "itself"),
      ("absolute", outer.file("outside.bin")),
    ] {
      try manager.createSymbolicLink(atPath: outer.file("model/\(link)"), withDestinationPath: target)
    }
    mkfifo(outer.file("model/pipe"), 0o600)
    return outer
  }

  @Test(
    "values are read from files in the model's folder and below it, wherever they begin, also where tensors overlap",
    arguments: [
      [["location": "w.bin"]], [["location": "below/w.bin", "offset": "0", "length": "24", "checksum": "?"]],
      [["location": "inside", "offset": "8"]], [["location": "./w.bin", "offset": "8", "length": "24"]],
      [["location": "w.bin"], ["location": "w.bin"], ["location": "w.bin", "offset": "4"]],
    ])
  func otherFile(entries: [[String: String]]) throws {
    let outer = try Self.folders()
    let checkpoint = try ONNXImport().read(Self.elsewhere(entries), outer.file("model/m.onnx")).checkpoint
    let first = entries[0]["offset"] == "8" ? Float(2) : 0
    let kernel = try #require(checkpoint.values.layout.parameters.first)
    // From [OC, IC, 1, 1] to [1, 1, IC, OC].
    #expect(Array(checkpoint.values.values(of: kernel)) == [1, 4, 2, 5, 3, 6].map { $0 + first })
  }

  static let refused: [(said: [String: String], message: String)] = [
    ([:], "does not say in which"), (["location": ""], "does not say in which"),
    (["location": "missing.bin"], "in the file 'missing.bin', which is not in the model's folder"),
    (["location": "../outside.bin"], "only files in the model's folder"),
    (["location": "below/../../outside.bin"], "only files in the model's folder"),
    (["location": "/etc/passwd"], "only files in the model's folder"),
    (["location": "//w.bin"], "only files in the model's folder"),
    (["location": "w.bin\0"], "only files in the model's folder"),
    (["location": "outside"], "a link that leads out of the model's folder"),
    (["location": "absolute"], "a link that leads out of the model's folder"),
    (["location": "away/outside.bin"], "a link that leads out of the model's folder"),
    (["location": "zero"], "a link that leads out of the model's folder"),
    (["location": "itself"], "which is not in the model's folder"),
    (["location": "below"], "which cannot be read: it is not a file"),
    (["location": "pipe"], "which cannot be read: it is not a file"),
    (["location": "w.bin/"], "which is not in the model's folder"),
    (["location": "short.bin"], "which has 20 bytes, and 24 are expected from byte 0 on"),
    (["location": "w.bin", "offset": "12"], "which has 32 bytes, and 24 are expected from byte 12 on"),
    (["location": "w.bin", "offset": "9223372036854775807"], "which has 32 bytes"),
    (["location": "w.bin", "offset": "9223372036854775808"], "as the offset, which is no whole number"),
    (["location": "w.bin", "offset": "-4"], "with '-4' as the offset, which is no whole number"),
    (["location": "w.bin", "offset": "0x4"], "with '0x4' as the offset"),
    (["location": "w.bin", "length": "-1"], "with '-1' as the length"),
    (["location": "w.bin", "length": "20"], "it takes 20 bytes, and its shape and type take 24"),
    (["location": "w.bin", "length": "9223372036854775807"], "and its shape and type take 24"),
  ]

  @Test("other files are refused in one line", arguments: refused.indices)
  func otherFiles(index: Int) throws {
    let (said, message) = Self.refused[index]
    let outer = try Self.folders()
    let path = outer.file("model/m.onnx")
    let error = #expect(throws: InterchangeError.self) { try ONNXImport().read(Self.elsewhere([said]), path) }
    let text = error?.description ?? ""
    #expect(text.hasPrefix("\(path): the tensor 'w' has its values in") && text.contains(message), "\(text)")
    #expect(!text.contains("\n"))
  }

  @Test("few bytes on disk do not become many in memory")
  func overlapping() throws {
    let outer = try Self.folders()
    let path = outer.file("model/m.onnx")
    func read(_ count: Int) throws {
      let entries = (0..<count).map { ["location": "w.bin", "offset": "\($0)"] }
      _ = try ONNXImport().read(Self.elsewhere(entries), path)
    }
    try read(2)
    let error = #expect(throws: InterchangeError.self) { try read(3) }
    #expect(error?.description.contains("overlap in other files") ?? false)
    // Sizes that no file has are refused before anything is read.
    let bytes = try Self.changed { model in
      model.graph.initializer[0].clearRawData()
      model.graph.initializer[0].dims = [1 << 20, 1 << 20, 1, 1]
      model.graph.initializer[0].dataLocation = .external
      model.graph.initializer[0].externalData = [.with { ($0.key, $0.value) = ("location", "w.bin") }]
    }
    #expect(throws: InterchangeError.self) { try ONNXImport().read(bytes, path) }
  }
}
