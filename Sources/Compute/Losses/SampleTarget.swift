/// What a sample's outputs are compared with.
///
/// Vectors have as many numbers as the network has outputs, and live as long as the source that gave them.
public enum SampleTarget: Hashable {
  /// One class.
  case label(Int32)
  /// A mixture of two samples: the first one's class with this share, the second one's with the rest.
  case mixed(Int32, Int32, share: Float)
  /// A vector.
  case values(UnsafePointer<Float>)
  /// A mixture of the vectors of two samples.
  case mixedValues(UnsafePointer<Float>, UnsafePointer<Float>, share: Float)
}

/// A target as a vector over the outputs, made element by element.
struct TargetVector {
  private var target: SampleTarget
  private let outputs: Int

  /// - Throws: ``ComputeError`` for a class that the outputs do not have.
  init(_ target: SampleTarget, outputs: Int) throws(ComputeError) {
    self.target = target
    self.outputs = outputs
    switch target {
    case .label(let label): try check(label)
    case .mixed(let first, let second, _):
      try check(first)
      try check(second)
    case .values, .mixedValues: break
    }
  }

  private func check(_ label: Int32) throws(ComputeError) {
    // The number of a class is a number like any other for a single output.
    guard label >= 0, label < outputs || outputs == 1 else {
      throw .sample(reason: "label \(label) is outside the network's \(outputs) classes")
    }
  }

  /// The same mixture with another share of the first sample; what is not a mixture stays as it is.
  func withShare(_ share: Float) -> TargetVector {
    var other = self
    switch target {
    case .mixed(let first, let second, _): other.target = .mixed(first, second, share: share)
    case .mixedValues(let first, let second, _): other.target = .mixedValues(first, second, share: share)
    case .label, .values: break
    }
    return other
  }

  subscript(index: Int) -> Double {
    switch target {
    case .label(let label): return element(label, index)
    case .mixed(let first, let second, let share):
      return Double(share) * element(first, index) + (1 - Double(share)) * element(second, index)
    case .values(let values): return Double(values[index])
    case .mixedValues(let first, let second, let share):
      return Double(share) * Double(first[index]) + (1 - Double(share)) * Double(second[index])
    }
  }

  private func element(_ label: Int32, _ index: Int) -> Double {
    outputs == 1 ? Double(label) : index == Int(label) ? 1 : 0
  }

  /// The classes of the target with their shares; nil for a vector.
  var classes: ClassTarget? {
    switch target {
    case .label, .mixed: ClassTarget(target)
    case .values, .mixedValues: nil
    }
  }

  /// The class with the largest share, of equal ones the first.
  var mainClass: Int {
    if let classes { return classes.main }
    var best = 0
    for index in 1..<max(1, outputs) where self[index] > self[best] { best = index }
    return best
  }
}

/// A target over classes: one class, or two with shares that add up to 1.
struct ClassTarget {
  let first: Int
  let second: Int
  /// The share of the first class; 1 where there is only one.
  let share: Double

  /// - Parameter target: one class, or a mixture of two; not a vector.
  init(_ target: SampleTarget) {
    switch target {
    case .label(let label): (first, second, share) = (Int(label), Int(label), 1)
    case .mixed(let one, let other, let part): (first, second, share) = (Int(one), Int(other), Double(part))
    case .values, .mixedValues: preconditionFailure("a vector is not a class")
    }
  }

  /// The class with the larger share.
  var main: Int { share >= 0.5 ? first : second }
}
