internal import ArgumentParser
internal import Experiments
internal import Insight

/// Draws kernels.
struct LookFiltersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "filters",
    abstract: "Draw the kernels of a convolution as one picture.",
    discussion: """
      Kernels that read an image are drawn in its colours, others with a small square for every input channel. Mid-grey is a \
      weight of 0; the contrast is the same for all.

        convoy look filters Results/fashion-mnist/RUN
        convoy look filters Results/fashion-mnist/RUN --layer conv2d_1 --which 0-9
      """)

  @OptionGroup var options: LookOptions

  @Option(FilterLook.layer) var layer: SettingFlag?
  @Option(FilterLook.which) var which: SettingFlag?
  @Option(former: "filter", FilterLook.which) var filter: SettingFlag?

  func run() throws { try options.perform(FilterLook.kind, [layer, filter, which]) }
}
