internal import ImageFiles
internal import Insight
internal import Networks
internal import Reporting
internal import Tensors

/// What a maximisation found, for people and machines.
struct MaximizationReport {
  let subject: Subject
  let maxima: [Maximum]
  /// The probability of each class, target by target; nil where the network's output is no vector of classes.
  let probabilities: [[Double]]?

  init(_ subject: Subject, _ maxima: [Maximum]) throws {
    self.subject = subject
    self.maxima = maxima
    probabilities =
      subject.network.outputShape.rank == 1 ? try subject.probabilities(of: maxima.map(\.image)) : nil
  }

  var title: String { "what excites each most: \(maxima.count) images" }

  var tiles: [PictureSheet.Tile] {
    maxima.enumerated().map { place, maximum in
      var second = NumberText.short(maximum.activation)
      if case .output(let index) = maximum.target, let probabilities {
        second += "  p \(NumberText.fixed(probabilities[place][index], 3))"
      }
      return PictureSheet.Tile(
        subject.picture(maximum.image), [maximum.target.label(in: subject), second])
    }
  }

  var curveTiles: [PictureSheet.Tile] {
    maxima.map { PictureSheet.Tile(CurvePicture.draw($0.curve), [$0.target.label(in: subject)]) }
  }

  var drawings: [(image: Image, caption: String)] { tiles.map { ($0.image, $0.labels[0]) } }

  /// Writes the contact sheets, single pictures and values.
  ///
  /// - Parameter settings: with everything chosen.
  /// - Returns: what stands in the JSON file.
  func write(
    into folder: PictureFolder, name: String, settings: SettingsRecord
  ) throws -> MaximizationFindings {
    let sheet = try folder.write(PictureSheet(title: title, tiles: tiles).picture(), as: name)
    let curves = try folder.write(
      PictureSheet(title: "the objective, step by step", tiles: curveTiles, scale: 1).picture(),
      as: "\(name)-curves")
    let targets = try maxima.enumerated().map { place, maximum in
      let word = maximum.target.name(in: subject)
      let file = try folder.write(subject.picture(maximum.image), as: "\(name)/\(word)")
      return MaximizationFindings.Target(
        target: word, label: maximum.target.label(in: subject), activation: maximum.activation,
        objective: maximum.objective, curve: maximum.curve, pixelSum: maximum.pixelSum,
        file: ResultPath(file), probabilities: probabilities?[place])
    }
    return MaximizationFindings(
      targets: targets, classes: probabilities == nil ? nil : subject.classNames,
      picture: ResultPath(sheet), curves: ResultPath(curves), settings: settings)
  }

  func text(_ folder: PictureFolder, name: String) -> String {
    let terminal = TerminalOutput.standardOutput
    return table(columns: terminal.columns, unicode: terminal.hasUnicode)
      + "\(folder.path)/\(name).png\n\(folder.path)/\(name)-curves.png\n\(folder.path)/\(name).json"
  }

  func table(columns: Int, unicode: Bool) -> String {
    var heads = [
      Table.Column("target"), Table.Column("at start", .trailing), Table.Column("activation", .trailing),
      Table.Column("sum |x|", .trailing),
    ]
    if probabilities != nil { heads += [Table.Column("seen as"), Table.Column("p", .trailing)] }
    var table = Table(heads)
    for (place, maximum) in maxima.enumerated() {
      var row = [
        maximum.target.label(in: subject), NumberText.short(maximum.curve.first ?? 0),
        NumberText.short(maximum.activation), NumberText.fixed(maximum.pixelSum, 1),
      ]
      if let own = probabilities?[place] {
        let best = own.indices.reduce(0) { own[$1] > own[$0] ? $1 : $0 }
        row += [subject.classNames[best], NumberText.fixed(own[best], 4)]
      }
      table.add(row)
    }
    return table.text(width: columns, unicode: unicode)
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
    /// The image's probability of each class; left out where the network's output is no vector of classes.
    let probabilities: [Double]?
  }

  let targets: [Target]
  let classes: [String]?
  let picture: ResultPath
  let curves: ResultPath
  let settings: SettingsRecord
}
