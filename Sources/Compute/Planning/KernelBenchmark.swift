internal import Networks
internal import Tensors

/// Times every kernel for the convolutions that networks are made of, and says how far each is from sums in Double.
public struct KernelBenchmark {
  /// A convolution by windows of 3×3 that move by one.
  public struct Shape: Hashable, Sendable {
    /// Images at once.
    public let samples: Int
    /// Channels of the image.
    public let inputs: Int
    /// Channels of the output.
    public let outputs: Int
    /// Rows, and columns, of the image.
    public let side: Int
    /// Whether the image is padded so that the output has its size.
    public let isPadded: Bool

    /// `N16 64→64 @32×32`, with `valid` where there is no padding.
    public var name: String {
      "N\(samples) \(inputs)→\(outputs) @\(side)×\(side)" + (isPadded ? "" : " valid")
    }
  }

  /// One kernel's time and error.
  public struct Row: Sendable {
    /// The convolution.
    public let shape: Shape
    /// The pass, the kernel, and its time for all samples.
    public let timing: KernelTiming
    /// The largest error of an element as a share of the largest element, against sums in Double; nil for the gradient of weights,
    /// which is not held against any, and for bf16.
    public let error: Double?
  }

  /// What is measured: layers of the benchmark's networks, from few channels on large images to many on small ones.
  public static let shapes = [
    Shape(samples: 32, inputs: 16, outputs: 16, side: 32, isPadded: true),
    Shape(samples: 32, inputs: 32, outputs: 32, side: 16, isPadded: true),
    Shape(samples: 32, inputs: 25, outputs: 50, side: 13, isPadded: false),
    Shape(samples: 16, inputs: 64, outputs: 64, side: 32, isPadded: true),
    Shape(samples: 16, inputs: 128, outputs: 128, side: 16, isPadded: true),
    Shape(samples: 8, inputs: 192, outputs: 192, side: 19, isPadded: true),
    Shape(samples: 16, inputs: 256, outputs: 256, side: 8, isPadded: true),
    Shape(samples: 16, inputs: 512, outputs: 512, side: 4, isPadded: true),
    Shape(samples: 32, inputs: 512, outputs: 512, side: 4, isPadded: true),
  ]

  /// Times the kernels for one shape.
  ///
  /// - Parameter mayContinue: asked before each kernel; once it says no, the rest is left out.
  public static func rows(
    of shape: Shape, precisions: [ComputePrecision], while mayContinue: () -> Bool = { true }
  ) throws -> [Row] {
    // The first convolution makes the second's gradient of the image one that training has use for.
    let network = try network(shape, [.conv2D(Conv2D(filters: shape.inputs, kernel: Size2D(1)))])
    let tuner = KernelTuner(samples: shape.samples, precisions: precisions, repeats: 10)
    let timings = try tuner.timings(of: network, while: mayContinue).filter { $0.layer == layer }
    var errors: [ConvolutionAlgorithmName: [Pass: Double]] = [:]
    for algorithm in Set(timings.filter { $0.precision == .fp32 }.map(\.algorithm)) where mayContinue() {
      errors[algorithm] = try self.errors(of: algorithm, shape)
    }
    return timings.map {
      Row(shape: shape, timing: $0, error: $0.precision == .fp32 ? errors[$0.algorithm]?[$0.pass] : nil)
    }
  }

  private static let layer = "measured"

  private static func network(_ shape: Shape, _ before: [LayerSpec]) throws -> ResolvedNetwork {
    let conv = Conv2D(filters: shape.outputs, kernel: Size2D(3), padding: shape.isPadded ? .same : .valid)
    var layers = before.enumerated().map { index, spec in
      Layer(
        name: "before\(index)", inputs: [index == 0 ? Network.inputName : "before\(index - 1)"], spec: spec)
    }
    layers.append(Layer(name: layer, inputs: [layers.last?.name ?? Network.inputName], spec: .conv2D(conv)))
    return try Network(inputShape: [shape.side, shape.side, shape.inputs], layers: layers).resolved()
  }

  /// The errors of one image's output and of the gradient that goes back to it.
  private static func errors(
    of algorithm: ConvolutionAlgorithmName, _ shape: Shape
  ) throws -> [Pass: Double] {
    let network = try network(shape, [])
    let values = CanonicalParameters(layout: ParameterLayout(network))
    var stream = RandomStream(seed: 1, purpose: .synthetic)
    func number() -> Float { Float(stream.nextInteger(below: 1 << 20)) / Float(1 << 19) - 1 }
    for index in 0..<values.trainable.count { values.trainable[index] = number() / 8 }
    var choices = KernelChoices()
    for pass in Pass.allCases { choices[layer, pass] = algorithm }
    let tap = LayerTap(layer)
    let trace = try LayerTrace(network, values: values, taps: [tap], kernels: .chosen(choices))
    let session = try trace.makeSession()
    let image = (0..<shape.side * shape.side * shape.inputs).map { _ in max(number(), 0) }
    guard let output = try session.values(for: image)[tap] else { return [:] }
    let seed = output.map { _ in number() }
    let gradient = try session.gradient(of: image, seeds: [tap: seed])
    let exact = Sums(shape, image: image, weights: values.trainable.array(), seed: seed)
    return [
      .forward: share(output, exact.output), .backwardData: share(gradient, exact.gradient),
    ]
  }

  private static func share(_ found: [Float], _ exact: [Double]) -> Double {
    let largest = exact.reduce(0) { max($0, abs($1)) }
    return zip(found, exact).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / largest
  }

  /// One image's convolution as its definition has it.
  private struct Sums {
    var output: [Double]
    var gradient: [Double]

    /// - Parameter weights: [3, 3, C, K], and behind them the bias; in the order of the canonical parameters.
    init(_ shape: Shape, image: [Float], weights: [Float], seed: [Float]) {
      let (inputs, outputs, side) = (shape.inputs, shape.outputs, shape.side)
      let (padding, extent) = shape.isPadded ? (1, side) : (0, side - 2)
      output = [Double](repeating: 0, count: seed.count)
      gradient = [Double](repeating: 0, count: image.count)
      let bias = weights[(9 * inputs * outputs)...]
      for y in 0..<extent {
        for x in 0..<extent {
          let to = (y * extent + x) * outputs
          for k in 0..<outputs { output[to + k] = Double(bias[bias.startIndex + k]) }
          for tap in 0..<9 {
            let (row, column) = (y + tap / 3 - padding, x + tap % 3 - padding)
            guard (0..<side).contains(row), (0..<side).contains(column) else { continue }
            for c in 0..<inputs {
              let from = (row * side + column) * inputs + c
              let weight = (tap * inputs + c) * outputs
              for k in 0..<outputs {
                output[to + k] += Double(image[from]) * Double(weights[weight + k])
                gradient[from] += Double(seed[to + k]) * Double(weights[weight + k])
              }
            }
          }
        }
      }
    }
  }
}
