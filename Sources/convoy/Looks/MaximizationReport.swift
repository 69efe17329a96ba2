internal import Compute
internal import ImageFiles
internal import Insight
internal import Networks
internal import Reporting
internal import Tensors
internal import Training

/// The results of a maximisation, for people and machines.
struct MaximizationReport {
  let subject: Subject
  let maxima: [Maximum]
  /// The network's answer for each target's image; nil where it gives no vector.
  let outputs: [[Double]]?
  /// Filters and units that no image was found to activate.
  let silent: [Target]

  init(_ subject: Subject, _ maxima: [Maximum]) throws {
    self.subject = subject
    self.maxima = maxima
    outputs = subject.network.outputShape.rank == 1 ? try subject.outputs(of: maxima.map(\.image)) : nil
    silent = maxima.filter { maximum in
      if case .output = maximum.target { false } else { maximum.activation == 0 }
    }.map(\.target)
  }

  var title: String { "the images that excite each target most: \(maxima.count)" }

  private var probabilities: [[Double]]? { subject.criterion.givesProbabilities ? outputs : nil }

  var tiles: [PictureSheet.Tile] {
    maxima.enumerated().map { place, maximum in
      var second = NumberText.short(maximum.activation)
      if case .output(let index) = maximum.target, let probabilities {
        second += "  p \(NumberText.fixed(probabilities[place][index], 3))"
      }
      return PictureSheet.Tile(
        subject.oriented(subject.picture(maximum.image)), [maximum.target.drawnLabel(in: subject), second])
    }
  }

  var curveTiles: [PictureSheet.Tile] {
    maxima.map { PictureSheet.Tile(CurvePicture.draw($0.curve), [$0.target.drawnLabel(in: subject)]) }
  }

  var drawings: [(image: Image, caption: String)] { tiles.map { ($0.image, $0.labels[0]) } }

  /// Writes the contact sheets, single pictures and values.
  ///
  /// - Parameter settings: the settings, with every choice made.
  /// - Returns: the contents of the JSON file.
  func write(
    into folder: PictureFolder, name: FileName, settings: SettingsRecord
  ) throws -> MaximizationFindings {
    let sheet = try folder.write(PictureSheet(title: title, tiles: tiles).picture(), as: name)
    let curves = try folder.write(
      PictureSheet(title: "the objective at each step", tiles: curveTiles, scale: 1).picture(),
      as: "\(name)-curves")
    let targets = try maxima.enumerated().map { place, maximum in
      let word = maximum.target.name(in: subject)
      let file = try folder.write(subject.oriented(subject.picture(maximum.image)), as: "\(name)/\(word)")
      return MaximizationFindings.Target(
        target: word, label: maximum.target.label(in: subject), activation: maximum.activation,
        objective: maximum.objective, curve: maximum.curve, pixelSum: maximum.pixelSum,
        file: ResultPath(file), probabilities: probabilities?[place],
        values: probabilities == nil ? outputs?[place] : nil)
    }
    return MaximizationFindings(
      targets: targets, classes: outputs == nil ? nil : subject.classNames,
      silent: silent.map { $0.name(in: subject) },
      picture: ResultPath(sheet), curves: ResultPath(curves), settings: settings)
  }

  func lines(_ folder: PictureFolder, name: FileName) -> [String] {
    let terminal = TerminalOutput.standardOutput
    let path = "\(folder.path)/\(name.text)"
    return table.lines(width: terminal.tableWidth, unicode: terminal.hasUnicode)
      + [remark, "\(path).png", "\(path)-curves.png", "\(path).json"].compactMap(\.self)
  }

  /// Advice on targets that stay silent; nil where there are none.
  private var remark: String? {
    guard !silent.isEmpty else { return nil }
    let numbers = silent.map(\.number)
    let shown = numbers.prefix(20).joined(separator: ", ") + (numbers.count > 20 ? ", …" : "")
    return
      "no image was found that activates \(silent.count) of \(maxima.count): \(shown). They may never be active "
      + "(`convoy look examples` shows it); otherwise try the layer before a pool, concat or flatten, more --attempts, or another "
      + "--start"
  }

  private var table: Table {
    var heads = [
      Table.Column(maxima.first?.target.heading ?? "target"), Table.Column("at start", .trailing),
      Table.Column("activation", .trailing), Table.Column("sum |x|", .trailing),
    ]
    if probabilities != nil { heads += [Table.Column("seen as"), Table.Column("p", .trailing)] }
    var table = Table(heads)
    for (place, maximum) in maxima.enumerated() {
      var row = [
        maximum.target.entry(in: subject), NumberText.short(maximum.curve.first ?? 0),
        NumberText.short(maximum.activation), NumberText.fixed(maximum.pixelSum, 1),
      ]
      if let own = probabilities?[place] {
        let best = subject.mainOutput(of: own)
        row += [seen(own, best), NumberText.fixed(own[best], 4)]
      }
      table.add(row)
    }
    return table
  }

  /// The most probable class, or all labels that the image is taken to have.
  private func seen(_ probabilities: [Double], _ best: Int) -> String {
    guard subject.criterion.task == .labels else { return subject.classNames[best] }
    let taken = zip(subject.classNames, probabilities).filter { $1 > 0.5 }.map(\.0)
    return taken.isEmpty ? "none" : taken.joined(separator: ", ")
  }
}

extension Target {
  /// The heading of a table's column of ``entry(in:)``.
  fileprivate var heading: String {
    switch self {
    case .filter(let layer, _): "filter of \(layer)"
    case .neuron(let layer, _): "unit of \(layer)"
    case .output: "target"
    }
  }

  /// The target's entry where its layer is known: a number, or an output's name.
  fileprivate func entry(in subject: Subject) -> String {
    if case .output = self { label(in: subject) } else { number }
  }

  fileprivate var number: String {
    switch self {
    case .filter(_, let index), .neuron(_, let index), .output(let index): "\(index)"
    }
  }
}

/// The images that excite targets most.
struct MaximizationFindings: Encodable {
  struct Target: Encodable {
    let target: String
    let label: String
    let activation: Double
    let objective: Double
    /// The objective before each step, and at the end.
    let curve: [Double]
    let pixelSum: Double
    let file: ResultPath
    /// The image's probability of each class or label; left out for networks without probabilities.
    let probabilities: [Double]?
    /// The outputs of a network that gives numbers.
    let values: [Double]?
  }

  let targets: [Target]
  /// The names of the outputs; left out where the network gives no vector.
  let classes: [String]?
  /// Filters and units that no image was found to activate.
  let silent: [String]
  let picture: ResultPath
  let curves: ResultPath
  let settings: SettingsRecord
}
