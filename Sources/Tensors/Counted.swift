/// `1 sample`, `3 samples`, `2 classes`: a number with its noun.
///
/// - Parameters:
///   - noun: in the singular; its plural ends in s, or in es after s, x, tch and sh.
///   - number: the number as it is written, such as `1,000`; nil writes its digits.
public func counted(_ count: Int, _ noun: String, as number: String? = nil) -> String {
  let hisses = ["s", "x", "tch", "sh"].contains { noun.hasSuffix($0) }
  return "\(number ?? "\(count)") \(noun)\(count == 1 ? "" : hisses ? "es" : "s")"
}
