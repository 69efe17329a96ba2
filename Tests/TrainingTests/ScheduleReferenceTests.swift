import Testing

@testable import Training

@Suite("Schedules against Keras")
struct ScheduleReferenceTests {
  static let steps = [0, 1, 2, 7, 19, 29, 30, 31, 39, 40, 41, 60, 79, 80, 99, 100, 119, 120, 150]

  static let curves: [String: ScheduleConfiguration.Curve] = [
    "exponential": .exponential(ExponentialDecay(every: .steps(20), factor: 0.7, staircase: false)),
    "exponential, staircase": .exponential(ExponentialDecay(every: .epochs(2), factor: 0.7, staircase: true)),
    "polynomial": .polynomial(PolynomialDecay(over: nil, power: 2, floor: 0.1)),
    "cosine": .cosine(CosineDecay(over: .epochs(10), floor: 0.05)),
    "cosine, restarts": .cosineRestarts(
      CosineRestarts(first: .epochs(2), stretch: 2, shrink: 0.8, floor: 0.05)),
    "cosine, equal restarts": .cosineRestarts(
      CosineRestarts(first: .steps(30), stretch: 1, shrink: 0.5, floor: 0)),
  ]

  /// Printed by Tests/Fixtures/schedule_values.py for ``steps``: Keras 3.15.1, in Float.
  static let expected: [String: [Double]] = [
    "exponential": [
      1.0, 0.9823243021965027, 0.9649611115455627, 0.8826414346694946, 0.7125955820083618,
      0.5962002277374268, 0.5856620073318481, 0.5753100514411926, 0.49881690740585327, 0.4899999797344208,
      0.4813389182090759, 0.34299999475479126, 0.24442027509212494, 0.2400999814271927,
      0.17109419405460358, 0.168069988489151, 0.11976593732833862, 0.11764898896217346,
      0.06890254467725754,
    ],
    "exponential, staircase": [
      1.0, 1.0, 1.0, 1.0, 1.0, 0.699999988079071, 0.699999988079071, 0.699999988079071, 0.699999988079071,
      0.4899999797344208, 0.4899999797344208, 0.34299999475479126, 0.34299999475479126, 0.2400999814271927,
      0.2400999814271927, 0.168069988489151, 0.168069988489151, 0.11764898896217346, 0.08235429227352142,
    ],
    "polynomial": [
      1.0, 0.9820900559425354, 0.9643600583076477, 0.8784099817276001, 0.6904900074005127,
      0.5536900162696838, 0.5410000085830688, 0.5284900069236755, 0.4348900020122528, 0.42399999499320984,
      0.41329002380371094, 0.24399998784065247, 0.13968999683856964, 0.13599999248981476,
      0.10009000450372696, 0.10000000149011612, 0.10000000149011612, 0.10000000149011612,
      0.10000000149011612,
    ],
    "cosine": [
      1.0, 0.9997655749320984, 0.999062716960907, 0.9885604381561279, 0.9178632497787476,
      0.8161308765411377, 0.8041979670524597, 0.7919896245002747, 0.6859005093574524, 0.6717830300331116,
      0.6575207710266113, 0.37821683287620544, 0.1496763527393341, 0.14071689546108246,
      0.05023439601063728, 0.05000000074505806, 0.05000000074505806, 0.05000000074505806,
      0.05000000074505806,
    ],
    "cosine, restarts": [
      1.0, 0.9941519498825073, 0.9767518043518066, 0.7406454682350159, 0.055848028510808945,
      0.7189542651176453, 0.6987006068229675, 0.6767902970314026, 0.4598144292831421, 0.429999977350235,
      0.40018558502197266, 0.6580000519752502, 0.5772340893745422, 0.5689605474472046, 0.3659350275993347,
      0.3540000021457672, 0.14764457941055298, 0.139039546251297, 0.5317269563674927,
    ],
    "cosine, equal restarts": [
      1.0, 0.9972609281539917, 0.9890738129615784, 0.8715723752975464, 0.2966316342353821,
      0.002739042043685913, 0.5, 0.49863046407699585, 0.39694634079933167, 0.3749999701976776,
      0.3516841530799866, 0.25, 0.07415787130594254, 0.06249997019767761, 0.09923658519983292,
      0.0937500149011612, 0.00034238025546073914, 0.0625, 0.03125,
    ],
  ]

  /// Of the same script: a rise from 0 to 1 over 20 steps, then a cosine over 80.
  static let warmedUp: [Double] = [
    0.0, 0.05000000074505806, 0.10000000149011612, 0.3499999940395355, 0.949999988079071, 0.9706408977508545,
    0.9638427495956421, 0.9563680291175842, 0.8738031983375549, 0.8608757257461548, 0.847430408000946,
    0.5249999761581421, 0.2025696337223053, 0.18912428617477417, 0.05036621913313866, 0.05000000074505806,
    0.05000000074505806, 0.05000000074505806, 0.05000000074505806,
  ]

  @Test(
    "after a warm-up the cosine is Keras's, over a length of its own or what is left of the training",
    arguments: [nil, .steps(80), .epochs(8)] as [TrainingSpan?], [.steps(20), .epochs(2)] as [TrainingSpan])
  func afterWarmup(over: TrainingSpan?, warmup: TrainingSpan) {
    let configuration = ScheduleConfiguration(
      curve: .cosine(CosineDecay(over: over, floor: 0.05)), warmup: warmup)
    let schedule = Schedule(configuration, stepsPerEpoch: 10, totalSteps: 100)
    #expect(Self.steps.count == Self.warmedUp.count)
    for (step, value) in zip(Self.steps, Self.warmedUp) {
      // On the way up the first step moves already: each is as far as Keras's next one.
      let expected = step < 20 ? value + 0.05 : value
      #expect(abs(schedule.factor(step: step) - expected) < 2e-6, "step \(step)")
    }
  }

  @Test("the factors are Keras's, before and after every change", arguments: curves.keys.sorted())
  func agrees(name: String) throws {
    let curve = try #require(Self.curves[name])
    let expected = try #require(Self.expected[name])
    let schedule = Schedule(ScheduleConfiguration(curve: curve), stepsPerEpoch: 10, totalSteps: 100)
    #expect(expected.count == Self.steps.count)
    for (step, value) in zip(Self.steps, expected) {
      // Keras computes in Float: a few roundings of a value of at most 1.
      #expect(abs(schedule.factor(step: step) - value) < 2e-6, "\(name), step \(step)")
    }
  }
}
