internal import Tensors

/// What a person should know of how samples were divided.
enum SplitRemarks {
  /// Lines about a test split without samples, classes that a split has none of, and classes that are no choice.
  ///
  /// - Parameters:
  ///   - labels: the class of each sample.
  ///   - isTested: which samples are for testing.
  ///   - testing: what asked for test samples: `a share of 0.1`; nil where nothing did.
  static func notes(
    labels: [Int32], isTested: [Bool], names: [String], noun: String, testing: String?
  ) -> [String] {
    var notes: [String] = []
    if names.count == 1 { notes.append("there is one class, \"\(names[0])\": nothing to tell it from") }
    guard isTested.contains(true) else {
      if let testing { notes.append("no \(noun) of \(labels.count) is for testing, by \(testing)") }
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

  /// What was passed over: how many, and one of them; nil for none.
  ///
  /// - Parameters:
  ///   - noun: what they are: `file`.
  ///   - reason: words that follow one or several: `without the name of a sound`.
  static func passedOver(_ paths: [String], noun: String = "file", _ reason: String) -> String? {
    guard let first = paths.first else { return nil }
    return
      "passed over \(counted(paths.count, noun)) \(reason)\(paths.count > 1 ? ", such as" : ":") \(first)"
  }
}
