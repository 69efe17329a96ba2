internal import Foundation
public import Settings
internal import Tensors

/// What an ascent changes, and how it becomes pixels in 0…1.
public enum ImageParameterization: String, Hashable, SettingWord {
  /// The pixels themselves, held in 0…1 after every step.
  case pixels
  /// `x = 1 / (1 + e^−z)`, Lucid's way to valid images: no pixel ever sticks to black or white.
  case sigmoid
  /// The z of ``sigmoid`` as waves, and in decorrelated colours where there are three channels: every step moves coarse shapes as
  /// easily as fine ones (``FourierImage``).
  case fourier

  /// The parameterization in a few words, as references and help show it.
  public var summary: String {
    switch self {
    case .pixels: "the pixels, held in 0…1"
    case .sigmoid: "their logits, so that no pixel ever sticks to black or white"
    case .fourier: "waves in decorrelated colours, so that coarse shapes change as easily as fine ones"
    }
  }
}

/// The numbers behind images of one shape.
///
/// Everything except the sigmoid is linear; gradients go back through the transpose.
struct ParameterizedImage {
  private let kind: ImageParameterization
  private let shape: Shape
  private let waves: FourierImage?

  /// - Parameter shape: `[H, W, C]`.
  init(_ kind: ImageParameterization, shape: Shape) {
    self.kind = kind
    self.shape = shape
    waves = kind == .fourier ? FourierImage(height: shape[0], width: shape[1], channels: shape[2]) : nil
  }

  /// The numbers that an ascent begins with, where it does not begin with a file's picture.
  ///
  /// - Parameter stream: the ascent's random numbers; only noise uses them.
  func parameters(of start: ImageStart, _ stream: inout RandomStream) -> [Float] {
    let count = shape.elementCount
    switch start {
    case .noise where kind == .fourier:
      // A deviation of 0.01 in every wave, as in Lucid: white noise of pixels would be mostly fine waves, which hardly fade.
      return (0..<count).map { _ in (stream.nextUniform() - 0.5) * 0.0346 }
    case .noise: return parameters(of: (0..<count).map { _ in 0.5 + (stream.nextUniform() - 0.5) * 0.25 })
    case .grey: return parameters(of: [Float](repeating: 0.5, count: count))
    case .black: return parameters(of: [Float](repeating: 0, count: count))
    case .image(let source): preconditionFailure("the pixels of \(source.path) are missing")
    }
  }

  /// The numbers that give these pixels.
  func parameters(of pixels: [Float]) -> [Float] {
    if kind == .pixels { return pixels }
    let logits = pixels.map { pixel in
      let x = min(max(pixel, 0.005), 0.995)
      return log(x / (1 - x))
    }
    return waves?.parameters(of: logits) ?? logits
  }

  func pixels(of parameters: [Float], into pixels: inout [Float]) {
    guard kind != .pixels else {
      pixels = parameters
      return
    }
    let logits = waves?.values(of: parameters) ?? parameters
    for index in logits.indices { pixels[index] = 1 / (1 + exp(-logits[index])) }
  }

  /// The gradient with respect to the numbers, from the one with respect to the pixels; in place.
  func pullBack(_ gradient: inout [Float], pixels: [Float]) {
    if kind == .pixels { return }
    for index in gradient.indices { gradient[index] *= pixels[index] * (1 - pixels[index]) }
    if let waves { gradient = waves.gradient(of: gradient) }
  }

  /// Brings the numbers back to where they give valid pixels.
  func project(_ parameters: inout [Float]) {
    guard kind == .pixels else { return }
    for index in parameters.indices { parameters[index] = min(max(parameters[index], 0), 1) }
  }

  func blur(_ parameters: inout [Float], _ blur: GaussianBlur) {
    guard kind == .fourier else { return blur.apply(to: &parameters, shape: shape) }
    var pixels = parameters
    self.pixels(of: parameters, into: &pixels)
    blur.apply(to: &pixels, shape: shape)
    parameters = self.parameters(of: pixels)
  }
}
