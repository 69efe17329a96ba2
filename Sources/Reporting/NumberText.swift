internal import Foundation

/// Numbers as people read them; the same in every locale.
public enum NumberText {
  /// A whole number with commas between thousands: `12,345`.
  public static func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { result.append(",") }
      result.append(digit)
    }
    return (number < 0 ? "-" : "") + result
  }

  /// A fixed number of digits after the point, and a power of ten from a billion on; other values are `nan`, `inf` and `-inf`.
  public static func fixed(_ number: Double, _ digits: Int) -> String {
    guard number.isFinite else { return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf" }
    return String(format: abs(number) < 1e9 ? "%.\(digits)f" : "%.\(digits)e", number)
  }

  /// About four significant digits, whatever the size: `0.2931`, `12.31`, `1.2e+07`.
  public static func short(_ number: Double) -> String {
    guard number.isFinite else { return fixed(number, 0) }
    switch abs(number) {
    case 0: return "0.0000"
    case ..<0.001: return String(format: "%.2e", number)
    case ..<10: return fixed(number, 4)
    case ..<1000: return fixed(number, 2)
    case ..<1e6: return fixed(number, 0)
    default: return String(format: "%.1e", number)
    }
  }

  /// Three significant digits with a decimal prefix: `78.4 k`, `1.23 M`.
  public static func scaled(_ number: Double) -> String {
    let prefixes = ["", " k", " M", " G", " T", " P"]
    var value = number
    var index = 0
    while abs(value) >= 999.5, index < prefixes.count - 1 {
      value /= 1000
      index += 1
    }
    if index == 0 { return fixed(value, 0) }
    return fixed(value, abs(value) >= 99.95 ? 0 : abs(value) >= 9.995 ? 1 : 2) + prefixes[index]
  }

  /// A number of bytes in binary units: `3.2 MiB`.
  public static func bytes(_ count: Int) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(count)
    var index = 0
    while value >= 1023.5, index < units.count - 1 {
      value /= 1024
      index += 1
    }
    return fixed(value, index == 0 || value >= 99.95 ? 0 : 1) + " " + units[index]
  }

  /// A rate or another measured number as a whole one; numbers that no table of ours has, such as 1e300, as they are.
  public static func grouped(_ value: Double) -> String {
    abs(value) < 1e15 ? grouped(Int(value.rounded())) : short(value)
  }

  /// A duration, given in seconds: `0:07`, `12:05`, `3:02:01`, `2 d 4 h`.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "-:--" }
    let whole = Int(max(0, seconds).rounded())
    let (minutes, hours) = (whole / 60 % 60, whole / 3600)
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    if hours >= 48 { return "\(hours / 24) d \(hours % 24) h" }
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(whole % 60))" : "\(minutes):\(two(whole % 60))"
  }
}
