import Compute
import Insight
import Networks
import Tensors
import Testing

@Suite("Receptive fields")
struct ReceptiveFieldTests {
  @Test("a place of the lecture's second convolution sees 8×8 pixels, two apart from its neighbour's")
  func lecture() throws {
    let network = try StandardNetwork.lecture.network().resolved()
    let size = try #require(ReceptiveField.size(of: "conv2d_1", in: network))
    #expect(size == Size2D(8))
    let field = try #require(ReceptiveField(row: 3, column: 10, of: "conv2d_1", in: network))
    #expect(field.rows == 6..<14)
    #expect(field.columns == 20..<28)
  }

  @Test("padding puts parts of a field outside the image, where they are cut off")
  func padding() throws {
    let network = try Network(
      inputShape: [9, 9, 1],
      chain: [.conv2D(Conv2D(filters: 2, kernel: Size2D(5), stride: Size2D(2), padding: .same))]
    ).resolved()
    let field = try #require(ReceptiveField(row: 0, column: 2, of: "conv2d", in: network))
    #expect(field.rows == 0..<3)
    #expect(field.columns == 2..<7)
  }

  private static let windows: [LayerSpec] = [
    .conv2D(Conv2D(filters: 3, kernel: Size2D(3), dilation: Size2D(2, 1), padding: .same)),
    .averagePool2D(Pool2D(size: Size2D(2))),
    .conv2D(Conv2D(filters: 4, kernel: Size2D(3, 2), stride: Size2D(2, 1))),
    .zeroPadding2D(Margins2D(top: 1, bottom: 0, left: 2, right: 1)),
    .depthwiseConv2D(DepthwiseConv2D(kernel: Size2D(2), padding: .same)),
  ]

  /// Layers that enlarge, between convolutions.
  private static let enlarging: [LayerSpec] = [
    .averagePool2D(Pool2D(size: Size2D(3))), .upSampling2D(UpSampling2D(size: Size2D(2, 3))),
    .conv2D(Conv2D(filters: 3, kernel: Size2D(2))),
    .upSampling2D(UpSampling2D(size: Size2D(3, 2), interpolation: .bilinear)),
    .averagePool2D(Pool2D(size: Size2D(2))),
    .conv2DTranspose(Conv2DTranspose(filters: 2, kernel: Size2D(3, 4), stride: Size2D(2), padding: .same)),
    .conv2DTranspose(Conv2DTranspose(filters: 2, kernel: Size2D(2), stride: Size2D(1, 2))),
  ]

  @Test("a value depends on every pixel of its field and on no other", arguments: [windows, enlarging])
  func numerically(_ chain: [LayerSpec]) throws {
    let network = try Network(inputShape: [19, 17, 2], chain: chain).resolved()
    let subject = try Subject(network, values: ParameterLayout(network).initialValues(seed: 3))
    let image = (0..<19 * 17 * 2).map { Float(($0 * 37) % 101) / 101 }
    for layer in network.layers {
      let shape = layer.outputShape
      let tap = LayerTap(layer.name)
      let session = try LayerTrace(network, values: subject.values, taps: [tap]).makeSession()
      for (row, column) in [(0, 0), (shape[0] / 2, shape[1] / 3), (shape[0] - 1, shape[1] - 1)] {
        // The gradient of a sum over the channels at one place; no weight is 0 by chance.
        var seed = [Float](repeating: 0, count: shape.elementCount)
        for channel in 0..<shape[2] {
          seed[(row * shape[1] + column) * shape[2] + channel] = 1 + Float(channel)
        }
        let gradient = try session.gradient(of: image, seeds: [tap: seed])
        var (rows, columns): (Set<Int>, Set<Int>) = ([], [])
        for pixel in gradient.indices where gradient[pixel] != 0 {
          rows.insert(pixel / 34)
          columns.insert(pixel % 34 / 2)
        }
        let found = ReceptiveField(row: row, column: column, of: layer.name, in: network)
        guard let top = rows.min(), let left = columns.min() else {
          #expect(found == nil, "\(layer.name) at \(row), \(column) sees padding alone")
          continue
        }
        let field = try #require(found)
        #expect(field.rows == top..<(rows.max() ?? 0) + 1, "\(layer.name) at \(row), \(column)")
        #expect(field.columns == left..<(columns.max() ?? 0) + 1, "\(layer.name) at \(row), \(column)")
      }
    }
  }
}
