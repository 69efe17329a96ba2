internal import ArgumentParser
internal import Experiments
internal import Insight

/// Shows which parts of an image a prediction rests on.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract:
      "Explain a prediction by three maps, gradient saliency, Grad-CAM and occlusion, or by the words of a text.",
    discussion: """
      Three maps are drawn over the image. Saliency: how much the class's output changes with each pixel. Grad-CAM: the maps of \
      a layer, weighted by their effect on the class along all ways to the output. Occlusion: how much the class's probability \
      falls when a square is covered or, for a network of numbers, how far the number moves.

      A network that was trained on sounds takes a sound file; the maps lie over its spectrum, time to the right, frequency upwards.

      A network that was trained on texts takes a text in place of the image, and colours its words: how much the class's probability \
      falls without the word (orange), or rises (blue). explain.html has the colours, explain.json the numbers.

        convoy explain Results/fashion-mnist/RUN boot.png
        convoy explain Results/fashion-mnist/RUN boot.png --class Sandal --layer conv2d --patch 5
        convoy explain Results/speech-frequency/RUN recording.wav
        convoy explain Results/kim-cnn/RUN "a film that is too long by half"
      """)

  @OptionGroup var options: LookOptions

  @Argument(ExplainLook.image) var image: SettingFlag
  @Option(ExplainLook.classText) var classText: SettingFlag?
  @Option(ExplainLook.layer) var layer: SettingFlag?
  @Option(ExplainLook.patch) var patch: SettingFlag?
  @Option(ExplainLook.stride) var stride: SettingFlag?

  @OptionGroup var pictures: PictureOptions
  @OptionGroup var sampling: SampleFitOption

  func run() throws {
    try options.perform(
      ExplainLook.kind, [image, classText, layer, patch, stride], request: pictures.flags + [sampling.fit])
  }
}
