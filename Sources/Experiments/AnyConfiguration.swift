internal import Foundation
internal import Networks
internal import Paths
internal import Tensors

/// A configuration of either sort, as `convoy config` takes them.
public enum AnyConfiguration: Sendable {
  /// A training, which `convoy train` carries out.
  case training(LoadedConfiguration)
  /// A look into a trained network, which `convoy look run` carries out.
  case look(LookConfiguration)

  /// Reads a file as what it is: a look into a network where the file, or one that it extends, has a key `look`.
  ///
  /// - Throws: all errors at once, each with its place.
  public static func load(
    path: String, overrides: [Override] = []
  ) throws(ConfigurationErrors) -> AnyConfiguration {
    isLook(path, depth: 0)
      ? .look(try LookConfiguration.load(path: path, overrides: overrides.filter { $0.source == .option }))
      : .training(try ConfigurationFile.load(path: path, overrides: overrides))
  }

  /// Whether the file describes a look; false where it cannot be read, which the reader of trainings then reports.
  private static func isLook(_ path: String, depth: Int) -> Bool {
    guard depth < Inheritance.limit, let text = try? SourceText.read(path),
      let root = try? YAMLReader.read(text, path: path)
    else { return false }
    if LookSchema.lookEntry(root) != nil { return true }
    guard let base = root["extends"]?.scalarText, !base.isEmpty else { return false }
    let folder = SchemaDecoder.folder(of: path, workingDirectory: Folder.current)
    return isLook(
      SchemaDecoder.normalized(base.hasPrefix("/") ? base : "\(folder)/\(base)"), depth: depth + 1)
  }

  /// Every value as YAML, in the schema's order; it loads to the same from any folder.
  public var resolvedYAML: String {
    switch self {
    case .training(let loaded): loaded.resolvedYAML
    case .look(let look): look.resolvedYAML
    }
  }

  /// The same YAML with a comment behind each value that says where it comes from.
  public var annotatedYAML: String {
    switch self {
    case .training(let loaded): loaded.annotatedYAML
    case .look(let look): look.annotatedYAML
    }
  }

  /// The same values as JSON on one line with sorted keys.
  public var canonicalJSON: String {
    switch self {
    case .training(let loaded): loaded.canonicalJSON
    case .look(let look): look.canonicalJSON
    }
  }

  /// One line that describes a configuration without errors.
  public var summary: String {
    switch self {
    case .training(let loaded):
      "\(counted(loaded.network.layers.count, "layer")), \(counted(loaded.network.parameterCount, "parameter"))"
    case .look(let look): "a look into a network: \(look.kind)"
    }
  }
}
