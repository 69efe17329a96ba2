// swift-tools-version: 6.2
import PackageDescription

// Targets stand in the order of their levels: a target imports only what is written above it.
// `Sources/README.md` is the map.

/// Settings of targets that read, check and print what people write.
///
/// For them the optimizer would take a third of the whole build, and nobody could see what it gained. What computes stands in others.
let withoutOptimizer: [SwiftSetting] = [.unsafeFlags(["-Onone"], .when(configuration: .release))]

/// Settings of targets that would take minutes over tests without the optimizer.
let alwaysOptimized: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// Loops of our own, compiled for one instruction set: the same source everywhere, by links to one folder.
///
/// Always optimized, without checks of what the room's interface has checked, and never copied into other modules: a copy would
/// be compiled for another instruction set.
func kernelLoops(_ name: String, folder: String, _ flags: [String] = []) -> Target {
  .target(
    name: name, dependencies: ["CKernels", "KernelShapes"], path: "Sources/KernelLoops/\(folder)",
    swiftSettings: [
      .unsafeFlags(["-Ounchecked", "-wmo", "-num-threads", "2"] + flags.flatMap { ["-Xcc", $0] })
    ] + (folder == "V4" ? [.define("WIDE")] : []))
}

let package = Package(
  name: "convoy",
  products: [
    .executable(name: "convoy", targets: ["convoy"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // Level 0: C libraries, no logic.
    .systemLibrary(
      name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(
      name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    .systemLibrary(
      name: "CImageCodecs", pkgConfig: "libpng", providers: [.apt(["libpng-dev", "libjpeg-dev"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CLibdeflate", providers: [.apt(["libdeflate-dev"])]),
    .systemLibrary(
      name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(
      name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "CSound", pkgConfig: "sndfile",
      providers: [.apt(["libsndfile1-dev", "libsamplerate0-dev", "libkissfft-dev"])]),
    .systemLibrary(name: "CKernels"),

    // Level 1: one Swift owner per C object; numbers and memory.
    .target(name: "Paths"),
    .target(name: "HDF5", dependencies: ["CHDF5", "Paths"]),
    .target(name: "OneDNN", dependencies: ["COneDNN"]),
    .target(name: "ImageFiles", dependencies: ["CImageCodecs", "Paths"]),
    .target(name: "Digests", dependencies: ["CCrypto"]),
    .target(name: "Tensors"),
    .target(
      name: "Protobuf", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["onnx.proto", "tensorboard.proto"], swiftSettings: withoutOptimizer),
    .target(name: "Texts"),
    .target(name: "Audio", dependencies: ["CSound", "Paths"]),
    .target(name: "Settings", dependencies: ["Paths"]),
    .target(name: "KernelShapes"),
    kernelLoops("KernelsBaseline", folder: "Baseline"),
    kernelLoops("KernelsV3", folder: "V3", ["-march=x86-64-v3"]),
    kernelLoops("KernelsV4", folder: "V4", ["-march=x86-64-v4"]),
    .target(
      name: "Kernels",
      dependencies: ["CKernels", "KernelShapes", "KernelsBaseline", "KernelsV3", "KernelsV4"],
      exclude: ["README.md"]),

    // Level 2: descriptions and machinery.
    .target(name: "Networks", dependencies: ["Settings", "Tensors"], exclude: ["Layers/README.md"]),
    .target(name: "Parallel", dependencies: ["Tensors"]),
    .target(name: "Go", swiftSettings: alwaysOptimized),

    // Level 3: a network made executable; samples.
    .target(
      name: "Compute",
      dependencies: ["Settings", "OneDNN", "Tensors", "Kernels", "KernelShapes", "Networks", "Parallel"]),
    .target(
      name: "Datasets",
      dependencies: [
        "Paths", "Settings", "Go", "HDF5", "CZlib", "CLibdeflate", "CArchive", "ImageFiles", "Digests",
        "Tensors",
        "Parallel", "Texts", "Audio",
      ]),

    .target(
      name: "MPI", dependencies: ["Paths", "Parallel"],
      // A link to the source in Scripts, which the site's own compiler builds.
      resources: [.embedInCode("mpi-plugin.c")]),

    // Level 4: the trainer.
    .target(
      name: "Training",
      dependencies: [
        "Digests", "Settings", "Tensors", "Networks", "Parallel", "OneDNN", "Compute", "Datasets", "HDF5",
        "Paths", "Texts",
      ],
      exclude: ["Ranks/README.md"]),

    // Level 5: what people write and read.
    .target(
      name: "Insight",
      dependencies: [
        "Settings", "HDF5", "ImageFiles", "Tensors", "Networks", "Parallel", "Compute", "Datasets",
        "Training", "Texts",
        .product(name: "Mustache", package: "swift-mustache"),
      ]),

    .target(
      name: "Experiments",
      dependencies: [
        "Paths", "Settings", "Networks", "Compute", "Datasets", "Training", "Insight",
        .product(name: "Yams", package: "Yams"),
      ], swiftSettings: withoutOptimizer),
    .target(
      name: "Reporting",
      dependencies: [
        "Paths", "Protobuf", "Tensors", "Networks", "ImageFiles",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "Mustache", package: "swift-mustache"),
      ], swiftSettings: withoutOptimizer),

    .target(
      name: "Interchange",
      dependencies: [
        "Paths", "Settings", "HDF5", "Digests", "Protobuf", "Tensors", "Networks", "Compute", "Datasets",
        "Training",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      swiftSettings: withoutOptimizer),

    // Level 6: the command line.
    .executableTarget(
      name: "convoy",
      dependencies: [
        "Paths", "Settings", "Go", "HDF5", "ImageFiles", "Digests", "Tensors", "Networks", "Parallel",
        "Compute", "Datasets", "Training",
        "MPI", "Experiments", "Reporting", "Interchange", "Insight", "Texts", "Audio",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      // A link to the template in Scripts, which job arrays are made from.
      resources: [.embedInCode("convoy.sbatch")], swiftSettings: withoutOptimizer),

    // Tests: one target per source target, and what they share.
    .target(
      name: "TestSupport", dependencies: ["Tensors", "Networks"], path: "Tests/TestSupport",
      // The reference kernels are plain loops: without the optimizer they take most of the tests' time.
      swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    .testTarget(
      name: "TestSupportTests", dependencies: ["TestSupport", "Networks", "Tensors"], exclude: ["Fixtures"]),
    .testTarget(
      name: "HDF5Tests", dependencies: ["HDF5", "Paths", "TestSupport"], exclude: ["Fixtures"]),
    .testTarget(
      name: "OneDNNTests", dependencies: ["OneDNN", "Tensors", "Networks", "Parallel", "TestSupport"]),
    .testTarget(name: "MPITests", dependencies: ["MPI"]),
    .testTarget(name: "PathsTests", dependencies: ["Paths", "TestSupport"]),
    .testTarget(
      name: "ImageFilesTests", dependencies: ["ImageFiles", "TestSupport"], exclude: ["Fixtures"]),
    .testTarget(name: "DigestsTests", dependencies: ["Digests"]),
    .testTarget(
      name: "ProtobufTests",
      dependencies: [
        "Protobuf", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], exclude: ["Fixtures"]),
    .testTarget(name: "SettingsTests", dependencies: ["Settings"]),
    .testTarget(
      name: "KernelsTests", dependencies: ["Kernels", "KernelShapes", "OneDNN", "Tensors", "TestSupport"]),
    .testTarget(name: "TextsTests", dependencies: ["Texts", "TestSupport"], exclude: ["Fixtures"]),
    .testTarget(
      name: "AudioTests", dependencies: ["Audio", "Tensors", "TestSupport"], exclude: ["Fixtures"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "TestSupport"]),
    .testTarget(
      name: "NetworksTests", dependencies: ["Networks", "Settings", "Tensors", "TestSupport"],
      exclude: ["Fixtures"]),
    .testTarget(name: "GoTests", dependencies: ["Go", "TestSupport"], exclude: ["Fixtures"]),
    .testTarget(name: "ParallelTests", dependencies: ["Parallel", "Tensors", "TestSupport"]),
    .testTarget(
      name: "ComputeTests", dependencies: ["Compute", "HDF5", "TestSupport"], exclude: ["Fixtures"]),
    .testTarget(
      name: "DatasetsTests",
      dependencies: [
        "Audio", "Datasets", "Go", "HDF5", "ImageFiles", "Paths", "Tensors", "Texts", "TestSupport",
      ],
      exclude: ["Fixtures"]),
    .executableTarget(
      name: "ConfigurationFuzz", dependencies: ["Experiments", "TestSupport"], path: "Tests/ConfigurationFuzz"
    ),
    .executableTarget(
      name: "FileFuzz", dependencies: ["CLibdeflate", "Digests", "TestSupport"], path: "Tests/FileFuzz",
      exclude: ["Seeds"],
      // It damages some files by megabytes, and packs them again.
      swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    .executableTarget(name: "ExactnessFuzz", dependencies: ["HDF5", "OneDNN"], path: "Tests/ExactnessFuzz"),
    .executableTarget(
      name: "CheckpointProbe", dependencies: ["Tensors", "Networks", "Training", "Interchange"],
      path: "Tests/CheckpointProbe"),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "CheckpointProbe", "Training", "Interchange", "Tensors", "Networks", "Parallel", "Compute",
        "Datasets", "HDF5", "Digests", "OneDNN", "TestSupport",
      ], exclude: ["Fixtures"]),
    .testTarget(
      name: "ExperimentsTests",
      dependencies: [
        "Settings", "Experiments", "Compute", "Datasets", "Insight", "Tensors", "Networks", "Training",
        "TestSupport", "ExactnessFuzz",
      ], exclude: ["Fixtures"]),
    .testTarget(
      name: "ReportingTests",
      dependencies: ["Reporting", "ImageFiles", "Networks", "Tensors", "TestSupport"]),
    .testTarget(
      name: "InterchangeTests",
      dependencies: [
        "Interchange", "Settings", "Compute", "Networks", "Paths", "Protobuf", "Tensors", "Training", "HDF5",
        "Datasets", "TestSupport", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "InsightTests",
      dependencies: [
        "Insight", "ImageFiles", "HDF5", "Networks", "Parallel", "Compute", "Datasets", "Tensors", "Training",
        "Texts", "TestSupport",
      ],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "convoy", "Datasets", "HDF5", "ImageFiles", "Networks", "Paths", "Reporting", "Settings", "Texts",
        "Training", "Experiments", "TestSupport",
      ],
      exclude: ["Fixtures"]),
  ]
)

// Settings that every target shares.
for target in package.targets where ![.system, .binary].contains(target.type) {
  target.swiftSettings =
    (target.swiftSettings ?? []) + [
      .swiftLanguageMode(.v6),
      .enableUpcomingFeature("ExistentialAny"),
      .enableUpcomingFeature("MemberImportVisibility"),
      .enableUpcomingFeature("InternalImportsByDefault"),
    ]
}
