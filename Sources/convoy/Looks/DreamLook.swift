internal import Foundation
internal import ImageFiles
internal import Insight
internal import Networks
internal import Reporting
internal import Tensors
internal import Training

extension DreamLook: RunnableLook {
  func run(in context: LookContext) throws -> LookResult {
    let directory = try context.directory ?? WorkDirectory(path: context.folder.path, isShared: true)
    defer { withExtendedLifetime(directory) {} }
    let subject = context.subject
    let look = try resolved(for: subject.network)
    var dream = look.dream
    dream.seed = context.seed
    let picture = try context.photograph(image, side: size, enlarging: true)
    try Photograph.checkSize(image.path, picture, dream.layers, subject)
    if let guide {
      // The guide's features are compared with every place, and a picture of the network's own size has enough of them.
      let side = max(subject.network.inputShape[0], subject.network.inputShape[1])
      let picture = try context.photograph(guide, side: side)
      try Photograph.checkSize(guide.path, picture, dream.layers, subject)
      dream.guide = try dream.features(of: picture, in: subject, pool: context.pool)
    }
    let states = context.states(of: "dream")
    let description = try context.meaning(of: look)
    if context.restarts { try states.removeAll() }
    let process: DreamProcess
    if let resumed = try DreamProcess.resume(
      from: states, of: description, dream, on: picture, in: subject, pool: context.pool,
      damaged: { TerminalOutput.warn("\($0)") }), resumed.frame < dream.frames
    {
      process = resumed
      TerminalOutput.note("going on at \(place(process))")
      directory.log("going on at \(place(process))")
    } else {
      // A state of more frames than are wanted now is of no use.
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
      settings: SettingsRecord(look, without: Self.unrecorded, seed: context.seed),
      steps: process.readings.map(DreamFindings.Step.init))
    return LookResult(
      name: "dream", findings: findings,
      lines: [
        "\(picture.height)x\(picture.width), dreamt with \(dream.layers.map(\.name).joined(separator: ", "))"
      ] + pictures,
      pictures: process.picture.image.map { [($0, "dream")] } ?? [])
  }

  /// Dreams all frames and writes them.
  ///
  /// - Returns: the files of the frames.
  private func go(
    _ process: DreamProcess, _ context: LookContext, _ states: StateStore, _ description: String
  ) throws -> [String] {
    let frames = process.dream.frames
    func name(_ frame: Int) -> FileName { frames == 1 ? "dream" : "dream-\(String(format: "%05d", frame))" }
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
      context.log("wrote \(name(process.frame).text).png")
    } while process.beginNextFrame()
    line.finish()
    // The state serves the same command again, and one for more frames.
    try process.save(to: states, of: description, isFinished: true)
    return (0..<frames).map { "\(context.folder.path)/\(name($0).text).png" }
  }

  private func place(_ process: DreamProcess) -> String {
    let done = process.readings.count - process.frame * process.stepsInFrame
    return (process.dream.frames > 1 ? "frame \(process.frame + 1), " : "")
      + "step \(done) of \(process.stepsInFrame)"
  }

  /// Settings that stand beside the others in the findings, or do not affect the picture.
  private static let unrecorded = [image, layers, size, saveEvery]
}

/// The findings of a dream.
private struct DreamFindings: Encodable {
  struct Layer: Encodable {
    let layer: String
    let weight: Double
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
  let settings: SettingsRecord
  let steps: [Step]
}
