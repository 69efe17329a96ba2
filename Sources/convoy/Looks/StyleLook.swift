internal import Foundation
internal import ImageFiles
internal import Insight
internal import Reporting
internal import Tensors
internal import Training

extension StyleLook: RunnableLook {
  func run(in context: LookContext) throws -> LookResult {
    let directory = try context.directory ?? WorkDirectory(path: context.folder.path, isShared: true)
    defer { withExtendedLifetime(directory) {} }
    let subject = context.subject
    let settings = try StyleSettings(self, for: subject.network)
    let picture = try context.photograph(content, side: size)
    let stylePicture = try context.photograph(style, side: styleSize ?? size)
    try Photograph.checkSize(
      content.path, picture, settings.contentLayers + settings.styleLayers, subject)
    try Photograph.checkSize(style.path, stylePicture, settings.styleLayers, subject)
    let objective = try StyleObjective(
      subject, settings: settings, content: units(picture, subject), style: units(stylePicture, subject),
      pool: context.pool, exactKernels: kernels == .direct
    ) { bytes in
      try Photograph.checkMemory(bytes, advice: "take a smaller size, or layers nearer to the image")
    }
    let states = context.states(of: "style")
    let description = try context.meaning(of: resolved(for: subject.network))
    if context.restarts { try states.removeAll() }
    let transfer: StyleTransfer
    if let resumed = try StyleTransfer.resume(
      from: states, of: description, objective, rule: rule, count: picture.values.count,
      damaged: { TerminalOutput.warn("\($0)") }), resumed.step <= steps
    {
      transfer = resumed
      TerminalOutput.note("going on at step \(transfer.step)")
      directory.log("going on at step \(transfer.step)")
    } else {
      // A state of more steps than are wanted now is of no use.
      try states.removeAll()
      transfer = try StyleTransfer(objective, rule: rule, start: try startValues(picture, context))
    }
    let began = TerminalOutput.seconds
    try go(transfer, picture, context, states, description)
    let path = try context.folder.write(result(transfer, picture, subject), as: "style")
    let seconds = TerminalOutput.seconds - began
    return LookResult(
      name: "style",
      findings: StyleFindings(
        picture: ResultPath(path), steps: transfer.step, evaluations: transfer.evaluations,
        converged: transfer.hasConverged, settings: settings.text,
        losses: transfer.curve.enumerated().map(StyleFindings.Losses.init)),
      lines: [
        "\(counted(transfer.step, "step")), \(counted(transfer.evaluations, "evaluation"))\(transfer.hasConverged ? " (no further step lowers the loss)" : "")"
          + " in \(NumberText.fixed(seconds, 1)) s: content \(NumberText.short(transfer.losses.content)), style "
          + NumberText.short(transfer.losses.style), path,
      ])
  }

  private func go(
    _ transfer: StyleTransfer, _ picture: FloatImage, _ context: LookContext, _ states: StateStore,
    _ description: String
  ) throws {
    let line = StatusLine()
    var saved = TerminalOutput.seconds
    while transfer.step < steps {
      if context.stop.isRequested {
        line.finish()
        try transfer.save(to: states, of: description)
        throw context.stopped("step \(transfer.step) of \(steps)")
      }
      guard try transfer.advance() else { break }
      let losses = transfer.losses
      line.update(
        "step \(transfer.step)/\(steps)  loss \(NumberText.short(losses.total))  content "
          + "\(NumberText.short(losses.content))  style \(NumberText.short(losses.style))")
      if let pictureEvery, transfer.step.isMultiple(of: pictureEvery) {
        let number = String(format: "%05d", transfer.step)
        try context.folder.write(result(transfer, picture, context.subject), as: "style-step-\(number)")
      }
      if TerminalOutput.seconds - saved > saveEvery * 60 {
        try transfer.save(to: states, of: description)
        saved = TerminalOutput.seconds
        context.log("saved at step \(transfer.step)")
      }
    }
    line.finish()
    context.log("\(transfer.step) steps, loss \(NumberText.short(transfer.losses.total))")
    // The state serves the same command again, and one for more steps.
    try transfer.save(to: states, of: description, isFinished: true)
  }

  // MARK: - Images

  private func units(_ image: FloatImage, _ subject: Subject) -> FloatImage {
    let (low, factor) = (subject.range.low, subject.range.width / 255)
    return FloatImage(
      height: image.height, width: image.width, channels: image.channels,
      values: image.values.map { low + factor * $0 })
  }

  private func startValues(_ picture: FloatImage, _ context: LookContext) throws -> [Float] {
    var image = picture
    switch start {
    case .content: break
    case .noise:
      var stream = RandomStream(seed: context.seed, purpose: .insight)
      image.values = picture.values.map { _ in 64 + 128 * stream.nextUniform() }
    case .image(let source):
      image = try context.photograph(source, side: nil)
        .resized(height: picture.height, width: picture.width)
    }
    return units(image, context.subject).values
  }

  private func result(_ transfer: StyleTransfer, _ picture: FloatImage, _ subject: Subject) -> Image {
    let (low, factor) = (subject.range.low, 255 / subject.range.width)
    let painted = FloatImage(
      height: picture.height, width: picture.width, channels: picture.channels,
      values: transfer.image.map { ($0 - low) * factor })
    let shown = keepsColour ? picture.withBrightness(of: painted) : painted
    return shown.image ?? Image(height: 1, width: 1, channels: .grey, pixels: [0])
  }
}

/// The findings of a style transfer.
private struct StyleFindings: Encodable {
  struct Losses: Encodable {
    /// The number of steps done; 0 stands for the start.
    let step: Int
    let content: Double
    let style: Double
    let variation: Double

    init(step: Int, _ losses: StyleLosses) {
      self.step = step
      (content, style, variation) = (losses.content, losses.style, losses.variation)
    }
  }

  let picture: ResultPath
  let steps: Int
  let evaluations: Int
  let converged: Bool
  let settings: String
  let losses: [Losses]
}
