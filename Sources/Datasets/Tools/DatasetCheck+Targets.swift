internal import Tensors

extension ImageDataset {
  /// `labels of 10 classes`, `targets of 3 numbers`.
  var targetDescription: String {
    targets.map { "targets of \(counted($0.width, "number"))" }
      ?? "labels of \(counted(classCount, "class"))"
  }

  /// A number for each sample that differs where labels or targets do: the label, or one for each different vector.
  var targetMarks: [Int32] {
    guard let targets else { return labels }
    var marks: [[Float]: Int32] = [:]
    return (0..<count).map { row in
      let values = Array(targets[row])
      if let known = marks[values] { return known }
      let mark = Int32(marks.count)
      marks[values] = mark
      return mark
    }
  }

  /// What is odd about targets and weights.
  func targetFindings(_ name: String) -> [DatasetReport.Finding] {
    var findings: [DatasetReport.Finding] = []
    func warn(_ text: String) { findings.append(.init(severity: .warning, text: "\(name): \(text)")) }
    func title(_ column: Int) -> String { classNames?[column] ?? "\(column)" }
    if let targets {
      for column in 0..<targets.width {
        let first = targets[0][column]
        if count > 1, (1..<count).allSatisfy({ targets[$0][column] == first }) {
          warn("target \(title(column)) is \(first) for every sample: there is nothing to learn from it")
        }
      }
    }
    if let weights {
      let zeros = weights.count { $0 == 0 }
      if zeros > 0 { warn("\(counted(zeros, "sample")) of weight 0, from which nothing is learnt") }
    }
    return findings
  }
}
