import Foundation
import TestSupport
import Testing

@testable import Experiments

/// The JSON Schema, judged by Python's `jsonschema`, which editors' validators agree with.
@Suite(
  "JSON Schema",
  .enabled(
    if: SchemaValidator.python != nil,
    "needs Python with jsonschema 4 and yaml, such as the packages python3-jsonschema and python3-yaml"))
struct JSONSchemaTests {
  @Test("it is a sound schema that accepts the shipped configurations")
  func shipped() throws {
    let validator = try SchemaValidator(ConfigurationFile.jsonSchema)
    #expect(!Shipped.names.isEmpty)
    #expect(try validator.refused(Shipped.names.map(Shipped.text)).isEmpty)
  }

  @Test("that of looks accepts the shipped looks, and neither accepts the other's files")
  func looks() throws {
    let looks = try Shipped.lookNames.map(Shipped.text)
    let trainings = try Shipped.names.map(Shipped.text)
    #expect(!looks.isEmpty)
    let ofLooks = try SchemaValidator(LookConfiguration.jsonSchema)
    #expect(try ofLooks.refused(looks + trainings) == Set(looks.count..<looks.count + trainings.count))
    let ofTrainings = try SchemaValidator(ConfigurationFile.jsonSchema)
    #expect(try ofTrainings.refused(looks) == Set(looks.indices))
    let wrong = looks[0].replacing("\nlook:", with: "\nlooks:")
    #expect(try ofLooks.refused([wrong]) == [0])
  }

  /// What a schema cannot say, or its validator reads otherwise.
  private static let beyond: Set<String> = [
    // YAML 1.1 takes these for numbers, and a number that is none is neither too small nor too large.
    "digits in groups", "a time, which YAML would read in base sixty", "not a number", "infinity",
    "a fraction by zero",
    // In JSON a number is of any size.
    "a number that 32 bits do not hold",
    // A word that is no layer may be a block, and a block has keys of its own.
    "a layer as a bare word without what it requires", "an addition without inputs",
    "a value that does not suit a block", "a parameter that the block does not have",
  ]

  @Test("it refuses unknown keys, missing ones, words out of a choice and numbers outside their range")
  func broken() throws {
    let simple = /unknown key|is missing; it is|expected a (whole )?number|expected one of (?!them)/
    let cases = try BrokenConfiguration.all().filter { item in
      item.overrides.isEmpty && item.expected.allSatisfy { $0.contains(simple) }
        && !Self.beyond.contains(item.title)
    }
    #expect(cases.count >= 40)
    let refused = try SchemaValidator(ConfigurationFile.jsonSchema).refused(cases.map(\.text))
    #expect(cases.indices.filter { !refused.contains($0) }.map { cases[$0].title } == [])
  }

  @Test("it refuses a value of another kind than a key's, for keys of every kind")
  func kinds() throws {
    let base = try BrokenConfiguration.base()
    // What stands in the base, a right value in its place, and wrong ones.
    let changes: [(old: String, right: String, wrong: [String])] = [
      ("name: example", "name: other", ["name: 3", "name: [a]", "name: true"]),
      ("seed: 0", "seed: 7", ["seed: zero", "seed: 1.5", "seed: [1]", "seed: true"]),
      (
        "{file: a.h5, images: test/images", "{file: b.h5, images: other",
        ["{file: 3, images: other", "{file: b.h5, images: [a]"]
      ),
      ("input: [28, 28, 1]", "input: [32]", ["input: 28", "input: {a: 1}", "input: [a]"]),
      ("size: 2}", "size: [2, 3]}", ["size: big}", "size: true}", "size: [2, 3, 4]}", "size: [a, b]}"]),
      ("scale: 1/255", "scale: 0.5", ["scale: [1]", "scale: fast", "scale: true"]),
      (
        "activation: relu}\n    - max", "activation: elu}\n    - max",
        ["activation: 3}\n    - max", "activation: relus}\n    - max"]
      ),
      ("momentum: 0.9", "nesterov: true", ["nesterov: 1", "nesterov: often", "nesterov: [true]"]),
      ("momentum: 0.9", "momentum: 1/2", ["momentum: true", "momentum: much", "momentum: {a: 1}"]),
      ("epochs: 10", "epochs: 11", ["epochs: many", "epochs: 1.5", "epochs: {times: 3}"]),
      (
        "batch: 128", "batch: 128, patience: none",
        ["batch: 128, patience: often", "batch: 128, patience: true"]
      ),
      ("{last: 2, best: 1}", "{last: 3}", ["3", "[last]", "{last: [2]}"]),
      ("{epochs: 1}", "{minutes: 5}", ["5", "{minutes: soon}", "{epochs: 1, minutes: 5}"]),
    ]
    func text(_ old: String, _ new: String) throws -> String {
      try #require(base.contains(old), "\(old)")
      return base.replacing(old, with: new.replacing(", patience", with: "\n  patience"))
    }
    let right = try changes.map { try text($0.old, $0.right) }
    let wrong = try changes.flatMap { change in try change.wrong.map { try text(change.old, $0) } }
    let validator = try SchemaValidator(ConfigurationFile.jsonSchema)
    let refused = try validator.refused(right + wrong)
    #expect(right.indices.filter(refused.contains).map { right[$0] } == [])
    #expect(wrong.indices.filter { !refused.contains(right.count + $0) }.map { wrong[$0] } == [])
  }
}

/// A schema, and a Python that holds texts against it.
private struct SchemaValidator {
  /// A command that runs a Python with what is needed; nil where there is none.
  static let python: [String]? = [["/usr/bin/env", "python3"], ["/usr/bin/python3"]].first { command in
    let test = "import jsonschema, yaml; jsonschema.Draft202012Validator"
    return (try? run(command + ["-c", test]))?.status == 0
  }

  /// Prints for each file whether the schema accepts it; what is no YAML is refused.
  private static let script = """
    import json, sys
    import jsonschema, yaml
    schema = json.load(open(sys.argv[1]))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in sys.argv[2:]:
      try:
        print("accepted" if validator.is_valid(yaml.safe_load(open(path))) else "refused")
      except yaml.YAMLError:
        print("refused")
    """

  private let folder: TemporaryDirectory
  private let schema: String

  init(_ schema: String) throws {
    folder = try TemporaryDirectory()
    self.schema = try folder.write(schema, to: "schema.json")
  }

  /// Which of the texts the schema refuses.
  func refused(_ texts: [String]) throws -> Set<Int> {
    let files = try texts.enumerated().map { try folder.write($1, to: "\($0).yaml") }
    let (status, output) = try Self.run(
      try #require(Self.python) + ["-c", Self.script, schema] + files)
    let answers = output.split(separator: "\n")
    try #require(status == 0 && answers.count == texts.count, "\(output)")
    return Set(answers.indices.filter { answers[$0] == "refused" })
  }

  private static func run(_ command: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.runBounded()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }
}
