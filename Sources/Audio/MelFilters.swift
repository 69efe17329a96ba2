internal import Foundation

/// How heights of tones follow from frequencies.
public enum MelScale: String, Sendable, CaseIterable {
  /// Slaney's Auditory Toolbox: linear below 1000 Hz, logarithmic above; triangles have the area 1.
  ///
  ///     m = 3 f / 200                          where f < 1000
  ///     m = 15 + 27 ln(f / 1000) / ln(6.4)     elsewhere
  case slaney
  /// The Hidden Markov Model Toolkit's: m = 2595 log₁₀(1 + f / 700); triangles have the height 1.
  case htk

  /// The height of a frequency in hertz.
  func mel(_ frequency: Double) -> Double {
    switch self {
    case .slaney: frequency < 1000 ? 3 * frequency / 200 : 15 + 27 * log(frequency / 1000) / log(6.4)
    case .htk: 2595 * log10(1 + frequency / 700)
    }
  }

  /// The frequency in hertz of a height.
  func frequency(_ mel: Double) -> Double {
    switch self {
    case .slaney: mel < 15 ? 200 * mel / 3 : 1000 * exp((mel - 15) * log(6.4) / 27)
    case .htk: 700 * (pow(10, mel / 2595) - 1)
    }
  }
}

/// Triangles over the frequencies of a Fourier transform, at equal distances of height.
///
/// Band `b` of `B` rises from the frequency `f(b)` to `f(b+1)` and falls to `f(b+2)`, where `f(0)…f(B+1)` lie at equal distances of
/// height from the lowest frequency to the highest. The triangles are straight over hertz, as librosa's are.
struct MelFilters: Sendable {
  /// For each band the first bin with a weight, and the weights from there on.
  let bands: [(first: Int, weights: [Float])]

  /// - Parameters:
  ///   - transform: samples of a Fourier transform.
  ///   - low, high: the ends in hertz, `low` below `high`.
  init(_ scale: MelScale, bands count: Int, rate: Int, transform: Int, low: Double, high: Double) {
    let (bottom, top) = (scale.mel(low), scale.mel(high))
    let edges = (0..<count + 2).map {
      scale.frequency(bottom + (top - bottom) * Double($0) / Double(count + 1))
    }
    let bins = transform / 2 + 1
    bands = (0..<count).map { band in
      let (left, middle, right) = (edges[band], edges[band + 1], edges[band + 2])
      let scaling = scale == .slaney ? 2 / (right - left) : 1
      var first: Int?
      var weights: [Float] = []
      for bin in 0..<bins {
        let frequency = Double(bin) * Double(rate) / Double(transform)
        let weight = min((frequency - left) / (middle - left), (right - frequency) / (right - middle))
        guard weight > 0 else { continue }
        if first == nil { first = bin }
        weights.append(Float(weight * scaling))
      }
      return (first ?? 0, weights)
    }
  }
}
