"""Writes spectra.json and the sound files beside it: features as librosa makes them (librosa 0.11, NumPy, SciPy, soundfile).

    make_spectra.py        librosa and soundfile come from PyPI

Sounds are drawn from a seed: noise, chirps and silence, at several rates. Each case has its settings, the samples, and the features.
"""
import json
from pathlib import Path

import librosa
import numpy as np
import soundfile

HERE = Path(__file__).parent
random = np.random.default_rng(0)


def drawn(rate, seconds):
    time = np.arange(int(rate * seconds)) / rate
    sound = 0.3 * np.sin(2 * np.pi * (200 * time + 0.5 * (rate / 3) * time**2 / max(seconds, 0.01)))
    sound += 0.05 * random.normal(size=len(time))
    sound[len(sound) // 2: len(sound) * 2 // 3] = 0
    return np.clip(sound, -1, 1).astype(np.float32)


def features(sound, case):
    mel = librosa.feature.melspectrogram(
        y=sound, sr=case["rate"], n_fft=case["transform"], hop_length=case["hop"], win_length=case["window"],
        window="hann", center=True, pad_mode="constant", power=2.0, n_mels=case["bands"], fmin=case["low"],
        fmax=case["high"], htk=case["mel"] == "htk", norm="slaney" if case["mel"] == "slaney" else None)
    decibels = librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=case["range"])
    plain = decibels * np.log(10) / 10
    parts = [plain]
    for _ in range(case["changes"]):
        parts.append(librosa.feature.delta(parts[-1], width=5, order=1, mode="nearest"))
    return np.stack(parts, axis=-1).transpose(1, 0, 2)  # frames, bands, channels


cases = []
for number, (rate, bands, transform, mel, high, range_, changes, seconds) in enumerate([
        (8000, 40, 256, "slaney", 4000, 80, 0, 0.31), (16000, 40, 512, "slaney", 8000, 80, 2, 0.2),
        (16000, 80, 1024, "htk", 7600, None, 1, 0.25), (44100, 64, 2048, "slaney", 16000, 60, 2, 0.1),
        (8000, 40, 512, "htk", 3800, 80, 2, 0.02), (22050, 23, 1024, "htk", 11025, 30, 0, 0.3)]):
    case = dict(rate=rate, bands=bands, transform=transform, mel=mel, low=0 if number % 2 == 0 else 20, high=high,
                range=range_, changes=changes, window=round(0.025 * rate), hop=round(0.01 * rate))
    sound = drawn(rate, seconds)
    found = features(sound, case)
    case |= dict(samples=[float(v) for v in sound], frames=found.shape[0],
                 features=[round(float(v), 6) for v in found.ravel()])
    cases.append(case)
(HERE / "spectra.json").write_text(json.dumps(cases) + "\n")

# The same half second as files of several kinds; two channels of which the mean is the sound.
half = (drawn(8000, 0.25) * 20000).round() / 32768
noise = (random.normal(size=len(half)) * 2000).round() / 32768
both = np.stack([half + noise, half - noise], axis=1)
for name, data, subtype in [
        ("mono.wav", half, "PCM_16"), ("stereo.wav", both, "PCM_16"), ("mono.flac", half, "PCM_16"),
        ("float.wav", half, "FLOAT"), ("mono.ogg", half, "VORBIS"), ("mono.aiff", half, "PCM_24")]:
    soundfile.write(HERE / name, data, 8000, subtype=subtype)
(HERE / "mono.json").write_text(json.dumps([float(v) for v in half]) + "\n")
