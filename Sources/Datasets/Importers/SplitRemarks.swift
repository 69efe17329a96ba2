internal import Tensors

/// What a person should know of how samples were divided.
enum SplitRemarks {
  /// Lines about a test split without samples, classes that a split has none of, and classes that are no choice.
  ///
  /// - Parameters:
  ///   - labels: the class of each sample.
  ///   - isTested: which samples are for testing.
  ///   - testing: the words for what asked for test samples; nil where nothing did.
  static func notes(
    labels: [Int32], isTested: [Bool], names: [String], noun: String, testing: String?
  ) -> [String] {
    var notes: [String] = []
    if names.count == 1 { notes.append("there is one class, \"\(names[0])\": nothing to tell it from") }
    guard isTested.contains(true) else {
      if let testing { notes.append("no \(noun) is for testing: \(testing) of \(labels.count) is none") }
      return notes
    }
    func classes(tested: Bool) -> Set<Int> {
      Set(zip(labels, isTested).lazy.filter { $1 == tested }.map { Int($0.0) })
    }
    let (training, test) = (classes(tested: false), classes(tested: true))
    for (missing, word) in [(test.subtracting(training), "training"), (training.subtracting(test), "test")] {
      guard let first = missing.min() else { continue }
      let rest = missing.count > 1 ? " and \(missing.count - 1) more have" : " has"
      notes.append("the class \"\(names[first])\"\(rest) no \(word) \(noun)s")
    }
    return notes
  }

  /// Which files were passed over: how many, and one of them; nil for none.
  ///
  /// - Parameter reason: `of folders that are neither .sgf nor archives`.
  static func passedOver(_ paths: [String], _ reason: String) -> String? {
    guard let first = paths.first else { return nil }
    return
      "passed over \(counted(paths.count, "file")) \(reason)\(paths.count > 1 ? ", such as" : ":") \(first)"
  }
}
