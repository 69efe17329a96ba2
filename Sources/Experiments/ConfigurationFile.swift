internal import Foundation
public import Networks
internal import Paths
public import Settings
public import Training

/// A configuration that is complete and free of errors.
public struct LoadedConfiguration: Sendable {
  /// The path of the file, as it was given.
  public let path: String
  /// The run that the trainer carries out.
  public let run: RunConfiguration
  /// The network with all shapes.
  public let network: ResolvedNetwork
  /// Every value, defaults included, with the place that it comes from.
  public let values: ResolvedValue
  /// The same values without those that follow from others.
  let written: ResolvedValue
  /// What a sweep over this configuration varies; nil where there is no sweep.
  let sweep: SweepDefinition?

  /// The paths of all files that the configuration was read from or names.
  public var files: [String] { values.sources + values.paths }

  /// Whether the configuration also describes a family of runs.
  public var hasSweep: Bool { sweep != nil }
}

/// Reads configuration files.
public enum ConfigurationFile {
  /// Reads a file, the files that it extends, and overrides; checks everything before any data is touched.
  ///
  /// - Parameter overrides: texts `key.path=value`, applied in order; see `Configs/README.md` for short forms.
  /// - Throws: all errors at once, each with its place.
  public static func load(
    path: String, overrides: [Override] = []
  ) throws(ConfigurationErrors) -> LoadedConfiguration {
    try load(text: try SourceText.read(path), path: path, overrides: overrides)
  }

  /// Reads a configuration from text.
  ///
  /// - Parameter path: names the text in messages; relative paths in the text count from its folder, and a relative `path` counts
  ///   from the working directory.
  /// - Throws: all errors at once, each with its place.
  public static func load(
    text: String, path: String, overrides: [Override] = []
  ) throws(ConfigurationErrors) -> LoadedConfiguration {
    let merged = try Self.merged(text: text, path: path)
    var errors = ErrorCollector()
    let root = Overrides.apply(overrides, to: merged, &errors)
    return try load(root, path: path, errors)
  }

  /// A text's values, merged over those of the files that it extends.
  static func merged(text: String, path: String) throws(ConfigurationErrors) -> ConfigurationNode {
    let workingDirectory = Folder.current
    let checked = try SourceText.decode(Array(text.utf8), path: path)
    let own = try YAMLReader.read(checked, path: path)
    if let look = LookSchema.lookEntry(own), own["network"] == nil, own["training"] == nil {
      throw ConfigurationErrors(
        look.keyLocation, "this is a look into a trained network, not a training; run it with convoy look run"
      )
    }
    return try Inheritance(workingDirectory: workingDirectory).resolve(own, path: path)
  }

  /// Reads and checks the values that files and overrides give.
  ///
  /// - Parameter errors: those found so far.
  static func load(
    _ root: ConfigurationNode, path: String, _ errors: ErrorCollector
  ) throws(ConfigurationErrors) -> LoadedConfiguration {
    var errors = errors
    var decoder = SchemaDecoder(workingDirectory: Folder.current)
    decoder.errors = errors
    let values = decoder.decode(root, .object(RunSchema.root), at: "")
    errors = decoder.errors
    guard let values else { throw errors.sorted() }
    let network = CrossChecks(root: values, expansion: decoder.expansion).check(&errors)
    guard errors.isEmpty, let network, var run = RunBuilder.run(values, network: network.network) else {
      if errors.isEmpty {
        errors.add(.wholeFile(path: path), "cannot be made into a run; please report this configuration")
      }
      throw errors.sorted()
    }
    RunBuilder.derive(&run, values, network)
    return LoadedConfiguration(
      path: path, run: run, network: network, values: DerivedValues.fill(values, from: run), written: values,
      sweep: decoder.sweep)
  }
}
