import Foundation
import Networks
import Tensors
import TestSupport
import Testing

/// One case of `Fixtures/windows.json`, which `Fixtures/make_windows.py` makes.
struct KerasWindow: Decodable, Sendable, CustomTestStringConvertible {
  let layer: String
  let input: [Int]
  let filters: Int?
  let kernel: [Int]
  let stride: [Int]
  let dilation: [Int]?
  let padding: Padding
  let groups: Int?
  /// What Keras gives, N first.
  let shape: [Int]
  let values: [Double]

  var testDescription: String {
    "\(layer) \(input), window \(kernel) stride \(stride) dilation \(dilation ?? []) \(padding)"
  }

  static func all() throws -> [KerasWindow] {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/windows.json")
    return try JSONDecoder().decode([KerasWindow].self, from: Data(contentsOf: url))
  }

  /// A sequence's only axis is an image's second one.
  private static func size(_ axes: [Int]?) -> Size2D {
    guard let axes else { return .one }
    return axes.count == 1 ? Size2D(1, axes[0]) : Size2D(axes[0], axes[1])
  }

  private var conv2D: Conv2D {
    Conv2D(
      filters: filters ?? 1, kernel: Self.size(kernel), stride: Self.size(stride),
      dilation: Self.size(dilation), padding: padding, groups: groups ?? 1)
  }

  private var pool2D: Pool2D {
    Pool2D(size: Self.size(kernel), stride: Self.size(stride), padding: padding)
  }

  /// What the reference gives for the script's source and kernel.
  func computed() throws -> ReferenceTensor {
    let image = input.count == 3 ? [input[0], 1, input[1], input[2]] : input
    let src = ReferenceTensor(
      Shape(image), (0..<image.reduce(1, *)).map { Double($0 * 7 % 23 - 11) })
    func weights(_ shape: [Int]) -> ReferenceTensor {
      ReferenceTensor(Shape(shape), (0..<shape.reduce(1, *)).map { Double($0 * 5 % 13 - 6) })
    }
    let (window, channels) = (Self.size(kernel), image[3])
    let result: ReferenceTensor
    switch layer {
    case "Conv2D":
      let kernel = weights([window.height, window.width, channels / conv2D.groups, conv2D.filters])
      result = ReferenceKernels.convolution(src, kernel: kernel, bias: nil, conv2D)
    case "Conv1D":
      let conv = Conv1D(
        filters: filters ?? 1, kernel: kernel[0], stride: stride[0], dilation: dilation?[0] ?? 1,
        padding: padding, groups: groups ?? 1)
      let kernel = weights([1, kernel[0], channels / conv.groups, conv.filters])
      result = ReferenceKernels.convolution(src, kernel: kernel, bias: nil, ReferenceKernels.image(conv))
    case "DepthwiseConv2D":
      let conv = DepthwiseConv2D(
        kernel: window, multiplier: filters ?? 1, stride: Self.size(stride), dilation: Self.size(dilation),
        padding: padding)
      let grouped = ReferenceKernels.grouped(conv, channels: channels)
      let kernel = weights([window.height, window.width, 1, grouped.filters])
      result = ReferenceKernels.convolution(src, kernel: kernel, bias: nil, grouped)
    case "Conv2DTranspose":
      let conv = Conv2DTranspose(
        filters: filters ?? 1, kernel: window, stride: Self.size(stride), padding: padding)
      let kernel = weights([window.height, window.width, conv.filters, channels])
      result = ReferenceKernels.transposedConvolution(src, kernel: kernel, bias: nil, conv)
    case "MaxPooling2D": result = ReferenceKernels.maxPool(src, pool2D)
    case "AveragePooling2D": result = ReferenceKernels.averagePool(src, pool2D)
    case "MaxPooling1D", "AveragePooling1D":
      let pool = ReferenceKernels.image(Pool1D(size: kernel[0], stride: stride[0], padding: padding))
      result =
        layer == "MaxPooling1D"
        ? ReferenceKernels.maxPool(src, pool) : ReferenceKernels.averagePool(src, pool)
    default: throw UnknownLayer(name: layer)
    }
    guard input.count == 3 else { return result }
    return result.reshaped(to: [result.shape[0], result.shape[2], result.shape[3]])
  }

  private struct UnknownLayer: Error { let name: String }
}

@Suite("Reference windows against Keras")
struct KerasWindowTests {
  @Test("the fixture has every layer with a window, and every padding")
  func complete() throws {
    let cases = try KerasWindow.all()
    #expect(cases.count == 42)
    #expect(
      Set(cases.map(\.layer)) == [
        "Conv1D", "Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "MaxPooling1D", "AveragePooling1D",
        "MaxPooling2D", "AveragePooling2D",
      ])
    #expect(Set(cases.map(\.padding)) == Set(Padding.allCases))
  }

  @Test("windows stand where Keras puts them", arguments: try KerasWindow.all())
  func agrees(_ window: KerasWindow) throws {
    let found = try window.computed()
    let expected = ReferenceTensor(Shape(window.shape), window.values)
    // Whole numbers, and means of a few of them.
    expectClose(found, expected, relative: 1e-15, window.testDescription)
  }
}
