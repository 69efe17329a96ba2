internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Networks
internal import Training

/// Checks, shows and compares configurations.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Check, show and compare configurations.",
    discussion: "Configs/README.md explains every key.",
    subcommands: [Check.self, Show.self, Diff.self, Schema.self, Reference.self])
}

/// The arguments that name a configuration.
struct ConfigurationArguments: ParsableArguments {
  @Argument(help: "A YAML configuration.", completion: .file(extensions: ["yaml", "yml"]))
  var config: String

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Override a value, such as training.epochs=3 or learning_rate=0.1.", valueName: "key=value"))
  var overrides: [String] = []

  @OptionGroup var plugIns: PlugInsOption

  /// The overrides of the environment and then those of the command line, which have the last word.
  var settings: [Override] {
    Override.all(options: overrides, environment: ProcessInfo.processInfo.environment)
  }

  /// Warns of values that a training has from neither its file nor the command line.
  func warnOfEnvironment() {
    for setting in settings where setting.source == .environment {
      TerminalOutput.warn("\(Override.variable) overrides the file with \(setting.text)")
    }
  }
}

extension ConfigCommand {
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check configurations and print all errors in them.",
      discussion:
        "If a training's data exists, its shapes and labels are checked against the network, too.")

    @Argument(help: "YAML configurations.", completion: .file(extensions: ["yaml", "yml"]))
    var configs: [String]

    @Option(
      name: .customLong("set"), parsing: .singleValue,
      help: ArgumentHelp("Override a value in each of them.", valueName: "key=value"))
    var overrides: [String] = []

    @OptionGroup var plugIns: PlugInsOption

    @Flag(help: "Print a JSON list.")
    var json = false

    func run() throws {
      let settings = Override.all(options: overrides, environment: ProcessInfo.processInfo.environment)
      var errors: [ConfigurationError] = []
      var isMissingFile = false
      var unfit: [(status: ExitStatus, text: String)] = []
      var checked: [CheckedConfiguration] = []
      for path in configs {
        do {
          let loaded = try AnyConfiguration.load(path: path, overrides: settings)
          switch Self.data(of: loaded) {
          case .success(let known):
            let summary = loaded.summary + known
            checked.append(CheckedConfiguration(path: path, correct: true, summary: summary, errors: []))
            if !json { print("\(path): correct; \(summary)") }
          case .failure(let problem):
            checked.append(
              CheckedConfiguration(path: path, correct: false, summary: nil, errors: ["\(problem)"]))
            unfit.append((problem.status, "\(path): \(problem)"))
          }
        } catch {
          checked.append(
            CheckedConfiguration(
              path: path, correct: false, summary: nil, errors: error.errors.map { "\($0)" }))
          errors += error.errors
          isMissingFile = isMissingFile || error.isMissingFile
        }
      }
      if json { print(try ResultJSON.text(checked)) }
      let wrong = ConfigurationErrors(errors, isMissingFile: isMissingFile)
      guard let first = unfit.first else {
        if !errors.isEmpty { throw wrong }
        return
      }
      throw SeveralErrors(
        status: errors.isEmpty ? first.status : ExitStatus(wrong) ?? .configuration,
        lines: errors.map(\.description) + unfit.map(\.text))
    }

    /// What is known of a training's data where it exists, for the end of a line, or the error in it.
    private static func data(of loaded: AnyConfiguration) -> Result<String, CommandError> {
      guard case .training(let training) = loaded else { return .success("") }
      if let text = training.network.warning(ofOutputFor: training.run.criterion(of: training.network)) {
        TerminalOutput.warn(text)
      }
      do {
        let outlook = try training.run.dataOutlook(for: training.network)
        let start = try training.run.startOutlook(for: training.network)
        if let text = start.warning { TerminalOutput.warn(text) }
        let found = [outlook.summary, outlook.stagingNote, outlook.nameNote, start.summary].compactMap {
          $0.map { "; \($0)" }
        }
        .joined()
        let missing = (outlook.missing + (start.missing.map { [$0] } ?? [])).joined(separator: ", ")
        return .success(missing.isEmpty ? found : "\(found); not there yet: \(missing)")
      } catch { return .failure(CommandError(ExitStatus(error) ?? .internalError, "\(error)")) }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show the whole configuration, and where each value comes from.")

    @OptionGroup var arguments: ConfigurationArguments

    @Flag(help: "Print the configuration without comments, as a run keeps it.")
    var resolved = false

    @Flag(help: "Print the configuration as JSON on one line.")
    var json = false

    func run() throws {
      let loaded = try AnyConfiguration.load(path: arguments.config, overrides: arguments.settings)
      if json {
        print(loaded.canonicalJSON)
      } else {
        print(resolved ? loaded.resolvedYAML : loaded.annotatedYAML, terminator: "")
      }
    }
  }

  struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the JSON Schema of configurations, for editors.")

    @Flag(
      help:
        "Print the schema of looks into a network, for `convoy look run`, instead of the schema of trainings."
    )
    var look = false

    func run() throws {
      print(look ? LookConfiguration.jsonSchema : ConfigurationFile.jsonSchema, terminator: "")
    }
  }

  struct Reference: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print tables of all keys, as in Configs/README.md.")

    func run() throws { print(ConfigurationFile.reference, terminator: "") }
  }

  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show the keys whose values differ between two configurations.",
      discussion: "A change marked 'keeps the run' can be made to a run that is then resumed.")

    @Argument(help: "A YAML configuration.", completion: .file(extensions: ["yaml", "yml"]))
    var first: String

    @Argument(help: "Another one.", completion: .file(extensions: ["yaml", "yml"]))
    var second: String

    @Flag(help: "Print a JSON list.")
    var json = false

    func run() throws {
      let left = try ConfigurationFile.load(path: first)
      let right = try ConfigurationFile.load(path: second)
      let differences = left.differences(to: right)
      if json { return print(try ResultJSON.text(differences.map(DifferingKey.init))) }
      if differences.isEmpty { print("no differences") }
      for difference in differences {
        print("\(difference)\(difference.keepsMeaning ? "  (keeps the run)" : "")")
      }
    }
  }
}
