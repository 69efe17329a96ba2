internal import Foundation
internal import ImageFiles
internal import Insight
internal import Networks
internal import Reporting
internal import Tensors
internal import Training

extension DreamLook: LookJob {
  func run(in context: LookContext) throws -> LookResult {
    let directory = try context.directory ?? WorkDirectory(path: context.folder.path)
    defer { withExtendedLifetime(directory) {} }
    let subject = context.subject
    var dream = dream
    if dream.layers.isEmpty { dream.layers = try Dream.defaultLayers(of: subject.network) }
    let picture = try image.photograph(side: size, for: subject)
    try Photograph.checkSize(image.path, picture, dream.layers, subject)
    if let guide {
      // The guide's features are compared with every place: a picture of the network's own size has enough.
      let side = max(subject.network.inputShape[0], subject.network.inputShape[1])
      let picture = try guide.photograph(side: side, for: subject)
      try Photograph.checkSize(guide.path, picture, dream.layers, subject)
      dream.guide = try dream.features(of: picture, in: subject, pool: context.pool)
    }
    let states = context.states(of: "dream")
    let description = try description(dream, context)
    if context.restarts { try states.removeAll() }
    let process: DreamProcess
    if let resumed = try DreamProcess.resume(
      from: states, of: description, dream, on: picture, in: subject, pool: context.pool,
      damaged: { TerminalOutput.warn("\($0)") }), resumed.frame < dream.frames
    {
      process = resumed
      TerminalOutput.write("going on at \(place(process))\n", to: 2)
      directory.log("going on at \(place(process))")
    } else {
      // A state of more frames than are wanted now leads nowhere.
      try states.removeAll()
      process = try DreamProcess(dream, on: picture, in: subject, pool: context.pool)
    }
    try Photograph.checkMemory(
      try process.peakByteCount(),
      advice: "take a smaller --tile or --size (in a configuration `tile` or `size`)")
    let pictures = try go(process, context, states, description)
    let findings = DreamFindings(
      image: ResultPath(image.path), height: picture.height, width: picture.width,
      pictures: pictures.map(ResultPath.init),
      layers: dream.layers.map { DreamFindings.Layer(layer: $0.name, weight: $0.weight) },
      settings: DreamFindings.Settings(dream, guide: ResultPath(guide?.path ?? "none")),
      steps: process.readings.map(DreamFindings.Step.init))
    return LookResult(
      name: "dream", findings: findings,
      text:
        "\(picture.height)x\(picture.width), dreamt by \(dream.layers.map(\.name).joined(separator: ", "))\n"
        + pictures.joined(separator: "\n"),
      pictures: process.picture.image.map { [($0, "dream")] } ?? [])
  }

  /// - Returns: the frames' files.
  private func go(
    _ process: DreamProcess, _ context: LookContext, _ states: StateStore, _ description: String
  ) throws -> [String] {
    let frames = process.dream.frames
    func name(_ frame: Int) -> String { frames == 1 ? "dream" : "dream-" + String(format: "%05d", frame) }
    let line = StatusLine()
    var saved = TerminalOutput.seconds
    repeat {
      while !process.isFrameComplete {
        if context.stop.isRequested {
          line.finish()
          try process.save(to: states, of: description)
          throw context.stopped(place(process))
        }
        let reading = try process.advance()
        line.update(
          "\(frames > 1 ? "frame \(reading.frame + 1)/\(frames)  " : "")octave \(reading.octave + 1)/\(reading.octaves) "
            + "(\(reading.height)x\(reading.width))  step \(reading.step + 1)/\(process.dream.steps)  objective "
            + NumberText.short(reading.objective))
        if TerminalOutput.seconds - saved > saveEvery * 60 {
          try process.save(to: states, of: description)
          saved = TerminalOutput.seconds
          context.log("saved at \(place(process))")
        }
      }
      guard let shown = process.picture.image else { continue }
      try context.folder.write(shown, as: name(process.frame))
      context.log("wrote \(name(process.frame)).png")
    } while process.beginNextFrame()
    line.finish()
    // For the same command again, and for more frames.
    try process.save(to: states, of: description, isFinished: true)
    return (0..<frames).map { "\(context.folder.path)/\(name($0)).png" }
  }

  private func place(_ process: DreamProcess) -> String {
    let done = process.readings.count - process.frame * process.stepsInFrame
    return (process.dream.frames > 1 ? "frame \(process.frame + 1), " : "")
      + "step \(done) of \(process.stepsInFrame)"
  }

  /// Everything that decides the result but the number of frames, for recognising a dream to go on with.
  private func description(_ dream: Dream, _ context: LookContext) throws -> String {
    let layers = dream.layers.map { "\($0.name):\($0.weight)" }.joined(separator: ",")
    let guide = try guide.map { try $0.digest() } ?? "none"
    return
      "dream of \(try image.digest()) size \(size.map(String.init) ?? "own") by \(layers) guide \(guide) steps "
      + "\(dream.steps) rate \(dream.rate) octaves \(dream.octaves) \(dream.octaveScale) jitter \(dream.jitter) tile "
      + "\(dream.tile) zoom \(dream.frames == 1 ? "none" : "\(dream.zoom)") seed \(dream.seed) "
      + "range \(context.subject.range.low),\(context.subject.range.high) network \(context.networkDigest)"
  }
}

/// What came of a dream.
private struct DreamFindings: Encodable {
  struct Layer: Encodable {
    let layer: String
    let weight: Double
  }

  struct Settings: Encodable {
    let steps: Int
    let rate: Double
    let octaves: Int
    let octaveScale: Double
    let jitter: Int
    let tile: Int
    let frames: Int
    let zoom: Double
    let seed: UInt64
    let guide: ResultPath

    init(_ dream: Dream, guide: ResultPath) {
      (steps, rate, octaves, octaveScale) = (dream.steps, dream.rate, dream.octaves, dream.octaveScale)
      (jitter, tile, frames, zoom) = (dream.jitter, dream.tile, dream.frames, dream.zoom)
      (seed, self.guide) = (dream.seed, guide)
    }
  }

  struct Step: Encodable {
    let frame: Int
    let octave: Int
    let step: Int
    let height: Int
    let width: Int
    let objective: Double

    init(_ reading: DreamProcess.Reading) {
      (frame, octave, step) = (reading.frame, reading.octave, reading.step)
      (height, width, objective) = (reading.height, reading.width, reading.objective)
    }
  }

  let image: ResultPath
  let height: Int
  let width: Int
  let pictures: [ResultPath]
  let layers: [Layer]
  let settings: Settings
  let steps: [Step]
}
