import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Tolerance")
struct ToleranceTests {
  @Test("a difference is described with shape, worst index and both values")
  func description() throws {
    let expected = ReferenceTensor([2, 3], [1, 2, 3, 4, 5, 6])
    let message = try #require(
      Tolerance(absolute: 0.1).mismatch([1, 2.05, 3.2, 4, 7, 6], expected.values, shape: expected.shape))
    #expect(message.hasPrefix("2 of 6 elements of 2×3 differ; worst at [1, 1]: 7.0, expected 5.0"))
  }

  @Test("absolute, relative and the largest magnitude each allow their share")
  func shares() {
    #expect(Tolerance(absolute: 0.5).mismatch([1.5], [1.0]) == nil)
    #expect(Tolerance(absolute: 0.4).mismatch([1.5], [1.0]) != nil)
    #expect(Tolerance(relative: 0.01).mismatch([101.0, 1.009], [100.0, 1.0]) == nil)
    #expect(Tolerance(relative: 0.01).mismatch([101.0, 2], [100.0, 1.0]) != nil)
    #expect(Tolerance(ofLargest: 0.01).mismatch([100.0, 2], [100.0, 1.0]) == nil)
    #expect(Tolerance(ofLargest: 0.01).mismatch([100.0, 2.01], [100.0, 1.0]) != nil)
    #expect(Tolerance().mismatch([Float(0.1)], [Float(0.1)]) == nil)
  }

  @Test("NaN is close to nothing, and a missing element is a difference")
  func hostile() {
    let lax = Tolerance(absolute: 1e9, relative: 1, ofLargest: 1)
    #expect(lax.mismatch([Double.nan, 1], [1.0, 1]) != nil)
    #expect(lax.mismatch([1.0, 1], [Double.nan, 1]) != nil)
    #expect(lax.mismatch([Double.infinity], [1.0]) != nil)
    #expect(lax.mismatch([1.0], [Double.infinity]) != nil)
    #expect(lax.mismatch([Double.infinity], [Double.infinity]) == nil)
    #expect(lax.mismatch([1.0], [1.0, 2.0]) != nil)
  }

  @Test("a wrong gradient is reported")
  func gradientCheck() {
    let point = ReferenceTensor([3], [1, 2, 3])
    expectGradient(point.map { 2 * $0 }, at: point) { $0.dot($0) }
    withKnownIssue {
      expectGradient(point.map { 2.01 * $0 }, at: point) { $0.dot($0) }
    }
  }

  @Test("random numbers are SplitMix64's, and tensors of them fill their range")
  func random() {
    // The first numbers for this seed in the reference implementation, <https://prng.di.unimi.it/splitmix64.c>.
    var numbers = SplitMix64(seed: 1_234_567)
    #expect(numbers.next() == 6_457_827_717_110_365_317)
    #expect(numbers.next() == 3_203_168_211_198_807_973)
    let values = ReferenceTensor.random([4, 1000], seed: 3, scale: 2).values
    #expect((values.min() ?? 0) < -1.98 && (values.max() ?? 0) > 1.98 && Set(values).count > 3990)
    #expect(values.allSatisfy { abs($0) <= 2 })
    #expect(values != ReferenceTensor.random([4, 1000], seed: 4, scale: 2).values)
    let shuffled = ReferenceTensor.shuffled([100], seed: 1).values
    #expect(shuffled != shuffled.sorted() && Set(shuffled).count == 100)
  }

  @Test("a temporary directory goes with its contents")
  func temporaryDirectory() throws {
    var directory: TemporaryDirectory? = try TemporaryDirectory()
    let path = try #require(try directory?.write("text", to: "file"))
    #expect(try directory?.contents() == ["file"])
    #expect(FileManager.default.fileExists(atPath: path))
    directory = nil
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}
