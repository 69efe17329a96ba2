internal import ArgumentParser
internal import Experiments
internal import Insight
internal import Settings

/// Makes images that excite filters, units or classes most.
struct LookMaximizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "maximize",
    abstract: "Activation maximisation: make images that excite filters, units or classes most.",
    discussion: """
      Gradient ascent on an image, with the network's parameters fixed. A filter's activation is the sum over its map, a \
      class's is its output before softmax or sigmoid. Pixels go from 0 (black) to 1 (white) everywhere, also in --rate and \
      the penalties. With --l1, images below 64 pixels are made pixel by pixel, and stay black wherever a pixel is not \
      needed.

        convoy look maximize Results/fashion-mnist/RUN --layer conv2d_1
        convoy look maximize Results/fashion-mnist/RUN --classes all --l1 0.1
        convoy look maximize Results/fashion-mnist/RUN --layer dense --neurons 0-19 --blur 0.5
      """)

  @OptionGroup var options: LookOptions
  @OptionGroup var targets: TargetOptions
  @OptionGroup var ascent: AscentOptions
  @OptionGroup var seed: SeedOption
  @OptionGroup var pictures: PictureOptions
  @OptionGroup var sampling: SampleFitOption

  func run() throws {
    try options.perform(
      MaximizeLook.kind, targets.flags + ascent.flags, request: [seed.seed] + pictures.flags + [sampling.fit])
  }
}

/// The targets of a maximisation.
struct TargetOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A layer; --filters or --neurons choose some of it.", valueName: "name"))
  var layer: String?

  @Option(help: ArgumentHelp("Filters of the layer.", valueName: "0,5,10-12|all"))
  var filters: String?
  @Option(name: .customLong("filter"), help: .hidden) var filter: String?

  @Option(help: ArgumentHelp("Units of a dense layer.", valueName: "0,5,10-12|all"))
  var neurons: String?
  @Option(name: .customLong("neuron"), help: .hidden) var neuron: String?

  @Option(
    help: ArgumentHelp(
      "Outputs before softmax or sigmoid, by name or number, separated by commas.", valueName: "class,…|all"))
  var classes: String?
  @Option(name: .customLong("class"), help: .hidden) var formerClasses: String?

  func validate() throws {
    let parts = [filters ?? filter, neurons ?? neuron].compactMap(\.self)
    let isByClass = (classes ?? formerClasses) != nil
    guard layer != nil || parts.isEmpty else { throw ValidationError("--filters and --neurons need --layer") }
    guard !isByClass || layer == nil else {
      throw ValidationError("name either --layer or --classes, not both")
    }
    guard parts.count < 2 else { throw ValidationError("name either --filters or --neurons, not both") }
    guard isByClass || layer != nil else {
      throw ValidationError("name what to maximise: --layer (with --filters or --neurons) or --classes")
    }
  }

  var flags: [SettingFlag?] {
    typealias Kinds = TargetChoice.Kinds
    return named(layer, "layer", [Kinds.layer.name], unless: filters ?? filter ?? neurons ?? neuron)
      + part(filters, "filters", Kinds.filters.name) + part(filter, "filter", Kinds.filters.name)
      + part(neurons, "neurons", Kinds.neurons.name) + part(neuron, "neuron", Kinds.neurons.name)
      + named(classes, "classes", [Kinds.classes.name, ClassChoice.which.name])
      + named(formerClasses, "class", [Kinds.classes.name, ClassChoice.which.name])
  }

  /// Some filters or units of the layer.
  private func part(_ text: String?, _ option: String, _ kind: String) -> [SettingFlag?] {
    text == nil
      ? []
      : named(layer, "layer", [kind, LayerPart.layer.name])
        + named(text, option, [kind, LayerPart.which.name])
  }

  private func named(
    _ text: String?, _ option: String, _ keys: [String], unless other: String? = nil
  ) -> [SettingFlag?] {
    guard let text, other == nil else { return [] }
    return [SettingFlag([MaximizeLook.target.name] + keys, option: "--\(option)", text: text)]
  }
}

/// The settings of an ascent.
struct AscentOptions: ParsableArguments {
  @Option(AscentSettings.steps) var steps: SettingFlag?
  @Option(AscentSettings.rule) var optimizer: SettingFlag?
  @Option(AscentSettings.rate) var rate: SettingFlag?
  @Option(AscentSettings.l1) var l1: SettingFlag?
  @Option(AscentSettings.l2) var l2: SettingFlag?
  @Option(AscentSettings.totalVariation) var totalVariation: SettingFlag?
  @Option(AscentSettings.parameterization) var parameterization: SettingFlag?
  @Option(AscentSettings.jitter) var jitter: SettingFlag?
  @Option(AscentSettings.scale) var scale: SettingFlag?
  @Option(AscentSettings.rotation) var rotation: SettingFlag?
  @Option(AscentSettings.blur) var blur: SettingFlag?
  @Option(AscentSettings.blurEvery) var blurEvery: SettingFlag?
  @Option(AscentSettings.start) var start: SettingFlag?
  @Option(AscentSettings.warmUp) var warmUp: SettingFlag?
  @Option(AscentSettings.attempts) var attempts: SettingFlag?

  @Option(former: "tv", AscentSettings.totalVariation) var tv: SettingFlag?
  @Option(former: "rotate", AscentSettings.rotation) var rotate: SettingFlag?

  var flags: [SettingFlag?] {
    [
      steps, optimizer, rate, l1, l2, tv, totalVariation, parameterization, jitter, scale, rotate, rotation,
      blur, blurEvery, start.map(inBritishEnglish), warmUp, attempts,
    ]
  }

  /// Takes `gray` for `grey`, as always.
  private func inBritishEnglish(_ start: SettingFlag) -> SettingFlag {
    start.text == "gray" ? SettingFlag(start.path, option: start.option, text: "grey") : start
  }
}
