internal import Foundation

/// A configuration that looks into a trained network, complete and free of errors.
public struct InsightConfiguration: Sendable {
  public enum Target: Hashable, Sendable {
    case filters(layer: String, which: String)
    case neurons(layer: String, which: String)
    case classes(which: String)
  }

  /// Values of a job `maximize`; nil where the configuration leaves a choice to the program.
  public struct Maximize: Hashable, Sendable {
    public let target: Target
    public let steps: Int
    public let optimizer: String
    public let rate: Double?
    public let l1: Double
    public let l2: Double
    public let totalVariation: Double
    public let jitter: Int
    public let blur: Double
    public let start: String
    public let parameterization: String
    public let warmUp: Int?
    public let attempts: Int
  }

  public enum Job: Hashable, Sendable {
    case maximize(Maximize)
  }

  public let name: String
  public let seed: UInt64
  /// An absolute path.
  public let checkpoint: String
  public let black: Double
  public let white: Double
  public let job: Job
  /// Every value, defaults included.
  public let values: ResolvedValue

  /// Every value as YAML, in the schema's order.
  public var text: String { CanonicalYAML(isAnnotated: false).text(values) }

  /// Reads a file and checks everything before anything is done.
  ///
  /// - Throws: all errors at once, each with its place.
  public static func load(path: String) throws(ConfigurationErrors) -> InsightConfiguration {
    let source = try SourceText.read(path)
    let checked = try SourceText.decode(Array(source.utf8), path: path)
    let root = try YAMLReader.read(checked, path: path)
    var decoder = SchemaDecoder(workingDirectory: FileManager.default.currentDirectoryPath)
    let values = decoder.decode(root, .object(InsightSchema.root), at: "")
    guard decoder.errors.isEmpty, let values, let result = InsightConfiguration(values) else {
      var errors = decoder.errors
      if errors.isEmpty {
        errors.add(.wholeFile(path: path), "cannot be made into a job; please report this configuration")
      }
      throw errors.sorted()
    }
    guard result.black < result.white else {
      var errors = decoder.errors
      errors.add(.wholeFile(path: path), "black: \(result.black) must be below white, \(result.white)")
      throw errors.sorted()
    }
    return result
  }

  private init?(_ root: ResolvedValue) {
    guard let name = root["name"]?.text, let seed = root["seed"]?.integer,
      let checkpoint = root["checkpoint"]?.text, let black = root["black"]?.number,
      let white = root["white"]?.number, let maximize = root["job"]?.payload.flatMap(Self.maximize)
    else { return nil }
    self.name = name
    self.seed = UInt64(seed)
    self.checkpoint = checkpoint
    self.black = black
    self.white = white
    job = .maximize(maximize)
    values = root
  }

  private static func maximize(_ value: ResolvedValue) -> Maximize? {
    guard let target = value["target"].flatMap(target), let steps = value["steps"]?.integer,
      let optimizer = value["optimizer"]?.text, let l1 = value["l1"]?.number, let l2 = value["l2"]?.number,
      let variation = value["total_variation"]?.number, let jitter = value["jitter"]?.integer,
      let blur = value["blur"]?.number, let start = value["start"]?.text,
      let parameterization = value["parameterization"]?.text, let attempts = value["attempts"]?.integer
    else { return nil }
    return Maximize(
      target: target, steps: steps, optimizer: optimizer, rate: value["rate"]?.number, l1: l1, l2: l2,
      totalVariation: variation, jitter: jitter, blur: blur, start: start, parameterization: parameterization,
      warmUp: value["warm_up"]?.integer, attempts: attempts)
  }

  private static func target(_ value: ResolvedValue) -> Target? {
    guard let which = value["which"]?.text else { return nil }
    switch value.kind {
    case "filters": return value["layer"]?.text.map { .filters(layer: $0, which: which) }
    case "neurons": return value["layer"]?.text.map { .neurons(layer: $0, which: which) }
    case "classes": return .classes(which: which)
    default: return nil
    }
  }
}
