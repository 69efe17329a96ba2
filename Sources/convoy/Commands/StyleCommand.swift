internal import ArgumentParser
internal import Experiments
internal import Insight
internal import Settings

/// Paints one picture in the style of another.
struct StyleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "style",
    abstract: "Style transfer: the content of one picture in the style of another.",
    discussion: """
      The outputs of filters hold the content, and how they occur together holds the style (Gatys, Ecker & Bethge 2016). \
      `convoy import keras` imports networks from Keras. The same command resumes a transfer that was stopped.

        convoy style vgg19.h5 --content cat.png --style painting.jpg --to Results/style
        convoy style vgg19.h5 --content cat.png --style painting.jpg --size 1024 --steps 300 --keep-colour
      """)

  @OptionGroup var options: LookOptions

  @Option(StyleLook.content) var content: SettingFlag
  @Option(StyleLook.style) var style: SettingFlag
  @Option(StyleLook.size) var size: SettingFlag?
  @Option(StyleLook.styleSize) var styleSize: SettingFlag?
  @Option(StyleLook.steps) var steps: SettingFlag?
  @Option(StyleLook.optimizer) var optimizer: SettingFlag?
  @Option(StyleTransfer.Rule.Adam.rate, under: [StyleLook.optimizer.name, StyleTransfer.Rule.Adam.kind.name])
  var rate: SettingFlag?
  @Option(StyleLook.contentLayers) var contentLayers: SettingFlag?
  @Option(StyleLook.styleLayers) var styleLayers: SettingFlag?
  @Option(StyleLook.contentWeight) var contentWeight: SettingFlag?
  @Option(StyleLook.styleWeight) var styleWeight: SettingFlag?
  @Option(StyleLook.totalVariation) var totalVariation: SettingFlag?
  @Option(StyleLook.start) var start: SettingFlag?
  @Flag(StyleLook.keepsColour) var keepColour: Bool
  @Option(StyleLook.pictureEvery) var pictureEvery: SettingFlag?
  @Option(StyleLook.kernels) var kernels: SettingFlag?
  @Option(StyleLook.saveEvery) var saveEvery: SettingFlag?

  @Option(former: "tv", StyleLook.totalVariation) var tv: SettingFlag?
  @Option(former: "every", StyleLook.pictureEvery) var every: SettingFlag?
  @Flag(help: .hidden) var direct = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var pictures: PictureOptions
  @OptionGroup var work: LongWorkOptions

  func run() throws {
    let direct = self.direct ? SettingFlag([StyleLook.kernels.name], option: "--direct", text: "direct") : nil
    try options.perform(
      StyleLook.kind,
      [
        content, style, size, styleSize, steps, optimizer, rate, contentLayers, styleLayers, contentWeight,
        styleWeight, tv, totalVariation, start, StyleLook.keepsColour.flag(keepColour), every, pictureEvery,
        direct, kernels, saveEvery,
      ], request: [seed.seed] + pictures.flags, restarts: work.restart)
  }
}
