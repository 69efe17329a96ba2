internal import Foundation
public import Insight
public import Settings

/// A configuration that looks into a trained network, complete and free of errors.
public struct InsightConfiguration: Sendable {
  /// The file as it was given.
  public let path: String
  public let name: String
  public let seed: UInt64
  /// An absolute path.
  public let checkpoint: String
  public let range: PixelRange
  public let look: Look
  /// The word that the job has in configurations.
  public let kind: String
  /// Every value, defaults included, with the place that it comes from.
  public let values: ResolvedValue

  /// Every value as YAML, in the schema's order; it loads to the same look from any folder.
  public var resolvedYAML: String { CanonicalYAML(isAnnotated: false).text(values) }

  /// The same with a comment behind each value that says where it comes from.
  public var annotatedYAML: String { CanonicalYAML(isAnnotated: true).text(values) }

  /// The same as JSON on one line with sorted keys.
  public var canonicalJSON: String { values.json.text(isPretty: false) }

  /// What decides the results, a line `key = value` each.
  ///
  /// Left out is what a look can go on with when it changes: the name, how often it saves, how many steps or frames there are.
  public var meaning: [String] {
    ConfigurationLeaf.all(of: values, InsightSchema.root).filter { $0.change == .meaning }
      .map { "\($0.path) = \($0.text)" }
  }

  /// Reads a file and checks everything before anything is done.
  ///
  /// - Parameter overrides: `key.path=value`, applied in order.
  /// - Throws: all errors at once, each with its place.
  public static func load(
    path: String, overrides: [Override] = []
  ) throws(ConfigurationErrors) -> InsightConfiguration {
    try load(text: try SourceText.read(path), path: path, overrides: overrides)
  }

  /// Reads a configuration from text.
  ///
  /// - Parameter path: names the text in messages, and decides what relative paths in it count from.
  public static func load(
    text: String, path: String, overrides: [Override] = []
  ) throws(ConfigurationErrors) -> InsightConfiguration {
    let workingDirectory = FileManager.default.currentDirectoryPath
    let checked = try SourceText.decode(Array(text.utf8), path: path)
    let own = try YAMLReader.read(checked, path: path)
    if let section = own.entries?.first(where: { ["data", "network", "training"].contains($0.key) }),
      own["job"] == nil
    {
      throw ConfigurationErrors(
        section.keyLocation, "this describes a training and no look into a network; convoy train takes it")
    }
    let merged = try Inheritance(workingDirectory: workingDirectory, schema: InsightSchema.root)
      .resolve(own, path: path)
    var errors = ErrorCollector()
    let root = Overrides.apply(overrides, to: merged, schema: InsightSchema.root, &errors)
    var decoder = SchemaDecoder(workingDirectory: workingDirectory, root: InsightSchema.root)
    decoder.errors = errors
    let values = decoder.decode(root, .object(InsightSchema.root), at: "")
    errors = decoder.errors
    guard let values else { throw errors.sorted() }
    InsightChecks.check(values, &errors)
    guard errors.isEmpty, let result = InsightConfiguration(values, path: path) else {
      if errors.isEmpty {
        errors.add(.wholeFile(path: path), "cannot be made into a job; please report this configuration")
      }
      throw errors.sorted()
    }
    return result
  }

  private init?(_ root: ResolvedValue, path: String) {
    guard let name = root["name"]?.text, let seed = root["seed"]?.integer,
      let checkpoint = root["checkpoint"]?.text, let black = root["black"]?.number,
      let white = root["white"]?.number, let job = root["job"], let kind = job.kind,
      let look = LookBuilder(seed: UInt64(seed), large: root["large_images"]?.boolean ?? false).look(job)
    else { return nil }
    self.path = path
    self.name = name
    self.seed = UInt64(seed)
    self.checkpoint = checkpoint
    range = PixelRange(low: Float(black), high: Float(white))
    self.look = look
    self.kind = kind
    values = root
  }
}

/// What must hold between the values of a look, beyond what the schema says of each.
private enum InsightChecks {
  static func check(_ root: ResolvedValue, _ errors: inout ErrorCollector) {
    if let black = root["black"], let white = root["white"], let low = black.number, let high = white.number,
      low >= high
    {
      errors.add(white.origin, "white: found '\(high.plainText)', expected more than black, \(low.plainText)")
    }
    guard let job = root["job"], let kind = job.kind, let values = job.payload else { return }
    numbers(values["which"], "job.\(kind).which", &errors)
    if let target = values["target"], let word = target.kind, word != "classes" {
      numbers(target.payload?["which"], "job.\(kind).target.\(word).which", &errors)
    }
  }

  private static func numbers(_ value: ResolvedValue?, _ path: String, _ errors: inout ErrorCollector) {
    guard let value, let text = value.text else { return }
    do { _ = try NumberList(text) } catch { errors.add(value.origin, "\(path): \(error)") }
  }
}
