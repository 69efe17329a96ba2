internal import Settings

/// Which parameters a rule is for: a layer's name, or `layer/parameter`, with `*` for any characters and `?` for one.
///
/// `conv2d*` means all parameters of the layers `conv2d`, `conv2d.2` and so on, `*/bias` all biases,
/// `stage.3.*` what stands in the third repetition of `stage`.
public struct ParameterPattern: Hashable, Sendable {
  /// The pattern as it was written.
  public let text: String

  /// Takes a pattern in which `*` stands for any text.
  public init(_ text: String) { self.text = text }

  /// Whether the pattern is for a parameter of this name in this layer.
  public func matches(layer: String, parameter: String) -> Bool {
    Self.matches(Array(text.utf8), Array((text.contains("/") ? "\(layer)/\(parameter)" : layer).utf8))
  }

  /// Only the last star ever needs to be tried again, so the time is at most the product of both lengths.
  private static func matches(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
    let (star, any) = (UInt8(ascii: "*"), UInt8(ascii: "?"))
    var (p, n) = (0, 0)
    var retry: (pattern: Int, name: Int)?
    while n < name.count {
      if p < pattern.count, pattern[p] == star {
        retry = (p + 1, n)
        p += 1
      } else if p < pattern.count, pattern[p] == any || pattern[p] == name[n] {
        p += 1
        n += 1
      } else if let place = retry {
        retry = (place.pattern, place.name + 1)
        (p, n) = (place.pattern, place.name + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == star }
  }
}

extension SettingForm where Value == ParameterPattern {
  /// The pattern's text.
  static var pattern: SettingForm {
    SettingForm<String>.text.map({ ParameterPattern($0) }, back: { $0.text })
  }
}
