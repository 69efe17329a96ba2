import Datasets
import Tensors
import Testing

@Suite("The range of pixels")
struct PixelSpanTests {
  @Test(
    "black and white follow from numbers that fill a usual range, and from no others",
    arguments: [
      (PixelType.uint8, 0, 255, 0...255), (.uint8, 0, 200, 0...255), (.uint8, 3, 64, 0...255),
      (.uint8, 0, 1, 0...1), (.uint8, 0, 16, nil), (.uint8, 0, 0, nil),
      (.float32, 0, 1, 0...1), (.float32, 0.02, 0.97, 0...1), (.float32, 0, 0.004, nil),
      (.float32, 0, 255, 0...255), (.float32, 1.5, 180, 0...255), (.float32, 0, 16, nil),
      (.float32, -1, 1, -1...1), (.float32, -0.5, 0.5, -0.5...0.5), (.float32, -1, 0.2, nil),
      (.float32, -0.42, 2.82, nil), (.float32, -123, 151, nil), (.float32, 0, 300, nil),
    ] as [(PixelType, Float, Float, ClosedRange<Float>?)])
  func range(type: PixelType, low: Float, high: Float, expected: ClosedRange<Float>?) {
    #expect(PixelSpan(type, low: low, high: high).pictureRange == expected)
  }

  @Test("numbers are unlike others where one goes much further from 0")
  func unlike() {
    let unit = PixelSpan(.float32, low: 0, high: 1)
    #expect(unit.isUnlike(.bytes) && PixelSpan.bytes.isUnlike(unit))
    #expect(!unit.isUnlike(PixelSpan(.float32, low: -2.1, high: 2.6)))
    #expect(!PixelSpan.bytes.isUnlike(PixelSpan(.float32, low: 0, high: 255)))
    #expect(!unit.isUnlike(PixelSpan(.uint8, low: 0, high: 0)))
  }

  @Test("it reads as people write it")
  func text() {
    #expect("\(PixelSpan.bytes)" == "bytes from 0 to 255")
    #expect("\(PixelSpan(.float32, low: -0.424213, high: 2.82148))" == "floats from -0.4242 to 2.821")
    #expect("\(PixelSpan(.float32, low: -3e-5, high: 1e30))" == "floats from -3e-05 to 1e+30")
  }

  @Test("all samples of a minibatch count, and what is no number does not")
  func minibatch() {
    let batch = Minibatch(values: [0.5, -3, .nan, 7, .infinity, 1], sampleShape: [3])
    #expect(batch.count == 2 && batch.pixelSpan == PixelSpan(.float32, low: -3, high: 7))
    #expect(
      Minibatch(pixels: [9, 4, 200, 4], sampleShape: [2]).pixelSpan
        == PixelSpan(.uint8, low: 4, high: 200))
  }
}
