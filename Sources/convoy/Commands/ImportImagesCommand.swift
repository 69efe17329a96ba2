public import ArgumentParser
public import Datasets
public import ImageFiles

extension OrientationUse: ExpressibleByArgument {}

/// The use of the orientation that a camera recorded with a picture.
struct OrientationOption: ParsableArguments {
  @Option(
    name: .customLong("orientation"),
    help:
      "Turn photographs as the camera recorded (upright), or leave their pixels as they are stored (stored).")
  var use = OrientationUse.upright
}

extension ImageFolderImporter.Unreadable: ExpressibleByArgument {}

struct ImportImages: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "images",
    abstract: "A folder with one folder of PNG and JPEG files for each class.",
    discussion: """
      DIR/cat/1.png and DIR/dog/2.jpg become the split train; DIR/train/cat/1.png and DIR/test/cat/3.png become the splits train and \
      test (also validation, valid, val, Training, test_set and the like). Classes and files are taken in the order of their names.

      Pixels are taken as the files store them, without regard to gamma or colour profiles. Transparent pictures are laid on \
      black; of 16 bits per channel the upper 8 are kept; CMYK becomes RGB as in Pillow. Photographs are turned as the camera recorded \
      (Exif), as predict, explain and other looks do, too.

        convoy import images --from pets --size 64 --to pets.h5
        convoy dataset split pets.h5 --parts train=0.9,test=0.1 --to pets-split.h5
      """)

  @Option(name: .customLong("from"), help: ArgumentHelp("The folder.", valueName: "dir"))
  var path: String

  @Option(help: ArgumentHelp("Height and width of the samples: 32, or 32x48.", valueName: "hxw"))
  var size: String

  @Option(help: ArgumentHelp("1 for grey, 3 for RGB.", valueName: "n"))
  var channels = 3

  @Option(
    help: "How to reach the proportions: crop (cut off what is too long), stretch, or pad (with black).")
  var fit = ImageFit.crop

  @Option(help: "What to do with a file that cannot be read: stop, or skip it with a warning.")
  var unreadable = ImageFolderImporter.Unreadable.stop

  @OptionGroup var orientation: OrientationOption
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard channels == 1 || channels == 3 else {
      throw ValidationError("--channels takes 1 (grey) or 3 (RGB), not \(channels)")
    }
    _ = try sides()
  }

  private func sides() throws -> (Int, Int) {
    let sides = try ShapeText.parse(size, option: "--size")
    guard sides.count <= 2, sides.allSatisfy({ $0 <= 4096 }) else {
      throw ValidationError("--size takes one or two numbers up to 4096, as in 32 or 32x48, not '\(size)'")
    }
    return (sides[0], sides[sides.count - 1])
  }

  func run() throws {
    let (height, width) = try sides()
    try output.write(
      ImageFolderImporter(
        path, height: height, width: width, channels: channels == 1 ? .grey : .rgb, fit: fit,
        unreadable: unreadable, orientation: orientation.use), reading: InputFiles([], pictures: [path]))
  }
}
