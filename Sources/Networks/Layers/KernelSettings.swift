internal import Settings

/// Settings of a layer with a kernel, which may add a bias and end in a function of one element.
public protocol KernelSettings: Codable, Hashable, Sendable {
  /// Whether a bias is added.
  var useBias: Bool { get set }
  /// The function that the layer ends in.
  var activation: Activation { get set }
  /// How the kernel starts.
  var kernelInitializer: Initializer { get set }
  /// How the bias starts.
  var biasInitializer: Initializer { get set }
}

extension KernelSettings {
  /// `, no bias, relu`: what a label ends in.
  var labelEnd: String {
    (useBias ? "" : ", no bias") + (activation == .linear ? "" : ", \(activation.rawValue)")
  }
}

// MARK: - Settings of convolutions

extension SettingKey {
  static func filters(_ path: any WritableKeyPath<Root, Int> & Sendable) -> SettingKey {
    SettingKey("filters", path, .width, default: .required, keras: "filters", "Channels of the output.")
  }

  static func groups(_ path: any WritableKeyPath<Root, Int> & Sendable) -> SettingKey {
    SettingKey(
      "groups", path, .width, keras: .unlessDefault("groups"),
      "How many parts the channels are divided into; the parts do not mix.")
  }

  static func multiplier(
    _ path: any WritableKeyPath<Root, Int> & Sendable, _ summary: String
  ) -> SettingKey {
    SettingKey("multiplier", path, .integer(1...1024), keras: .unlessDefault("depth_multiplier"), summary)
  }

  static func kernel(
    _ path: any WritableKeyPath<Root, Size2D> & Sendable,
    _ summary: String = "Height and width of the window."
  ) -> SettingKey {
    SettingKey("kernel", path, .window, default: .required, keras: "kernel_size", summary)
  }

  static func stride(
    _ path: any WritableKeyPath<Root, Size2D> & Sendable, _ summary: String = "Step between windows."
  ) -> SettingKey {
    SettingKey("stride", path, .window, keras: .unlessDefault("strides"), summary)
  }

  static func dilation(_ path: any WritableKeyPath<Root, Size2D> & Sendable) -> SettingKey {
    SettingKey(
      "dilation", path, .window, keras: .unlessDefault("dilation_rate"),
      "Distance between the elements of the window.")
  }
}

// MARK: - Settings of all kernels

extension SettingKey where Root: KernelSettings {
  /// The settings that all layers with a kernel have.
  static var weights: [SettingKey] {
    [
      SettingKey(
        "use_bias", \.useBias, .boolean, keras: .unlessDefault("use_bias"), "Whether a bias is added."),
      SettingKey(
        "activation", \.activation, .word, keras: .activation, "The function that is applied to the result."),
      SettingKey("kernel_initializer", \.kernelInitializer, .word, "How the kernel is initialised."),
      SettingKey("bias_initializer", \.biasInitializer, .word, "How the bias is initialised."),
    ]
  }
}
