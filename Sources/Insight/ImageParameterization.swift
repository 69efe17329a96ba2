internal import Foundation

/// How the numbers that an ascent changes become pixels in 0…1.
public enum ImageParameterization: String, Hashable, Sendable, CaseIterable {
  /// The pixels themselves, held in 0…1 after every step.
  case pixels
  /// `x = 1 / (1 + e^−z)` (Lucid's way to valid images): no pixel ever sticks to black or white.
  case sigmoid

  /// The numbers that give these pixels.
  public func parameters(of pixels: [Float]) -> [Float] {
    switch self {
    case .pixels: pixels
    case .sigmoid:
      pixels.map { pixel in
        let x = min(max(pixel, 0.005), 0.995)
        return log(x / (1 - x))
      }
    }
  }

  public func pixels(of parameters: [Float], into pixels: inout [Float]) {
    switch self {
    case .pixels: pixels = parameters
    case .sigmoid: for index in parameters.indices { pixels[index] = 1 / (1 + exp(-parameters[index])) }
    }
  }

  /// The gradient with respect to the numbers, from the one with respect to the pixels; in place.
  public func pullBack(_ gradient: inout [Float], pixels: [Float]) {
    guard self == .sigmoid else { return }
    for index in gradient.indices { gradient[index] *= pixels[index] * (1 - pixels[index]) }
  }

  /// Brings the numbers back to where they give valid pixels.
  public func project(_ parameters: inout [Float]) {
    guard self == .pixels else { return }
    for index in parameters.indices { parameters[index] = min(max(parameters[index], 0), 1) }
  }
}

/// The image from which an ascent starts.
public enum ImageStart: Hashable, Sendable {
  /// Mid-grey with a little noise: `0.5 + (U[0, 1) − 0.5)·0.25`.
  case noise
  case grey
  case black
  /// Pixels in 0…1, in the network's shape.
  case image([Float])

  /// - Parameter stream: of the ascent; used by noise alone.
  func pixels(count: Int, _ stream: (UInt64) -> Float) -> [Float] {
    switch self {
    case .noise: (0..<count).map { 0.5 + (stream(UInt64($0)) - 0.5) * 0.25 }
    case .grey: [Float](repeating: 0.5, count: count)
    case .black: [Float](repeating: 0, count: count)
    case .image(let pixels): pixels
    }
  }
}
