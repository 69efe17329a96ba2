import Foundation
import Protobuf
import SwiftProtobuf
import Testing

/// Our definitions beside those of ONNX and TensorBoard: messages that `Fixtures/make_messages.py` had their own classes write.
struct MessageTests {
  private static func bytes(_ name: String) throws -> [UInt8] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    return Array(try Data(contentsOf: folder.appending(path: "\(name).pb")))
  }

  /// Reads a message, in which nothing may be left that is not known, and which must be written as it was.
  private static func message<Message: SwiftProtobuf.Message>(_ name: String, as _: Message.Type) throws
    -> Message
  {
    let bytes = try bytes(name)
    var options = BinaryDecodingOptions()
    options.discardUnknownFields = true
    let message = try Message(serializedBytes: bytes, options: options)
    #expect(try message.serializedBytes() == bytes, "\(name)")
    return message
  }

  @Test("a model that ONNX wrote has every field under the right name, and is written as ONNX writes it")
  func onnx() throws {
    let model = try Self.message("onnx", as: ONNXModelProto.self)
    #expect((model.irVersion, model.producerName, model.producerVersion) == (8, "producer", "1.2"))
    #expect(model.docString == "words")
    #expect(
      model.opsetImport.map(\.domain) == ["", "other"] && model.opsetImport.map(\.version) == [17, -1])
    #expect(model.metadataProps.map(\.key) == ["key"] && model.metadataProps.map(\.value) == ["value"])
    #expect(model.functions.map(\.name) == ["function"] && model.functions.map(\.domain) == ["own"])
    let graph = model.graph
    #expect(graph.name == "graph" && graph.sparseInitializer.count == 1)
    let node = try #require(graph.node.first)
    #expect((node.name, node.opType, node.domain) == ("node", "Conv", "ai.onnx"))
    #expect(node.input == ["x", ""] && node.output == ["y"])
    #expect(node.attribute.map(\.name) == [1, 2, 3, 4, 6, 7, 8].map { "setting\($0)" })
    #expect(node.attribute.map(\.type) == [.float, .int, .string, .tensor, .floats, .ints, .strings])
    #expect(node.attribute[0].hasF && node.attribute[0].f == 0 && node.attribute[1].i == -3)
    #expect(node.attribute[2].s == Data("text".utf8 + [0xFF]) && node.attribute[3].t.name == "t")
    #expect(node.attribute[4].floats == [0.5, -1] && node.attribute[5].ints == [1 << 62, -1])
    #expect(node.attribute[6].strings == [Data("a".utf8), Data()])
    #expect(node.metadataProps.map(\.key) == ["scope"] && node.metadataProps.map(\.value) == ["module"])
    let tensor = try #require(graph.initializer.first)
    #expect((tensor.name, tensor.dims, tensor.dataType) == ("w", [2, 0, 3], 10))
    #expect(tensor.floatData == [1.5, -2] && tensor.doubleData == [0.25] && tensor.int32Data == [-1, 7])
    #expect(tensor.int64Data == [.min] && tensor.uint64Data == [.max] && tensor.rawData == Data([0, 1]))
    #expect(tensor.dataLocation == .external && tensor.externalData.map(\.value) == ["file"])
    for info in graph.input + graph.output + graph.valueInfo {
      #expect(info.name == "info" && info.type.tensorType.elemType == 1)
      #expect(info.type.tensorType.shape.dim.map(\.value) == [.dimParam("N"), .dimValue(-1), nil])
    }
    #expect((graph.input.count, graph.output.count, graph.valueInfo.count) == (1, 1, 1))
  }

  @Test(
    "records that TensorBoard wrote have every field under the right name, and are written as it writes them")
  func tensorBoard() throws {
    let first = try Self.message("tensorboard-version", as: TensorBoardEvent.self)
    #expect(first.what == .fileVersion("brain.Event:2") && first.wallTime == 1)
    let session = try Self.message("tensorboard-session", as: TensorBoardEvent.self)
    #expect(session.sessionLog.status == .start)
    let event = try Self.message("tensorboard-summary", as: TensorBoardEvent.self)
    #expect((event.wallTime, event.step) == (1.5, -2))
    let values = event.summary.value
    #expect(values.map(\.tag) == ["scalar", "image", "histogram", "plugin"])
    #expect(values[0].value == .simpleValue(0))
    let image = values[1].image
    #expect((image.height, image.width, image.colorspace) == (2, 3, 4))
    #expect(image.encodedImageString == Data("png".utf8))
    let histogram = values[2].histo
    #expect(
      [histogram.min, histogram.max, histogram.num, histogram.sum, histogram.sumSquares] == [1, 2, 3, 4, 5])
    #expect(histogram.bucketLimit == [6, 7] && histogram.bucket == [8, 9])
    let plugin = values[3].metadata.pluginData
    #expect(plugin.pluginName == "hparams")
    let start = try TensorBoardHParamsPluginData(serializedBytes: plugin.content).sessionStartInfo
    #expect(start.startTimeSecs == 1.5 && start.hparams.map(\.key) == ["batch"])
    #expect(start.hparams.map(\.value.numberValue) == [64])
  }
}
