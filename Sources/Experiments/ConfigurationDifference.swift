internal import Settings
internal import Training

/// A key whose value differs between two configurations.
public struct ConfigurationDifference: Hashable, Sendable, CustomStringConvertible {
  /// `training.optimizer.sgd.learning_rate`; layers stand by their names, `network.layers.conv2d.filters`.
  public let path: String
  /// The value as text; nil where the key does not exist, such as a setting of another optimizer.
  public let before: String?
  /// The value in the other configuration; nil where the key does not exist there.
  public let after: String?
  /// Whether a run can go on with the change and still give the bytes that it would have given.
  ///
  /// This holds for paths, memory, checkpoints and the name, and for another number of epochs where no schedule depends on it.
  public let keepsMeaning: Bool

  /// One line: `training.batch: 128 → 64`.
  public var description: String { "\(path): \(before ?? "(not there)") → \(after ?? "(not there)")" }
}

extension LoadedConfiguration {
  /// The keys whose values differ in `other`, in the order of the schema.
  public func differences(to other: LoadedConfiguration) -> [ConfigurationDifference] {
    let (left, right) = (leaves(of: values), leaves(of: other.values))
    let leftTexts = Dictionary(left.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    let rightTexts = Dictionary(right.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    let order = left.map(\.path) + right.map(\.path).filter { leftTexts[$0] == nil }
    let isStretched = isStretchedByEpochs || other.isStretchedByEpochs
    return order.compactMap { path in
      let (before, after) = (leftTexts[path], rightTexts[path])
      guard before?.text != after?.text else { return nil }
      let keepsMeaning =
        switch before?.change ?? after?.change ?? .meaning {
        case .meaning: false
        case .free: true
        // Whether a run has already gone further than it is asked to, its checkpoint knows.
        case .extend: !isStretched
        }
      return ConfigurationDifference(
        path: path, before: before?.text, after: after?.text, keepsMeaning: keepsMeaning)
    }
  }

  /// Everything that decides a run's numbers and differs from the schema's defaults, as sorted lines `key = value`.
  ///
  /// Left out are keys that may change when a run goes on: paths, memory, checkpoints, the name, and the number of epochs where no
  /// schedule depends on it. Two configurations with the same lines belong to the same run. Since defaults are left out, a key
  /// that a later version adds does not change the lines of older configurations.
  public var meaning: [String] {
    let usual = DerivedValues.usual(run, network).mapValues(\.flowText)
    return lines(of: values.withoutDefaults(.object(RunSchema.root))) { usual[$0.path] != $0.text }
  }

  /// The lines by which earlier versions named runs.
  ///
  /// They counted a default as another value where it was written out and followed from others, and that of `class_weights`.
  public var formerMeaning: [String] {
    var result = lines(of: written.withoutDefaults(.object(RunSchema.root))) { _ in true }
    for leaf in leaves(of: written) where leaf.path.hasSuffix(".class_weights") && leaf.text == "none" {
      guard let value = written.value(at: leaf.path), value.origin != .builtIn else { continue }
      result.append("\(leaf.path) = \(leaf.text)")
    }
    return result.sorted()
  }

  private func lines(
    of values: ResolvedValue, _ counts: (ConfigurationLeaf) -> Bool
  ) -> [String] {
    leaves(of: values).filter(counts).compactMap { leaf in
      switch leaf.change {
      case .meaning: "\(leaf.path) = \(leaf.text)"
      case .free: nil
      case .extend: isStretchedByEpochs ? "\(leaf.path) = \(leaf.text)" : nil
      }
    }.sorted()
  }

  /// Whether the learning rate falls over the whole run, so that a longer run has other steps.
  private var isStretchedByEpochs: Bool {
    run.training.schedule.curve.rule.isStretchedOverTraining
  }

  private func leaves(of values: ResolvedValue) -> [ConfigurationLeaf] {
    ConfigurationLeaf.all(of: values, RunSchema.root)
  }
}

extension ResolvedValue {
  /// The value on one line.
  var flowText: String { CanonicalYAML(isAnnotated: false).flow(self) }
}
