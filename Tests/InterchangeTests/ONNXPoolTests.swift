import Networks
import TestSupport
import Testing

@testable import Interchange

/// Maximum pools of ONNX whose padding lies elsewhere than that of `same`, against plain loops, around values of both signs.
struct ONNXPoolTests: ONNXExamples {
  /// A pool along one dimension.
  struct Axis {
    let places, window, stride, before, after: Int
    let roundsUp: Bool

    /// How many windows ONNX's formula gives.
    var count: Int {
      let span = places + before + after - window
      guard roundsUp, span % stride > 0 else { return span / stride + 1 }
      // One that would begin behind the image and the padding before it is left out.
      let more = span / stride + 2
      return (more - 1) * stride < places + before ? more : more - 1
    }

    /// The places of the image in a window.
    func places(in index: Int) -> Range<Int> {
      let start = index * stride - before
      return max(start, 0)..<min(start + window, places)
    }

    /// Whether the middle of each window (the left one of two) lies in the image.
    var hasMiddlesInside: Bool {
      let middle = (window - 1) / 2 - before
      return middle >= 0 && middle + (count - 1) * stride < places
    }
  }

  private static func axis(_ random: inout SplitMix64) -> Axis {
    let window = Int.random(in: 1...5, using: &random)
    return Axis(
      places: .random(in: 5...9, using: &random), window: window, stride: .random(in: 1...3, using: &random),
      before: .random(in: 0...window / 2, using: &random),
      after: .random(in: 0...window / 2, using: &random), roundsUp: .random(using: &random))
  }

  private static func attributes(_ axes: [Axis]) -> [ONNXAttribute] {
    [
      .integers("kernel_shape", axes.map(\.window)), .integers("strides", axes.map(\.stride)),
      .integers("pads", axes.map(\.before) + axes.map(\.after)),
      .integer("ceil_mode", axes[0].roundsUp ? 1 : 0),
    ]
  }

  @Test("rows, columns and channels are taken with steps, channels backwards, too")
  func steps() throws {
    let model = Self.model(
      [
        Self.node("Slice", ["x", "starts", "ends", "axes", "steps"], ["places"]),
        Self.node("Slice", ["places", "last", "first", "channel", "back"], ["y"]),
      ],
      [
        ONNXTensor("starts", [2], integers: [1, 0]), ONNXTensor("ends", [2], integers: [5, 9]),
        ONNXTensor("axes", [2], integers: [2, 3]), ONNXTensor("steps", [2], integers: [2, 3]),
        ONNXTensor("last", [1], integers: [-1]), ONNXTensor("first", [1], integers: [-9]),
        ONNXTensor("channel", [1], integers: [1]), ONNXTensor("back", [1], integers: [-1]),
      ], input: [.size(3), .size(5), .size(7)])
    let pixels = (0..<105).map { UInt8($0) }
    let found = try modelOutputs(try ONNXImport().read(model.bytes, "m").checkpoint, pixels)
    let expected = [1, 3].flatMap { row in
      [0, 3, 6].flatMap { column in [2, 1, 0].map { Float(pixels[(row * 7 + column) * 3 + $0]) } }
    }
    #expect(found == expected)
  }

  @Test("a maximum pool takes no padding for a value", arguments: 0..<150)
  func drawn(number: Int) throws {
    var random = SplitMix64(seed: UInt64(number))
    let rows = Self.axis(&random)
    var columns = Self.axis(&random)
    columns = Axis(
      places: columns.places, window: columns.window, stride: columns.stride, before: columns.before,
      after: columns.after, roundsUp: rows.roundsUp)
    let channels = 2
    let model = Self.model(
      [
        Self.node("Sub", ["x", "offset"], ["t"]),
        Self.node("MaxPool", ["t"], ["y"], Self.attributes([rows, columns])),
      ], [ONNXTensor("offset", [], floats: [200])],
      input: [.size(channels), .size(rows.places), .size(columns.places)])
    let isRead = rows.hasMiddlesInside && columns.hasMiddlesInside
    let isPadded = [rows, columns].contains { axis in
      axis.before + axis.after > 0 || axis.places(in: axis.count - 1).count < axis.window
    }
    guard isRead || !isPadded else {
      // 'same' may still lie where a middle does not, so that only a refusal has to be of this kind.
      do { _ = try ONNXImport().read(model.bytes, "m") } catch let error as InterchangeError {
        #expect(error.description.contains("padding may take half of a window"))
      }
      return
    }
    let pixels = (0..<2 * rows.places * columns.places * channels).map { _ in
      UInt8.random(in: 0...255, using: &random)
    }
    let found = try modelOutputs(try ONNXImport().read(model.bytes, "m").checkpoint, pixels)
    var expected: [Float] = []
    for sample in 0..<2 {
      for row in 0..<rows.count {
        for column in 0..<columns.count {
          for channel in 0..<channels {
            let values = rows.places(in: row).flatMap { y in
              columns.places(in: column).map { x in
                pixels[((sample * rows.places + y) * columns.places + x) * channels + channel]
              }
            }
            expected.append(Float(try #require(values.max())) - 200)
          }
        }
      }
    }
    #expect(found == expected)
  }
}
