internal import Settings

/// Settings of a layer with a kernel, which may add a bias and end in a function of one element.
public protocol KernelSettings: Codable, Hashable, Sendable {
  var useBias: Bool { get set }
  var activation: Activation { get set }
  var kernelInitializer: Initializer { get set }
  var biasInitializer: Initializer { get set }
}

extension KernelSettings {
  /// `, no bias, relu`: what a label ends in.
  var labelEnd: String {
    (useBias ? "" : ", no bias") + (activation == .linear ? "" : ", \(activation.rawValue)")
  }
}

extension SettingKey where Root: KernelSettings {
  /// The settings that all layers with a kernel have.
  static var weights: [SettingKey] {
    [
      SettingKey(
        "use_bias", \.useBias, .boolean, keras: .unlessDefault("use_bias"), "Whether a bias is added."),
      SettingKey("activation", \.activation, .word, keras: .activation, "Applied to the result."),
      SettingKey("kernel_initializer", \.kernelInitializer, .word, "How the kernel starts."),
      SettingKey("bias_initializer", \.biasInitializer, .word, "How the bias starts."),
    ]
  }
}
