internal import ArgumentParser
internal import Insight

/// Makes images that excite filters, units or classes most.
struct VisualizeMaximizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "maximize",
    abstract: "Activation maximisation: images that excite filters, units or classes most.",
    discussion: """
      Gradient ascent on the pixels, with the network's parameters fixed. A filter's activation is the sum over its map, a \
      class's is its output before softmax. Pixels are counted from 0 (black) to 1 (white) everywhere, in --rate and the \
      penalties too. With --l1, digits look like digits.

        convoy visualize maximize Results/fashion-mnist/RUN --layer conv2d_1
        convoy visualize maximize Results/fashion-mnist/RUN --class all --l1 0.1
        convoy visualize maximize Results/fashion-mnist/RUN --layer dense --neuron 0-19 --blur 0.5
      """)

  @OptionGroup var options: InsightOptions
  @OptionGroup var targets: TargetOptions
  @OptionGroup var ascent: AscentOptions

  func run() throws {
    try options.perform(
      MaximizeLook(target: try targets.choice(), ascent: ascent.settings, start: ascent.startImage))
  }
}

/// What is to be maximised.
struct TargetOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A layer; with --filter or --neuron.", valueName: "name"))
  var layer: String?

  @Option(help: ArgumentHelp("Filters of the layer; all by default.", valueName: "0,5,10-12|all"))
  var filter: String?

  @Option(help: ArgumentHelp("Units of a dense layer.", valueName: "0,5,10-12|all"))
  var neuron: String?

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp(
      "Outputs before softmax, by name or number, separated by commas.", valueName: "class|all"))
  var classes: String?

  func validate() throws {
    guard layer != nil || (filter == nil && neuron == nil) else {
      throw ValidationError("--filter and --neuron need --layer")
    }
    guard classes == nil || layer == nil else { throw ValidationError("name either --layer or --class") }
    guard filter == nil || neuron == nil else { throw ValidationError("name either --filter or --neuron") }
    guard classes != nil || layer != nil else {
      throw ValidationError("say what to maximise: --layer (with --filter or --neuron) or --class")
    }
  }

  func choice() throws -> TargetChoice {
    guard let layer else { return .classes(named: classes ?? "all") }
    if filter != nil { return .filters(layer: layer, try NumberList(option: "--filter", filter)) }
    if neuron != nil { return .neurons(layer: layer, try NumberList(option: "--neuron", neuron)) }
    return .layer(layer)
  }
}

extension NumberList {
  /// - Throws: ``CommandError`` that names the option.
  init(option: String, _ text: String?) throws {
    do { try self.init(text ?? "all") } catch { throw CommandError.usage("\(option): \(error)") }
  }
}

/// Words of options for what the library knows.
enum RuleName: String, ExpressibleByArgument, CaseIterable {
  case adam
  case sgd

  var rule: AscentRule { self == .adam ? .adam : .sgd }
}

enum ParameterizationName: String, ExpressibleByArgument, CaseIterable {
  case pixels
  case sigmoid
  case fourier

  var parameterization: ImageParameterization? { ImageParameterization(rawValue: rawValue) }
}

/// How an ascent goes.
struct AscentOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Steps for each target.", valueName: "n"))
  var steps = 200

  @Option(help: "adam, or sgd with the gradient normalised.")
  var optimizer = RuleName.adam

  @Option(help: ArgumentHelp("Step size; 0.05 for adam and 0.02 for sgd by default.", valueName: "r"))
  var rate: Double?

  @Option(help: ArgumentHelp("Subtract this times the sum of |x|.", valueName: "lambda"))
  var l1 = 0.0

  @Option(help: ArgumentHelp("Subtract this times the sum of (x - 0.5)².", valueName: "lambda"))
  var l2 = 0.0

  @Option(help: ArgumentHelp("Subtract this times the total variation.", valueName: "lambda"))
  var tv = 0.0

  @Option(
    help: ArgumentHelp(
      "Shift the image by up to this many pixels before each step; 0 by default, and 8 for images of 64 pixels and more.",
      valueName: "pixels"))
  var jitter: Int?

  @Option(
    help: ArgumentHelp(
      "Show the image larger or smaller by up to this; 0 by default, and 0.1 for images of 64 pixels and more.",
      valueName: "share"))
  var scale: Double?

  @Option(
    help: ArgumentHelp(
      "Turn the image by up to this before each step; 0 by default, and 5 for images of 64 pixels and more.",
      valueName: "degrees"))
  var rotate: Double?

  @Option(
    help: ArgumentHelp("Blur every fourth step, with this standard deviation in pixels.", valueName: "sigma"))
  var blur = 0.0

  @Option(help: ArgumentHelp("Where to start.", valueName: "noise|grey|black|image.png"))
  var start = "noise"

  @Option(
    help: ArgumentHelp(
      "pixels: held in 0...1 after each step; sigmoid: never at the ends; fourier: waves in decorrelated colours. By default "
        + "pixels, and fourier for images of 64 pixels and more."))
  var parameterization: ParameterizationName?

  @Option(help: ArgumentHelp("Of the noise and the jitter.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "First steps in which a filter's sums are raised before its activation cuts them off; half by default.",
      valueName: "n"))
  var warmUp: Int?

  @Option(
    help: ArgumentHelp(
      "Tries from other noise, every second one without warm-up; the best image counts.", valueName: "n"))
  var attempts = 2

  func validate() throws {
    guard (1...1_000_000).contains(steps) else {
      throw ValidationError("--steps takes 1 to 1000000, not \(steps)")
    }
    if let rate, !(rate > 0 && rate.isFinite) {
      throw ValidationError("--rate takes a number above 0, not \(rate)")
    }
    for (name, value) in [("l1", l1), ("l2", l2), ("tv", tv)] where !(value >= 0 && value.isFinite) {
      throw ValidationError("--\(name) takes a number from 0, not \(value)")
    }
    guard (0...1000).contains(jitter ?? 0), (0...0.9).contains(scale ?? 0), (0...180).contains(rotate ?? 0)
    else {
      throw ValidationError("--jitter takes 0 to 1000, --scale 0 to 0.9, --rotate 0 to 180")
    }
    guard (1...100).contains(attempts) else {
      throw ValidationError("--attempts takes 1 to 100, not \(attempts)")
    }
    if let warmUp, warmUp < 0 { throw ValidationError("--warm-up takes 0 or more, not \(warmUp)") }
    guard blur >= 0, blur <= 50 else { throw ValidationError("--blur takes 0 to 50, not \(blur)") }
  }

  /// But for an image to start from.
  var settings: AscentSettings {
    let begin: ImageStart =
      switch start {
      case "grey", "gray": .grey
      case "black": .black
      default: .noise
      }
    return AscentSettings(
      steps: steps, rule: optimizer.rule, rate: rate, prior: ImagePrior(l1: l1, l2: l2, totalVariation: tv),
      parameterization: parameterization?.parameterization, start: begin, jitter: jitter, scale: scale,
      rotation: rotate,
      blur: blur, seed: seed, warmUp: warmUp, attempts: attempts)
  }

  var startImage: ImageSource? {
    ["noise", "grey", "gray", "black"].contains(start) ? nil : ImageSource(start)
  }
}
