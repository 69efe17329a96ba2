internal import Foundation
public import Insight
internal import Paths
public import Settings

/// The configuration of a look into a trained network, complete and free of errors.
public struct LookConfiguration: Sendable {
  /// The look with all its settings; paths in it are absolute where a file names them.
  public let request: LookRequest
  /// The word that the look has in configurations.
  public let kind: String
  /// Every value, defaults included, with the place that it comes from.
  public let values: ResolvedValue

  /// The paths of all files that the configuration was read from or names.
  public var files: [String] { values.sources + values.paths }

  /// Every value as YAML, in the schema's order; it loads to the same look from any folder.
  public var resolvedYAML: String { CanonicalYAML(isAnnotated: false).text(values) }

  /// The same YAML with a comment behind each value that says where it comes from.
  public var annotatedYAML: String { CanonicalYAML(isAnnotated: true).text(values) }

  /// The same values as JSON on one line with sorted keys.
  public var canonicalJSON: String { values.json.text(isPretty: false) }

  /// Everything that decides the results, as lines `key = value`.
  ///
  /// Left out are keys that may change when a look goes on: the name, how often it saves, how many steps or frames there are.
  /// - Parameter range: what black and white are to the network, for where the configuration leaves them to it.
  public func meaning(_ range: PixelRange) -> [String] {
    let ends = [LookRequest.black.name: range.low, LookRequest.white.name: range.high]
    return ConfigurationLeaf.all(of: values, LookSchema.root).filter { $0.change == .meaning }
      .map { leaf in
        let end = leaf.text == LookRequest.automatic ? ends[leaf.path] : nil
        return "\(leaf.path) = \(end.map { Double($0).plainText } ?? leaf.text)"
      }
  }

  /// Reads a file and checks everything before any work is done.
  ///
  /// - Parameter overrides: texts `key.path=value`, applied in order.
  /// - Throws: all errors at once, each with its place.
  public static func load(
    path: String, overrides: [Override] = []
  ) throws(ConfigurationErrors) -> LookConfiguration {
    try load(text: try SourceText.read(path), path: path, overrides: overrides)
  }

  /// Reads a configuration from text.
  ///
  /// - Parameter path: names the text in messages; relative paths in the text count from its folder.
  /// - Throws: all errors at once, each with its place.
  public static func load(
    text: String, path: String, overrides: [Override] = []
  ) throws(ConfigurationErrors) -> LookConfiguration {
    let checked = try SourceText.decode(Array(text.utf8), path: path)
    let own = try YAMLReader.read(checked, path: path)
    if let section = own.entries?.first(where: { ["data", "network", "training"].contains($0.key) }),
      LookSchema.lookEntry(own) == nil
    {
      throw ConfigurationErrors(
        section.keyLocation, "this describes a training, not a look into a network; run it with convoy train")
    }
    let merged = try Inheritance(
      workingDirectory: Folder.current, schema: LookSchema.root,
      renamed: LookSchema.renamed
    ).resolve(own, path: path)
    var errors = ErrorCollector()
    let root = Overrides.apply(
      overrides.map(LookSchema.renamed), to: merged, schema: LookSchema.root, &errors)
    return try LookConfiguration(root, errors)
  }

  /// Reads and checks the values that files, overrides or options give.
  ///
  /// - Parameter errors: those found so far.
  init(_ root: ConfigurationNode, _ errors: ErrorCollector) throws(ConfigurationErrors) {
    var decoder = SchemaDecoder(
      workingDirectory: Folder.current, root: LookSchema.root)
    decoder.errors = errors
    let values = decoder.decode(root, .object(LookSchema.root), at: "")
    var errors = decoder.errors
    guard let values else { throw errors.sorted() }
    Self.checkRange(values, &errors)
    guard errors.isEmpty, let request = LookRequest.settings.value(of: values),
      let kind = values[LookRequest.look.name]?.kind
    else {
      if errors.isEmpty {
        errors.add(root.location, "cannot be made into a look; please report this configuration")
      }
      throw errors.sorted()
    }
    (self.request, self.kind, self.values) = (request, kind, values)
  }

  /// Checks that white is more than black, also in the 32 bits that pixels have.
  private static func checkRange(_ root: ResolvedValue, _ errors: inout ErrorCollector) {
    guard let black = root[LookRequest.black.name], let white = root[LookRequest.white.name],
      let low = black.number, let high = white.number, Float(low) >= Float(high)
    else { return }
    if white.origin == .builtIn {
      errors.add(
        black.origin, at: LookRequest.black.name,
        "found '\(low.plainText)', expected less than white, \(high.plainText)")
    } else {
      errors.add(
        white.origin, at: LookRequest.white.name,
        "found '\(high.plainText)', expected more than black, \(low.plainText)")
    }
  }
}
