import Foundation
import Tensors
import Testing

@testable import Training

@Suite("Optimizers")
struct OptimizerTests {
  /// With the script's learning rates.
  static let rules: [String: any Optimizer] = [
    "sgd": SGD(learningRate: 0.1), "momentum": SGD(learningRate: 0.1, momentum: 0.9),
    "nesterov": SGD(learningRate: 0.1, momentum: 0.9, nesterov: true),
    "momentum and decay": SGD(learningRate: 0.1, momentum: 0.9, weightDecay: 0.05),
    "adam": Adam(learningRate: 0.01), "adamw": AdamW(learningRate: 0.01, weightDecay: 0.05),
    "nadam": Nadam(learningRate: 0.01, weightDecay: 0.05), "rmsprop": RMSprop(learningRate: 0.01),
    "rmsprop centered": RMSprop(
      learningRate: 0.01, rho: 0.8, momentum: 0.5, epsilon: 1e-4, centered: true, weightDecay: 0.05),
    "adagrad": Adagrad(learningRate: 0.1), "adadelta": Adadelta(learningRate: 1, epsilon: 1e-4),
    "lion": Lion(learningRate: 0.01, weightDecay: 0.05), "lamb": LAMB(learningRate: 0.01),
    "lars": LARS(learningRate: 0.1, momentum: 0.9, trustCoefficient: 0.01, weightDecay: 0.05),
  ]
  /// Rules that look at one element at a time.
  static let elementwise = rules.filter { !($0.value is any LayerwiseOptimizer) }.keys.sorted()

  // Printed by Tests/Fixtures/optimizer_steps.py, Keras 3.15.1; LARS by optax 0.2.8.
  static let keras: [String: [Float]] = [
    "sgd": [
      -0.9208420515060425, -0.7427377700805664, -0.4414457678794861, -0.03803664445877075,
      0.18503648042678833, -0.40475231409072876, -0.4001685678958893, -0.4874435067176819,
      -0.5787213444709778, -0.3148108720779419, 0.1297426074743271, 0.33034491539001465,
      0.579802930355072, 0.73464035987854, 0.40457701683044434, 0.54904705286026, 0.5560438632965088,
      0.5633971691131592, 0.7519692182540894,
    ],
    "momentum": [
      -2.3721463680267334, -2.4989397525787354, -0.009094581007957458, 8.309486389160156,
      23.993793487548828, 0.8280493021011353, 0.3953331708908081, -2.9849188327789307, -11.4014253616333,
      -23.435558319091797, -0.7278841733932495, 0.5966405868530273, 4.825007438659668, 12.657102584838867,
      19.898971557617188, 0.922505795955658, -0.7382073998451233, -4.890029430389404, -10.755069732666016,
    ],
    "nesterov": [
      -2.2457737922668457, -2.271782875061035, 0.18036887049674988, 7.980503082275391, 22.229448318481445,
      0.7004922032356262, 0.22563114762306213, -2.993870258331299, -10.75000286102295,
      -21.406810760498047, -0.6153531074523926, 0.687321662902832, 4.652309417724609, 11.766033172607422,
      17.863649368286133, 0.8393023610115051, -0.7383426427841187, -4.557629585266113, -9.737594604492188,
    ],
    "momentum and decay": [
      -2.020444869995117, -1.9940135478973389, 0.45876359939575195, 8.016483306884766, 21.486740112304688,
      0.7010661363601685, 0.16684827208518982, -3.0188982486724854, -10.468894004821777,
      -20.358692169189453, -0.5658692121505737, 0.7265629172325134, 4.558732986450195, 11.272525787353516,
      16.643329620361328, 0.6770766973495483, -0.8909992575645447, -4.56425666809082, -9.3702974319458,
    ],
    "adam": [
      -1.0929898023605347, -0.9487605094909668, -0.7689910531044006, -0.5771820545196533,
      -0.3676634728908539, -0.21712374687194824, -0.19092495739459991, -0.17600487172603607,
      -0.17662416398525238, -0.20312178134918213, -0.046960268169641495, 0.1330452859401703,
      0.32524555921554565, 0.5354599952697754, 0.6813594698905945, 0.7071534991264343, 0.7217916250228882,
      0.7207943201065063, 0.6969487071037292,
    ],
    "adamw": [
      -1.072974681854248, -0.9306970834732056, -0.7536181211471558, -0.5649322271347046,
      -0.35928425192832947, -0.21223494410514832, -0.18738819658756256, -0.17344930768013,
      -0.17447470128536224, -0.20028924942016602, -0.04630078375339508, 0.1310058981180191,
      0.3200690746307373, 0.5263859629631042, 0.6688668131828308, 0.693318784236908, 0.7069860100746155,
      0.7055995464324951, 0.6824071407318115,
    ],
    "nadam": [
      -0.9909764528274536, -0.8241840600967407, -0.6717754006385803, -0.5316389203071594, -0.3936508893966675,
      -0.3172440528869629, -0.284797340631485, -0.2330213338136673, -0.1749596893787384, -0.11685480177402496,
      0.059987545013427734, 0.21193352341651917, 0.35194456577301025, 0.49007096886634827, 0.5634499192237854,
      0.5965336561203003, 0.6485959887504578, 0.7067645192146301, 0.7677638530731201,
    ],
    "rmsprop": [
      -1.0715503692626953, -0.8597989678382874, -0.7002371549606323, -0.5643301606178284,
      -0.38069286942481995, -0.2831786572933197, -0.27779069542884827, -0.21632301807403564,
      -0.16518032550811768, -0.1990041583776474, 0.042414840310811996, 0.20062090456485748,
      0.33685827255249023, 0.5229845643043518, 0.6134280562400818, 0.6208711862564087, 0.682894766330719,
      0.7331501245498657, 0.7052904367446899,
    ],
    "rmsprop centered": [
      -1.3189982175827026, -0.9461528658866882, -0.6350333094596863, -0.4163057804107666,
      -0.14339113235473633, -0.06986883282661438, -0.26157623529434204, -0.31448280811309814,
      -0.3380056619644165, -0.4865769147872925, -0.05472426116466522, 0.25117331743240356, 0.4689686894416809,
      0.7454507946968079, 0.8096450567245483, 0.6154627203941345, 0.5653545260429382, 0.5405625700950623,
      0.4022179841995239,
    ],
    "adagrad": [
      -1.1638360023498535, -1.047257423400879, -0.7780594229698181, -0.4919431209564209, -0.04485774040222168,
      -0.1818525493144989, -0.1574433445930481, -0.21301314234733582, -0.3469794690608978,
      -0.6579068899154663, -0.046620339155197144, 0.14745596051216125, 0.417711466550827, 0.8639789819717407,
      0.9818210005760193, 0.6728693842887878, 0.6666474342346191, 0.5438223481178284, 0.2751201093196869,
    ],
    "adadelta": [
      -1.0112613439559937, -0.7188180685043335, -0.5518728494644165, -0.43671461939811707, -0.309722900390625,
      -0.3935662806034088, -0.42654624581336975, -0.35855618119239807, -0.26354795694351196,
      -0.202937051653862, 0.1824171096086502, 0.3482653796672821, 0.4631709158420563, 0.5915473699569702,
      0.5042280554771423, 0.47411516308784485, 0.5417486429214478, 0.6366362571716309, 0.7112605571746826,
    ],
    "lion": [
      -0.9800575971603394, -0.8127482533454895, -0.6554867029190063, -0.5387499332427979,
      -0.40222862362861633, -0.30487245321273804, -0.26581841707229614, -0.22647760808467865,
      -0.1868910938501358, -0.10725919902324677, 0.06986187398433685, 0.22712348401546478, 0.3438602685928345,
      0.480381578207016, 0.5777376890182495, 0.6167917847633362, 0.6561326384544373, 0.6957192420959473,
      0.7753512263298035,
    ],
    "lamb": [
      -1.0261390209197998, -0.8639680743217468, -0.6945305466651917, -0.5366613268852234, -0.3919023871421814,
      -0.2996014654636383, -0.2729234993457794, -0.23661334812641144, -0.18797719478607178,
      -0.130912184715271, 0.0378139466047287, 0.20700059831142426, 0.36458244919776917, 0.5091835260391235,
      0.5986332893371582, 0.6254113912582397, 0.6620039939880371, 0.7109956741333008, 0.7700616717338562,
    ],
    "lars": [
      -0.9009820818901062, -0.8022646307945251, -0.6931042075157166, -0.5609862804412842, -0.4004029929637909,
      -0.39307281374931335, -0.2958572506904602, -0.21032217144966125, -0.14447474479675293,
      -0.09213683754205704, 0.09628316015005112, 0.20071186125278473, 0.31657442450523376, 0.4463523030281067,
      0.5729674100875854, 0.5979653000831604, 0.6903864145278931, 0.7730733156204224, 0.8493857383728027,
    ],
  ]

  static func gradient(step: Int, count: Int) -> [Float] {
    (0..<count).map { index in
      let angle = 0.7 * Double(index) + 0.3 * Double(step)
      return Float(sin(angle) * pow(2, Double(index % 5 - 2)))
    }
  }

  /// The script's elements.
  static let count = 19
  /// Rounded up with zeros, as parameters are in the engine.
  static let padded = 32

  /// The same 20 steps as the script's, over ranges of `rangeLength` elements.
  static func run(_ rule: any Optimizer, rangeLength: Int = padded, decays: Bool = true) -> [Float] {
    let zeros = [Float](repeating: 0, count: padded - count)
    let parameters = AlignedBuffer<Float>((0..<count).map { Float(0.1 * Double($0) - 0.9) } + zeros)
    let slots = AlignedBuffer<Float>(count: padded * 3)
    for step in 0..<20 {
      let gradients = AlignedBuffer<Float>(gradient(step: step, count: count) + zeros)
      let moment = UpdateMoment(update: step + 1, learningRate: rule.learningRate * Double(1 + step % 3))
      for start in stride(from: 0, to: padded, by: rangeLength) {
        rule.update(
          UpdateRange(
            parameters: parameters.baseAddress + start, gradient: gradients.baseAddress + start,
            slots: slots.baseAddress + start, slotStride: padded, count: rangeLength,
            decayScale: decays ? 1 : 0), moment)
      }
    }
    #expect(parameters.array()[count...].allSatisfy { $0 == 0 }, "what rounds up stays zero")
    return Array(parameters.array()[..<count])
  }

  @Test("20 steps give Keras's parameters", arguments: rules.keys.sorted())
  func agreesWithKeras(name: String) throws {
    let rule = try #require(Self.rules[name])
    let expected = try #require(Self.keras[name])
    let found = Self.run(rule)
    for (index, (a, b)) in zip(found, expected).enumerated() {
      // 20 steps of about 6 roundings each, of values that are at most about as large as the largest seen.
      #expect(abs(a - b) <= 2e-6 * max(1, abs(b)), "\(name), element \(index): \(a), Keras \(b)")
    }
    #expect(found.count == expected.count)
  }

  @Test("how parameters are cut into ranges changes no bit", arguments: elementwise)
  func ranges(name: String) throws {
    let rule = try #require(Self.rules[name])
    let whole = Self.run(rule)
    #expect(Self.run(rule, rangeLength: 16).map(\.bitPattern) == whole.map(\.bitPattern))
  }

  @Test("elements that are padding stay zero", arguments: rules.keys.sorted())
  func padding(name: String) throws {
    let rule = try #require(Self.rules[name])
    let parameters = AlignedBuffer<Float>(count: 48)
    let slots = AlignedBuffer<Float>(count: 144)
    let gradient = AlignedBuffer<Float>(count: 48)
    for update in 1...5 {
      rule.update(
        UpdateRange(
          parameters: parameters.baseAddress, gradient: gradient.baseAddress, slots: slots.baseAddress,
          slotStride: 48, count: 48, decayScale: 1), UpdateMoment(update: update, learningRate: 0.1))
    }
    #expect(parameters.array() == Array(repeating: 0, count: 48))
    #expect(slots.array() == Array(repeating: 0, count: 144))
  }

  @Test("weight decay leaves ranges alone that do not decay", arguments: ["momentum and decay", "adamw"])
  func decayScope(name: String) throws {
    let plain = name == "adamw" ? "adam" : "momentum"
    let rule = try #require(Self.rules[name])
    let without = try #require(Self.rules[plain])
    #expect(
      Self.run(rule, decays: false) == Self.run(without))
  }

  @Test("Adam's coupled decay is an L2 penalty in the gradient")
  func coupledDecay() {
    let buffer = AlignedBuffer<Float>(count: 16)
    let gradient = AlignedBuffer<Float>(count: 16)
    let slots = AlignedBuffer<Float>(count: 32)
    (buffer[0], buffer[1], gradient[0], gradient[1]) = (2, -3, 0.5, 0.5)
    Adam(learningRate: 0.01, weightDecay: 0.1).update(
      UpdateRange(
        parameters: buffer.baseAddress, gradient: gradient.baseAddress, slots: slots.baseAddress,
        slotStride: 16, count: 16, decayScale: 1), UpdateMoment(update: 1, learningRate: 0.01))
    // The first slots are (1 − β)·(g + λ·w): 0.1·0.7 and 0.1·0.2.
    #expect(abs(slots[0] - 0.07) < 1e-7 && abs(slots[1] - 0.02) < 1e-7)
  }
}

@Suite("Gradient transforms")
struct GradientTransformTests {
  @Test("one bad element anywhere is found", arguments: [16, 48, 112])
  func finite(count: Int) {
    for bad: Float in [.nan, .infinity, -.infinity] {
      for position in 0..<count {
        let values = AlignedBuffer<Float>(Array(repeating: -1e38, count: count))
        #expect(isFinite(values.baseAddress, count: count))
        values[position] = bad
        #expect(!isFinite(values.baseAddress, count: count))
      }
    }
  }

  @Test("the sum of squares does not overflow where a Float would")
  func squares() {
    let values = AlignedBuffer<Float>(Array(repeating: 1e30, count: 48))
    #expect(abs(squaredSum(values.baseAddress, count: 48) / 4.8e61 - 1) < 1e-6)
  }

  @Test("the bound clamps both sides, the factor scales", arguments: [16, 48])
  func transform(count: Int) {
    let values = AlignedBuffer<Float>((0..<count).map { Float($0) - 8 })
    GradientTransform(factor: 0.5, bound: 2).apply(to: values.baseAddress, count: count)
    #expect(values.array() == (0..<count).map { min(max((Float($0) - 8) * 0.5, -2), 2) })
  }
}

@Suite("Schedules")
struct ScheduleTests {
  static func factors(_ configuration: ScheduleConfiguration, steps: Int = 12) -> [Double] {
    let schedule = Schedule(configuration, stepsPerEpoch: 4, totalSteps: 12)
    return (0..<steps).map { schedule.factor(step: $0) }
  }

  @Test("constant is 1")
  func constant() { #expect(Self.factors(ScheduleConfiguration()) == Array(repeating: 1, count: 12)) }

  @Test("steps drop at their marks, in steps and epochs")
  func steps() {
    let configuration = ScheduleConfiguration(
      curve: .step(StepDecay(at: [.steps(3), .epochs(2)], factor: 0.1)))
    #expect(
      zip(Self.factors(configuration), [1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01]).allSatisfy
      {
        abs($0 - $1) < 1e-15
      })
  }

  @Test("the cosine goes from 1 to its floor and stays there")
  func cosine() {
    let factors = Self.factors(
      ScheduleConfiguration(curve: .cosine(CosineDecay(over: .epochs(2), floor: 0.2))), steps: 20)
    #expect(factors[0] == 1)
    #expect(abs(factors[4] - 0.6) < 1e-15)
    #expect(factors[8...].allSatisfy { abs($0 - 0.2) < 1e-15 })
    #expect(zip(factors, factors.dropFirst()).allSatisfy { $0 >= $1 })
  }

  @Test("a cosine without a length runs over the whole training")
  func wholeRun() {
    let factors = Self.factors(
      ScheduleConfiguration(curve: .cosine(CosineDecay(over: nil, floor: 0))), steps: 13)
    #expect(abs(factors[6] - 0.5) < 1e-15 && abs(factors[12]) < 1e-15)
  }

  @Test("exponential falls by its factor over each span, evenly or in stairs")
  func exponential() {
    func factors(_ staircase: Bool) -> [Double] {
      Self.factors(
        ScheduleConfiguration(
          curve: .exponential(ExponentialDecay(every: .epochs(1), factor: 0.5, staircase: staircase))))
    }
    for step in 0..<12 {
      #expect(abs(factors(false)[step] - pow(0.5, Double(step) / 4)) < 1e-15)
      #expect(factors(true)[step] == [1, 0.5, 0.25][step / 4])
    }
  }

  @Test("polynomial: 1 is a straight line to the floor, 2 falls faster first, and both stay there")
  func polynomial() {
    let line = Self.factors(
      ScheduleConfiguration(curve: .polynomial(PolynomialDecay(over: .steps(8), power: 1, floor: 0.2))))
    for step in 0..<12 { #expect(abs(line[step] - (1 - 0.1 * Double(min(step, 8)))) < 1e-15) }
    let square = Self.factors(
      ScheduleConfiguration(curve: .polynomial(PolynomialDecay(over: nil, power: 2, floor: 0))))
    for step in 0..<12 { #expect(abs(square[step] - pow(1 - Double(step) / 12, 2)) < 1e-15) }
  }

  // keras.optimizers.schedules.CosineDecayRestarts(1.0, 4, t_mul=2.0, m_mul=0.5, alpha=0.1), Keras 3.15.1.
  @Test("cosine restarts are Keras's: longer and lower each time")
  func restarts() {
    let factors = Self.factors(
      ScheduleConfiguration(
        curve: .cosineRestarts(CosineRestarts(first: .steps(4), stretch: 2, shrink: 0.5, floor: 0.1))),
      steps: 14)
    let keras = [
      1.0, 0.8681981, 0.54999995, 0.23180196, 0.55000001, 0.53287292, 0.48409903, 0.41110376, 0.32499999,
      0.23889622, 0.16590098, 0.11712708, 0.32499999, 0.32283834,
    ]
    for (found, expected) in zip(factors, keras) { #expect(abs(found - expected) < 1e-6) }
  }

  // torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=12), PyTorch 2.15.
  @Test("one cycle is PyTorch's")
  func oneCycle() {
    let factors = Self.factors(
      ScheduleConfiguration(curve: .oneCycle(OneCycle(rise: 0.3, start: 0.04, end: 4e-6))))
    let torch = [
      0.040000000000000036, 0.3497896542195831, 0.8792851591221287, 0.9944154354509117, 0.9330129698414117,
      0.811745653949763, 0.6473789976951033, 0.46263710266697505, 0.28306099820869923, 0.1334775301888306,
      0.03456698742539522, 4e-06,
    ]
    for (found, expected) in zip(factors, torch) { #expect(abs(found - expected) < 1e-9) }
  }

  @Test("every curve is a number at every step of trainings of one step and of few", arguments: [1, 2, 3])
  func shortTrainings(steps: Int) {
    let curves =
      Self.warmedUp + [.oneCycle(OneCycle()), .oneCycle(OneCycle(rise: 0)), .oneCycle(OneCycle(rise: 0.9))]
    for curve in curves {
      for warmup in [nil, .steps(1), .steps(2)] as [TrainingSpan?] {
        let schedule = Schedule(
          ScheduleConfiguration(curve: curve, warmup: warmup), stepsPerEpoch: 1, totalSteps: steps)
        #expect((0..<steps).allSatisfy { (0...1).contains(schedule.factor(step: $0)) }, "\(curve)")
      }
    }
  }

  @Test("warm-up rises in equal steps to the curve, and its first step is not zero")
  func warmup() {
    let factors = Self.factors(ScheduleConfiguration(warmup: .steps(4)))
    #expect(Array(factors[..<6]) == [0.25, 0.5, 0.75, 1, 1, 1])
  }

  /// Every curve that takes a warm-up, with drops inside of it, at its end and behind.
  private static let warmedUp: [ScheduleConfiguration.Curve] = [
    .constant, .cosine(CosineDecay()), .cosine(CosineDecay(over: .steps(3), floor: 0.25)),
    .exponential(ExponentialDecay(every: .steps(2), factor: 0.5)),
    .exponential(ExponentialDecay(every: .steps(3), factor: 0.5, staircase: true)),
    .polynomial(PolynomialDecay(power: 2)), .polynomial(PolynomialDecay(over: .epochs(1), floor: 0.5)),
    .cosineRestarts(CosineRestarts(first: .steps(3))),
    .step(StepDecay(at: [.steps(2), .steps(6)], factor: 0.5)),
    .plateau(Plateau()),
  ]

  @Test(
    "a warm-up is a straight line to the full rate for every curve, which then begins at its own begin",
    arguments: warmedUp)
  func straightWarmup(curve: ScheduleConfiguration.Curve) {
    let warm = Self.factors(ScheduleConfiguration(curve: curve, warmup: .steps(5)), steps: 12)
    #expect(Array(warm[..<5]) == (1...5).map { Double($0) / 5 })
    if case .step = curve {
      // Its times count from the start.
      #expect(Array(warm[5...]) == Array(Self.factors(ScheduleConfiguration(curve: curve))[5...]))
      return
    }
    let alone = Schedule(ScheduleConfiguration(curve: curve), stepsPerEpoch: 4, totalSteps: 7)
    #expect(Array(warm[5...]) == (0..<7).map { alone.factor(step: $0) })
  }

  @Test("a warm-up as long as the training, or longer, is all of it")
  func endlessWarmup() {
    for steps in [12, 40] {
      let factors = Self.factors(
        ScheduleConfiguration(curve: .cosine(CosineDecay()), warmup: .steps(steps)))
      #expect(factors == (1...12).map { Double($0) / Double(steps) })
    }
  }
}
