/// Notes on classes that have no samples, although their numbers are counted.
enum EmptyClasses {
  /// - Returns: nil where each class has samples.
  static func note(present: Set<Int>, count: Int) -> String? {
    let missing = (0..<count).filter { !present.contains($0) }
    guard let first = missing.first else { return nil }
    if missing == [0] {
      return "labels count from 1 here: class 0 of the \(count) classes has no samples"
    }
    return
      "\(missing.count) of the \(count) classes \(missing.count == 1 ? "has" : "have") no samples: \(first)\(missing.count > 1 ? ", …" : "")"
  }

  /// - Parameter names: the names of the classes; nil where there are targets.
  static func note(_ targets: [DatasetWriter.Targets], _ names: [String]?) -> [String] {
    var present = Set<Int>()
    for target in targets {
      guard case .labels(let labels, _) = target else { return [] }
      present.formUnion(Set(labels).map { Int($0) })
    }
    return note(present: present, count: names?.count ?? 0).map { [$0] } ?? []
  }
}
