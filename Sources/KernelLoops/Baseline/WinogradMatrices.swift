// F(4×4, 3×3): the minimal filtering of Winograd, with interpolation points 0, ±a, ±b, ∞ where a = 5/8 and b = 3/2. These keep
// the largest factors small: errors are a tenth of those with the usual points ±1, ±2. All factors of the image's transforms
// are exact in Float.
// Lavin, Gray 2015, Fast Algorithms for Convolutional Neural Networks, https://arxiv.org/abs/1509.09308;
// Barabasz et al. 2018, Error Analysis and Improving the Accuracy of Winograd Convolution, https://arxiv.org/abs/1803.10986.

// Images are transformed a block's channels at a time, weights sixteen columns of a product at a time.

typealias Four = (Lanes, Lanes, Lanes, Lanes)
typealias Six = (Lanes, Lanes, Lanes, Lanes, Lanes, Lanes)
typealias ThreeWeights = (Vector, Vector, Vector)
typealias SixWeights = (Vector, Vector, Vector, Vector, Vector, Vector)

private let a: Float = 0.625
private let b: Float = 1.5
private let a2: Float = 0.390625
private let b2: Float = 2.25
private let a3: Float = 0.244140625
private let b3: Float = 3.375
private let a2b2: Float = 0.87890625
private let sum2: Float = 2.640625
/// 1 / a²b², 1 / 2a²(a² − b²) and 1 / 2b²(b² − a²): the weights' factors.
private let atZero: Float = 1.137777777777778
private let atA: Float = -0.6884033613445378
private let atB: Float = 0.11951447245564893

@inline(__always)
private func l(_ value: Float) -> Lanes { Lanes(repeating: value) }

@inline(__always)
private func v(_ value: Float) -> Vector { Vector(repeating: value) }

/// `Bᵀ d`: six values of the image at the six points.
@inline(__always)
func imagePoints(_ d: Six) -> Six {
  let (t, u) = (fused(l(-b2), d.2, d.4), fused(l(-b2), d.1, d.3))
  let (r, s) = (fused(l(-a2), d.2, d.4), fused(l(-a2), d.1, d.3))
  return (
    fused(l(a2b2), d.0, fused(l(-sum2), d.2, d.4)),
    fused(l(a), u, t), fused(l(-a), u, t), fused(l(b), s, r), fused(l(-b), s, r),
    fused(l(a2b2), d.1, fused(l(-sum2), d.3, d.5))
  )
}

/// `B m`, the adjoint of ``imagePoints(_:)``.
@inline(__always)
func imageGradient(_ m: Six) -> Six {
  let (s1, e1) = (m.1 + m.2, l(a) * (m.1 - m.2))
  let (s2, e2) = (m.3 + m.4, l(b) * (m.3 - m.4))
  return (
    l(a2b2) * m.0,
    fused(l(-b2), e1, fused(l(-a2), e2, l(a2b2) * m.5)),
    fused(l(-b2), s1, fused(l(-a2), s2, l(-sum2) * m.0)),
    fused(l(-sum2), m.5, e1 + e2),
    m.0 + (s1 + s2),
    m.5
  )
}

/// `Aᵀ m`: four outputs from six points.
@inline(__always)
func outputs(_ m: Six) -> Four {
  let (s1, e1) = (m.1 + m.2, m.1 - m.2)
  let (s2, e2) = (m.3 + m.4, m.3 - m.4)
  return (
    (m.0 + s1) + s2,
    fused(l(b), e2, l(a) * e1),
    fused(l(b2), s2, l(a2) * s1),
    fused(l(b3), e2, fused(l(a3), e1, m.5))
  )
}

/// `A y`, the adjoint of ``outputs(_:)``.
@inline(__always)
func outputPoints(_ y: Four) -> Six {
  let (p, q) = (fused(l(a2), y.2, y.0), l(a) * fused(l(a2), y.3, y.1))
  let (r, s) = (fused(l(b2), y.2, y.0), l(b) * fused(l(b2), y.3, y.1))
  return (y.0, p + q, p - q, r + s, r - s, y.3)
}

/// `G g`: three weights at the six points.
@inline(__always)
func weightPoints(_ g: ThreeWeights) -> SixWeights {
  let (p, q) = (fused(v(a2), g.2, g.0), v(a) * g.1)
  let (r, s) = (fused(v(b2), g.2, g.0), v(b) * g.1)
  return (v(atZero) * g.0, v(atA) * (p + q), v(atA) * (p - q), v(atB) * (r + s), v(atB) * (r - s), g.2)
}

/// `Gᵀ m`, the adjoint of ``weightPoints(_:)``.
@inline(__always)
func weightsGradient(_ m: SixWeights) -> ThreeWeights {
  let (s1, e1) = (v(atA) * (m.1 + m.2), v(atA) * (m.1 - m.2))
  let (s2, e2) = (v(atB) * (m.3 + m.4), v(atB) * (m.3 - m.4))
  return (
    fused(v(atZero), m.0, s1 + s2),
    fused(v(b), e2, v(a) * e1),
    fused(v(a2), s1, fused(v(b2), s2, m.5))
  )
}
