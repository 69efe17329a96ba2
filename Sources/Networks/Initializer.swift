internal import Foundation
public import Settings
public import Tensors

/// How many values feed one output and how many outputs one value feeds, as Keras counts them.
public struct Fans: Hashable, Sendable {
  /// How many values feed one output.
  public let incoming: Int
  /// How many outputs one value feeds.
  public let outgoing: Int

  /// Fans as counted for a kernel.
  public init(incoming: Int, outgoing: Int) {
    self.incoming = incoming
    self.outgoing = outgoing
  }

  /// The fans of parameters whose initial values do not depend on them.
  public static let none = Fans(incoming: 1, outgoing: 1)
}

/// How parameters start; names and formulas are Keras's.
public enum Initializer: String, SettingWord, Hashable, Codable {
  /// Every value is 0.
  case zeros
  /// Every value is 1.
  case ones
  /// Uniform in ±√(6 / (fan in + fan out)). Glorot & Bengio 2010.
  case glorotUniform = "glorot_uniform"
  /// Normal, truncated at two deviations, with deviation √(2 / (fan in + fan out)) after truncation.
  case glorotNormal = "glorot_normal"
  /// Uniform in ±√(6 / fan in). He et al. 2015, <https://arxiv.org/abs/1502.01852>.
  case heUniform = "he_uniform"
  /// Normal, truncated at two deviations, with deviation √(2 / fan in) after truncation.
  case heNormal = "he_normal"
  /// Normal, truncated at two deviations, with deviation √(1 / fan in) after truncation.
  case lecunNormal = "lecun_normal"
  /// Uniform in ±√(3 / fan in).
  case lecunUniform = "lecun_uniform"
  /// Uniform in ±0.05, whatever the layer's size.
  case uniform
  /// Normal, truncated at two deviations, with deviation 0.05 before truncation, whatever the layer's size.
  case truncatedNormal = "truncated_normal"

  /// The standard deviation that is left of 1 where a normal distribution is cut off at two deviations.
  private static let truncatedDeviation = 0.879_625_661_034_239_78

  /// Fills `values`, in Keras's layout of the parameter, from the stream.
  public func fill(_ values: UnsafeMutableBufferPointer<Float>, fans: Fans, from stream: inout RandomStream) {
    let incoming = Double(max(fans.incoming, 1))
    let both = Double(max(fans.incoming + fans.outgoing, 1))
    switch self {
    case .zeros: values.update(repeating: 0)
    case .ones: values.update(repeating: 1)
    case .glorotUniform: fillUniform(values, limit: (6 / both).squareRoot(), &stream)
    case .heUniform: fillUniform(values, limit: (6 / incoming).squareRoot(), &stream)
    case .glorotNormal: fillTruncatedNormal(values, deviation: (2 / both).squareRoot(), &stream)
    case .heNormal: fillTruncatedNormal(values, deviation: (2 / incoming).squareRoot(), &stream)
    case .lecunUniform: fillUniform(values, limit: (3 / incoming).squareRoot(), &stream)
    case .uniform: fillUniform(values, limit: 0.05, &stream)
    case .truncatedNormal:
      fillTruncatedNormal(values, deviation: 0.05 * Initializer.truncatedDeviation, &stream)
    case .lecunNormal: fillTruncatedNormal(values, deviation: (1 / incoming).squareRoot(), &stream)
    }
  }

  private func fillUniform(
    _ values: UnsafeMutableBufferPointer<Float>, limit: Double, _ stream: inout RandomStream
  ) {
    for index in values.indices {
      values[index] = Float((stream.nextUniformDouble() * 2 - 1) * limit)
    }
  }

  /// Box–Muller pairs, drawn again where one lies beyond two deviations.
  private func fillTruncatedNormal(
    _ values: UnsafeMutableBufferPointer<Float>, deviation: Double, _ stream: inout RandomStream
  ) {
    let scale = deviation / Initializer.truncatedDeviation
    var index = 0
    while index < values.count {
      let radius = (-2 * log(1 - stream.nextUniformDouble())).squareRoot()
      let angle = 2 * Double.pi * stream.nextUniformDouble()
      for value in [radius * cos(angle), radius * sin(angle)] where abs(value) <= 2 && index < values.count {
        values[index] = Float(value * scale)
        index += 1
      }
    }
  }
}
