internal import Foundation
internal import Tensors

/// The orthonormal real waves of one axis: a constant, then cosine and sine of each frequency.
///
/// Wave k has `f_k = ⌈k / 2⌉ / n` turns a place and is `h·cos` for k = 0 and odd k, else `h·sin`, with h = √(1/n) where no other wave
/// has its frequency and √(2/n) elsewhere. The transform is a fast Fourier transform of mixed radix (Stockham's, which needs
/// no reordering): n·(sum of n's prime factors) multiplications a line. Two real lines go through it as real and imaginary part
/// of one. Each line is the same sum in the same order wherever it lies.
/// - SeeAlso: Van Loan 1992, "Computational Frameworks for the Fast Fourier Transform", 1.7.
struct WaveTransform {
  enum Direction {
    /// From values to how much of each wave is in them.
    case toWaves
    /// Its transpose and inverse.
    case toValues
  }

  /// Waves a place, by wave.
  let frequencies: [Double]
  private let count: Int
  private let factors: [Int]
  /// `cos` and `sin` of 2π·i/n.
  private let cosines: [Float]
  private let sines: [Float]
  /// Heights of waves that share their frequency with another and of those that do not.
  private let shared: Float
  private let alone: Float

  init(_ count: Int) {
    self.count = count
    let n = Double(count)
    frequencies = (0..<count).map { Double(($0 + 1) / 2) / n }
    cosines = (0..<count).map { Float(cos(2 * Double.pi * Double($0) / n)) }
    sines = (0..<count).map { Float(sin(2 * Double.pi * Double($0) / n)) }
    (shared, alone) = (Float((2 / n).squareRoot()), Float((1 / n).squareRoot()))
    factors = Self.factors(of: count)
  }

  /// Fours before twos, because they need fewer multiplications; then the other primes.
  private static func factors(of count: Int) -> [Int] {
    var (factors, rest) = ([Int](), count)
    for factor in [4, 2, 3, 5, 7] {
      while rest.isMultiple(of: factor) {
        factors.append(factor)
        rest /= factor
      }
    }
    var factor = 11
    while rest > 1 {
      if factor * factor > rest { factor = rest }
      while rest.isMultiple(of: factor) {
        factors.append(factor)
        rest /= factor
      }
      factor += 2
    }
    return factors
  }

  /// Lines that go through the transform together: two for each lane.
  private static let together = 2 * Lanes.scalarCount

  /// Transforms lines in place.
  ///
  /// - Parameters:
  ///   - step: from one element of a line to the next.
  ///   - lineStep: from one line to the next.
  func apply(
    _ direction: Direction, to values: UnsafeMutablePointer<Float>, lines: Int, step: Int, lineStep: Int
  ) {
    let lanes = Lanes.scalarCount
    // A little apart, for a cache cannot hold many places that are a power of two apart.
    let size = (count + 5) * lanes
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: 4 * size)
    defer { memory.deallocate() }
    var front = Complex(real: memory, imaginary: memory + size)
    var back = Complex(real: memory + 2 * size, imaginary: memory + 3 * size)
    // Lanes of lines that are not there stay what they are; nobody reads them.
    memory.initialize(repeating: 0, count: 4 * size)
    for first in stride(from: 0, to: lines, by: Self.together) {
      let parts = [(front.real, first), (front.imaginary, first + lanes)]
      for (part, line) in parts where line < lines {
        let (from, width) = (values + line * lineStep, min(lanes, lines - line))
        Self.copy(from, step, lineStep, to: part, lanes, 1, places: count, lines: width)
      }
      if direction == .toValues {
        spread(front, into: back)
        swap(&front, &back)
      }
      transform(&front, &back)
      if direction == .toWaves {
        collect(front, into: back)
        swap(&front, &back)
      }
      for (part, line) in [(front.real, first), (front.imaginary, first + lanes)] where line < lines {
        let (to, width) = (values + line * lineStep, min(lanes, lines - line))
        Self.copy(part, lanes, 1, to: to, step, lineStep, places: count, lines: width)
      }
    }
  }

  /// Copies lines between places that are some elements apart; along the shorter way of the values, which are many.
  private static func copy(
    _ source: UnsafeMutablePointer<Float>, _ step: Int, _ lineStep: Int,
    to target: UnsafeMutablePointer<Float>, _ targetStep: Int, _ targetLineStep: Int, places: Int, lines: Int
  ) {
    if step == 1 || targetStep == 1 {
      for line in 0..<lines {
        let (from, to) = (source + line * lineStep, target + line * targetLineStep)
        for place in 0..<places { to[place * targetStep] = from[place * step] }
      }
    } else {
      for place in 0..<places {
        let (from, to) = (source + place * step, target + place * targetStep)
        for line in 0..<lines { to[line * targetLineStep] = from[line * lineStep] }
      }
    }
  }

  /// `[n, lanes]` of complex numbers.
  private struct Complex {
    let real: UnsafeMutablePointer<Float>
    let imaginary: UnsafeMutablePointer<Float>

    @inline(__always)
    func at(_ index: Int) -> (real: Lanes, imaginary: Lanes) {
      (real.lanes(at: index * Lanes.scalarCount), imaginary.lanes(at: index * Lanes.scalarCount))
    }

    @inline(__always)
    func put(_ r: Lanes, _ i: Lanes, at index: Int) {
      real.store(r, at: index * Lanes.scalarCount)
      imaginary.store(i, at: index * Lanes.scalarCount)
    }
  }

  // MARK: - Between waves and complex frequencies

  /// From Z = A + i·B, the frequencies of two lines together, to the waves of both: `h·Re A` and `−h·Im A`, and B's.
  private func collect(_ source: Complex, into target: Complex) {
    let first = source.at(0)
    target.put(alone * first.real, alone * first.imaginary, at: 0)
    for wave in stride(from: 1, to: count, by: 2) {
      let turns = (wave + 1) / 2
      let z = source.at(turns)
      guard 2 * turns != count else {
        target.put(alone * z.real, alone * z.imaginary, at: wave)
        continue
      }
      let mirrored = source.at(count - turns)
      let half = shared / 2
      target.put(half * (z.real + mirrored.real), half * (z.imaginary + mirrored.imaginary), at: wave)
      target.put(half * (mirrored.imaginary - z.imaginary), half * (z.real - mirrored.real), at: wave + 1)
    }
  }

  /// The way back: F of two lines, so that `Σ F_k·e^(−2πikn/N)` is the one's value plus i times the other's.
  private func spread(_ source: Complex, into target: Complex) {
    let first = source.at(0)
    target.put(alone * first.real, alone * first.imaginary, at: 0)
    for wave in stride(from: 1, to: count, by: 2) {
      let turns = (wave + 1) / 2
      let cosine = source.at(wave)
      guard 2 * turns != count else {
        target.put(alone * cosine.real, alone * cosine.imaginary, at: turns)
        continue
      }
      let sine = source.at(wave + 1)
      let half = shared / 2
      target.put(
        half * (cosine.real - sine.imaginary), half * (cosine.imaginary + sine.real), at: turns)
      target.put(
        half * (cosine.real + sine.imaginary), half * (cosine.imaginary - sine.real), at: count - turns)
    }
  }

  // MARK: - The transform

  /// `Z_k = Σ z_n·e^(−2πikn/N)`; the result is in `front`.
  ///
  /// A stage of radix p takes sequences of length l, of which there are `done`, to p times as many of length l/p:
  /// `y[q + done·(p·j + k)] = w_l^(jk)·Σᵣ x[q + done·(j + r·l/p)]·w_p^(rk)`, with `w_l = e^(−2πi/l)`.
  private func transform(_ front: inout Complex, _ back: inout Complex) {
    var (length, done) = (count, 1)
    for factor in factors {
      switch factor {
      case 2: stageOfTwo(front, back, length, done)
      case 4: stageOfFour(front, back, length, done)
      default: stage(of: factor, front, back, length, done)
      }
      length /= factor
      done *= factor
      swap(&front, &back)
    }
  }

  private func stageOfTwo(_ source: Complex, _ target: Complex, _ length: Int, _ done: Int) {
    let half = length / 2
    for j in 0..<half {
      let (c, s) = (cosines[j * done], sines[j * done])
      for q in 0..<done {
        let (a, b) = (source.at(q + done * j), source.at(q + done * (j + half)))
        target.put(a.real + b.real, a.imaginary + b.imaginary, at: q + done * 2 * j)
        let (r, i) = (a.real - b.real, a.imaginary - b.imaginary)
        target.put(c * r + s * i, c * i - s * r, at: q + done * (2 * j + 1))
      }
    }
  }

  private func stageOfFour(_ source: Complex, _ target: Complex, _ length: Int, _ done: Int) {
    let quarter = length / 4
    for j in 0..<quarter {
      let (c1, s1) = (cosines[j * done], sines[j * done])
      let (c2, s2) = (cosines[2 * j * done], sines[2 * j * done])
      let (c3, s3) = (cosines[3 * j * done], sines[3 * j * done])
      for q in 0..<done {
        let (a, b) = (source.at(q + done * j), source.at(q + done * (j + quarter)))
        let (c, d) = (source.at(q + done * (j + 2 * quarter)), source.at(q + done * (j + 3 * quarter)))
        let (acr, aci) = (a.real + c.real, a.imaginary + c.imaginary)
        let (bdr, bdi) = (b.real + d.real, b.imaginary + d.imaginary)
        let (amr, ami) = (a.real - c.real, a.imaginary - c.imaginary)
        let (bmr, bmi) = (b.real - d.real, b.imaginary - d.imaginary)
        let to = q + done * 4 * j
        target.put(acr + bdr, aci + bdi, at: to)
        // −i·(b − d) is (bmi, −bmr).
        let (r1, i1) = (amr + bmi, ami - bmr)
        target.put(c1 * r1 + s1 * i1, c1 * i1 - s1 * r1, at: to + done)
        let (r2, i2) = (acr - bdr, aci - bdi)
        target.put(c2 * r2 + s2 * i2, c2 * i2 - s2 * r2, at: to + 2 * done)
        let (r3, i3) = (amr - bmi, ami + bmr)
        target.put(c3 * r3 + s3 * i3, c3 * i3 - s3 * r3, at: to + 3 * done)
      }
    }
  }

  /// An odd prime; uses up `source`.
  ///
  /// Terms r and p − r share a cosine, and results k and p − k all their products.
  private func stage(of p: Int, _ source: Complex, _ target: Complex, _ length: Int, _ done: Int) {
    let (part, half) = (length / p, p / 2)
    for j in 0..<part {
      for q in 0..<done {
        let from = q + done * j
        let first = source.at(from)
        var (sumR, sumI) = first
        for term in 1...half {
          let (left, right) = (from + done * term * part, from + done * (p - term) * part)
          let (a, b) = (source.at(left), source.at(right))
          let (r, i) = (a.real + b.real, a.imaginary + b.imaginary)
          sumR += r
          sumI += i
          source.put(r, i, at: left)
          source.put(a.real - b.real, a.imaginary - b.imaginary, at: right)
        }
        let to = q + done * p * j
        target.put(sumR, sumI, at: to)
        for k in 1...half {
          // R = z₀ + Σ cos·(z_r + z_(p−r)), S = Σ sin·(z_r − z_(p−r)), and the results are R ∓ i·S.
          var (rr, ri) = first
          var (sr, si) = (Lanes.zero, Lanes.zero)
          for term in 1...half {
            let turn = term * k % p * (count / p)
            let (c, s) = (cosines[turn], sines[turn])
            let sum = source.at(from + done * term * part)
            let difference = source.at(from + done * (p - term) * part)
            rr += c * sum.real
            ri += c * sum.imaginary
            sr += s * difference.real
            si += s * difference.imaginary
          }
          for (k, r, i) in [(k, rr + si, ri - sr), (p - k, rr - si, ri + sr)] {
            let (c, s) = (cosines[j * k * done], sines[j * k * done])
            target.put(c * r + s * i, c * i - s * r, at: to + done * k)
          }
        }
      }
    }
  }
}
