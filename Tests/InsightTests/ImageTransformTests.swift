import Compute
import Networks
import Tensors
import TestSupport
import Testing

@testable import Insight

@Suite("Waves and transforms of images")
struct ImageTransformTests {
  private static func noise(_ count: Int, seed: UInt64) -> [Float] {
    var stream = RandomStream(seed: seed, purpose: .insight)
    return (0..<count).map { _ in stream.nextUniform() - 0.5 }
  }

  private static func dot(_ left: [Float], _ right: [Float]) -> Double {
    zip(left, right).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
  }

  @Test(
    "waves give back any image", arguments: [[8, 8, 3], [7, 10, 3], [1, 5, 1], [28, 28, 1], [9, 4, 2]])
  func inverse(_ shape: [Int]) {
    let waves = FourierImage(height: shape[0], width: shape[1], channels: shape[2])
    let values = Self.noise(shape.reduce(1, *), seed: 1)
    expectClose(waves.values(of: waves.parameters(of: values)), values, absolute: 2e-5, "\(shape)")
  }

  @Test(
    "waves agree with the sums of their formula, and their gradient is the transpose",
    arguments: [[6, 9, 3], [5, 4, 1]])
  func formula(_ shape: [Int]) {
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    let waves = FourierImage(height: height, width: width, channels: channels)
    func wave(_ index: Int, _ place: Int, _ count: Int) -> (value: Double, frequency: Double) {
      let turns = (index + 1) / 2
      let angle = 2 * Double.pi * Double(turns) * Double(place) / Double(count)
      let norm = (turns == 0 || 2 * turns == count ? 1.0 : 2.0) / Double(count)
      let isSine = index.isMultiple(of: 2) && index > 0
      return (norm.squareRoot() * (isSine ? sine(angle) : cosine(angle)), Double(turns) / Double(count))
    }
    let parameters = Self.noise(height * width * channels, seed: 2)
    var planes = [[Double]](repeating: [Double](repeating: 0, count: height * width), count: channels)
    for channel in 0..<channels {
      for y in 0..<height {
        for x in 0..<width {
          for k in 0..<height {
            for l in 0..<width {
              let (a, b) = (wave(k, y, height), wave(l, x, width))
              let frequency = (a.frequency * a.frequency + b.frequency * b.frequency).squareRoot()
              let scale = 0.25 / max(frequency, 1 / Double(max(height, width)))
              let parameter = Double(parameters[(channel * height + k) * width + l])
              planes[channel][y * width + x] += parameter * scale * a.value * b.value
            }
          }
        }
      }
    }
    var expected: [Double] = []
    let colours = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]]
    let longest = (0.26 * 0.26 + 2 * 0.27 * 0.27).squareRoot()
    for pixel in 0..<height * width {
      for channel in 0..<channels {
        expected.append(
          channels == 3
            ? (0..<3).reduce(0.0) { $0 + colours[channel][$1] / longest * planes[$1][pixel] }
            : planes[channel][pixel])
      }
    }
    let values = waves.values(of: parameters)
    expectClose(values, expected, absolute: 1e-5)
    let other = Self.noise(values.count, seed: 3)
    let (left, right) = (Self.dot(values, other), Self.dot(parameters, waves.gradient(of: other)))
    #expect(abs(left - right) < 1e-4 * max(1, abs(left)))
  }

  @Test(
    "an image is turned clockwise and enlarged about its middle, and the way back is the transpose",
    arguments: [
      ImagePlacement(down: 2, right: -3), ImagePlacement(size: 2), ImagePlacement(down: 1, right: 2, size: 3),
      ImagePlacement(degrees: 90),
      ImagePlacement(down: 1, right: 2, size: 0.8, degrees: -23),
    ])
  func placement(_ placement: ImagePlacement) {
    let shape: Shape = [7, 7, 2]
    let (source, seed) = (Self.noise(98, seed: 4), Self.noise(98, seed: 5))
    var (placed, back) = ([Float](repeating: 0, count: 98), [Float](repeating: 0, count: 98))
    placement.apply(source, to: &placed, shape)
    placement.pullBack(seed, to: &back, shape)
    let product = Self.dot(placed, seed)
    #expect(abs(product) > 1e-3 && abs(product - Self.dot(source, back)) < 1e-5)
    if placement.degrees == 0 {
      // What lay so far from the middle lies `size` times as far from it, once it was moved.
      let size = Int(placement.size)
      for v in -(3 / size)...3 / size {
        for u in -(3 / size)...3 / size {
          let from = ((3 + v - placement.down + 7) % 7 * 7 + (3 + u - placement.right + 7) % 7) * 2
          #expect(abs(placed[((3 + size * v) * 7 + 3 + size * u) * 2] - source[from]) < 1e-5)
        }
      }
    }
    if placement.degrees == 90 {
      for row in 0..<7 {
        for column in 0..<7 {
          // Clockwise: what was below comes to the left.
          #expect(abs(placed[(row * 7 + column) * 2] - source[((6 - column) * 7 + row) * 2]) < 1e-5)
        }
      }
    }
    // Weights add up to 1: a plain image stays as it is.
    placement.apply([Float](repeating: 0.25, count: 98), to: &placed, shape)
    expectClose(placed, [Float](repeating: 0.25, count: 98), absolute: 1e-6)
  }

  @Test(
    "the gradient from objective to parameters is what small changes show",
    arguments: ImageParameterization.allCases)
  func finiteDifferences(_ kind: ImageParameterization) throws {
    let shape: Shape = [10, 12, 3]
    // Smooth all through, so that differences are as good as their step is small.
    let network = try Network(
      inputShape: shape,
      chain: [
        .conv2D(Conv2D(filters: 4, kernel: Size2D(3), activation: .tanh)),
        .conv2D(Conv2D(filters: 3, kernel: Size2D(3), activation: .sigmoid)),
      ]
    ).resolved()
    let subject = try Subject(network, values: ParameterLayout(network).initialValues(seed: 5), range: .unit)
    let objective = Objective(tap: LayerTap("conv2d_1"), kind: .channelSum(1))
    let trace = try LayerTrace(network, values: subject.values, taps: [objective.tap], kernels: .direct)
    var ascent = Ascent(objective, try trace.makeSession(), subject.range)
    let image = ParameterizedImage(kind, shape: shape)
    let placement = ImagePlacement(down: 1, right: -2, size: 1.1, degrees: 7)
    let start = image.parameters(of: Self.noise(360, seed: 6).map { $0 * 0.5 + 0.5 })
    var pixels = start
    func value(_ parameters: [Float]) throws -> Double {
      image.pixels(of: parameters, into: &pixels)
      return try ascent.value(of: pixels, placed: placement)
    }
    _ = try value(start)
    try ascent.updateGradient(placed: placement)
    var gradient = ascent.gradient
    image.pullBack(&gradient, pixels: pixels)
    // Half along the gradient, so that there is a slope, and half anywhere.
    let length = Self.dot(gradient, gradient).squareRoot()
    for seed in 10..<14 as Range<UInt64> {
      let direction = zip(Self.noise(360, seed: seed), gradient).map { $0 + Float(5 / length) * $1 }
      let step: Float = 2e-2
      let (up, down) = (
        try value(zip(start, direction).map { $0 + step * $1 }),
        try value(zip(start, direction).map { $0 - step * $1 })
      )
      let (found, expected) = ((up - down) / Double(2 * step), Self.dot(gradient, direction))
      #expect(abs(expected) > 0.05, "too flat to tell: \(expected)")
      #expect(abs(found - expected) < 2e-3 * abs(expected), "\(found) \(expected)")
    }
  }
}

/// By Taylor series after reduction, independent of the library's.
private func sine(_ x: Double) -> Double { cosine(x - .pi / 2) }
private func cosine(_ x: Double) -> Double {
  let reduced = x - 2 * .pi * (x / (2 * .pi)).rounded()
  var (term, sum) = (1.0, 1.0)
  for n in 1...20 {
    term *= -reduced * reduced / Double((2 * n - 1) * 2 * n)
    sum += term
  }
  return sum
}
